"""
SIPp as an independent callee: one process a leg; its exit code is the referee.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import attrs

from tests.telephony.ports import free_port

SCENARIOS = Path(__file__).parent / "scenarios"
_START_S = 10.0


@attrs.define
class Sipp:
    """
    A running SIPp.

    Attributes:
        port: Where it takes calls.

        media_port: What its session descriptions name; it echoes what arrives there.
    """

    port: int
    media_port: int
    _process: asyncio.subprocess.Process
    _log: Path
    _errors: Path

    async def finish(self, timeout_s: float = 20) -> str:
        """
        Wait until the scenario ends, and return all its messages; it must have gone as written.
        """
        code = await asyncio.wait_for(self._process.wait(), timeout_s)
        errors = self._errors.read_text(errors="replace") if self._errors.exists() else ""
        assert code == 0, f"SIPp says {code}: {errors}\n{self.messages}"
        return self.messages

    @property
    def messages(self) -> str:
        """
        All messages so far, each behind a line of dashes.
        """
        return self._log.read_text(errors="replace") if self._log.exists() else ""

    def received(self, method: str) -> list[str]:
        """
        Return the requests it received, in order, repetitions included.
        """
        pattern = rf"message received [^\n]*:\n\n({method} .*?)(?=\n-----------|\Z)"
        return re.findall(pattern, self.messages, re.DOTALL)

    async def end(self) -> None:
        """
        End the process if it still runs.
        """
        if self._process.returncode is None:
            with suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def sipp(
    scenario: str,
    folder: Path,
    *,
    transport: str = "udp",
    calls: int = 1,
    timeout_s: int = 25,
    keys: dict[str, str] | None = None,
) -> AsyncIterator[Sipp]:
    """
    Run SIPp with one of our scenarios until the block is left.

    Args:
        scenario: Name of a file in the folder of scenarios.

        folder: For its logs, usually `tmp_path`.

        transport: udp or tcp.

        calls: How many it takes before it ends.

        timeout_s: It fails if it takes longer.

        keys: What stands for `[name]` in the scenario.
    """
    port, media_port = free_port(), free_port(neighbours=4)
    log, errors = folder / f"{scenario}_{port}.log", folder / f"{scenario}_{port}.err"
    # SIPp wants the status of a response in the scenario itself, so names are replaced before it reads them.
    text = (SCENARIOS / f"{scenario}.xml").read_text()
    for name, value in {"ctp": {"udp": "", "tcp": ";transport=tcp"}[transport], **(keys or {})}.items():
        text = text.replace(f"[{name}]", value)
    written = folder / f"{scenario}_{port}.xml"
    written.write_text(text)
    options = [
        *("-sf", written, "-i", "127.0.0.1", "-p", port, "-mi", "127.0.0.1", "-mp", media_port),
        *("-m", calls, "-t", {"udp": "u1", "tcp": "t1"}[transport], "-cp", free_port(), "-nostdin", "-rtp_echo"),
        *("-timeout", timeout_s, "-timeout_error", "-trace_msg", "-message_file", log, "-trace_err"),
        *("-error_file", errors),
    ]
    process = await asyncio.create_subprocess_exec(
        *("sipp", "127.0.0.1:9", *map(str, options)),
        cwd=folder,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.DEVNULL,
    )
    running = Sipp(port, media_port, process, log, errors)
    try:
        await _wait_until_bound(port, transport, process)
        yield running
    finally:
        await running.end()


async def _wait_until_bound(port: int, transport: str, process: asyncio.subprocess.Process) -> None:
    # Looked up, as trying to bind could keep SIPp from its port.
    async with asyncio.timeout(_START_S):
        while f":{port:04X} " not in Path(f"/proc/net/{transport}").read_text():
            assert process.returncode is None, "SIPp did not start."
            await asyncio.sleep(0.01)
