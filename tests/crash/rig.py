"""
One machine under test: a network, a receiver of webhooks and outdial, each a process of its own.
"""

import asyncio
import json
import os
import resource
import select
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import attrs

from tests.crash.failpoints import FAILPOINT, PASSES
from tests.crash.service_process import CARRIER_PORT

ROOT: Final = Path(__file__).parents[2]
START_S: Final = 30.0
STOP_S: Final = 30.0
POLL_S: Final = 0.005
STOPPED_S: Final = 0.4
"""How long a service that is stopped stays so."""

STOPPED_FOR_OTHERS_S: Final = 1.0
"""And how long while others deal with its calls: phones that ring long are answered meanwhile."""

NO_LIMIT: Final = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)

CANARIES: Final = ("sip-canary-5c1f0e", "metrics-canary-77aa21")
"""Secrets of the service that must not be seen anywhere outside of it."""

SETTINGS: Final = {
    "OUTDIAL_HOST": "127.0.0.1",
    "OUTDIAL_PORT": "0",
    "OUTDIAL_RING_TIMEOUT_S": "1",
    "OUTDIAL_MAX_CALL_DURATION_S": "1",
    "OUTDIAL_EVIDENCE_LAG_S": "0",
    "OUTDIAL_LOG_FORMAT": "json",
    "OUTDIAL_WEBHOOK_ALLOW_HTTP_LOOPBACK": "true",
    "OUTDIAL_SIP_USERNAME": "somebody",
    "OUTDIAL_SIP_PASSWORD": CANARIES[0],
    "OUTDIAL_METRICS_TOKEN": CANARIES[1],
}


@attrs.frozen
class Nursery:
    """
    What services are forked from.
    """

    _process: "subprocess.Popen[str]"

    def fork(self, variables: Mapping[str, str], output: Path) -> int:
        """
        Start a service and return the number of its process.
        """
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.write(f"{json.dumps({'variables': dict(variables), 'output': str(output)})}\n")
        process.stdin.flush()
        return int(process.stdout.readline())


@contextmanager
def nursery() -> Iterator[Nursery]:
    """
    Import outdial once for all services that are forked in the block.
    """
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.crash.service_process"],
        cwd=ROOT,
        env=_clean(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    with process:
        try:
            yield Nursery(process)
        finally:
            process.kill()


@attrs.define
class Service:
    """
    One life of outdial.
    """

    number: int
    handle: int | None
    output: Path

    @property
    def is_stopped(self) -> bool:
        """
        Whether the process waits for SIGCONT.
        """
        try:
            return Path(f"/proc/{self.number}/stat").read_text().rpartition(") ")[2].startswith("T")
        except OSError:
            return False

    @property
    def is_alive(self) -> bool:
        """
        Whether the process is there, stopped or not.
        """
        return self.handle is not None and not select.select([self.handle], [], [], 0)[0]

    def signal(self, number: signal.Signals) -> None:
        """
        Send a signal; whoever is gone gets none.
        """
        with suppress(ProcessLookupError):
            if self.handle is not None:
                signal.pidfd_send_signal(self.handle, number)

    async def ended(self, within_s: float) -> None:
        """
        Wait until the process is gone.
        """
        end_s = time.monotonic() + within_s
        while self.is_alive:
            assert time.monotonic() < end_s, self.output.read_text()[-4000:]
            await asyncio.sleep(POLL_S)
        if self.handle is not None:
            os.close(self.handle)
            self.handle = None


@attrs.define(kw_only=True)
class Rig:
    """
    The processes of a schedule, and how to kill them.

    Attributes:
        url: Where the service listens; empty while it does not.

        kills: How often a process was ended by SIGKILL, by us or by itself.

        stops: How often one was stopped and went on.

        troubles: How often a database was locked or its connections dropped, a disk full, the network away.

        while_stopped: What others do while the service is stopped; `None` for nothing.
    """

    folder: Path
    database: str
    variables: dict[str, str]
    nursery: Nursery
    carrier: "subprocess.Popen[str]"
    carrier_port: int
    webhook_port: int
    url: str = ""
    kills: int = 0
    stops: int = 0
    troubles: int = 0
    lives: int = 0
    while_stopped: Callable[[], Awaitable[None]] | None = None
    service: Service | None = None

    @property
    def passes(self) -> list[str]:
        """
        The places that the service passed, in all its lives, as `name:nth` of a life.
        """
        path = self.folder / "passes"
        return path.read_text().splitlines() if path.exists() else []

    async def start(self, failpoint: str = "", **variables: str) -> bool:
        """
        Start the service and wait until it listens; tell whether it got that far.
        """
        self.lives += 1
        output = self.folder / f"service-{self.lives}.log"
        given = {**SETTINGS, **self.variables, **variables, FAILPOINT: failpoint}
        number = self.nursery.fork({**given, PASSES: str(self.folder / "passes")}, output)
        try:
            handle = os.pidfd_open(number)
        except ProcessLookupError:
            handle = None
        service = self.service = Service(number, handle, output)
        end_s = time.monotonic() + START_S
        while service.is_alive:
            await self.go_on_if_stopped()
            url = _url_in(output)
            if url is not None:
                self.url = url
                return True
            assert time.monotonic() < end_s, output.read_text()[-4000:]
            await asyncio.sleep(POLL_S)
        return False

    async def kill(self) -> None:
        """
        End the service without giving it a chance.
        """
        assert self.service is not None
        self.service.signal(signal.SIGKILL)
        await self.bury()

    async def bury(self) -> None:
        """
        Wait for the end of a service that was killed, or killed itself.
        """
        assert self.service is not None
        await self.service.ended(STOP_S)
        self.url = ""
        self.kills += 1

    async def go_on_if_stopped(self) -> None:
        """
        Have a service that stopped itself go on after a while.
        """
        if self.service is not None and self.service.is_stopped:
            self.stops += 1
            end_s = time.monotonic() + (STOPPED_S if self.while_stopped is None else STOPPED_FOR_OTHERS_S)
            if self.while_stopped is not None:
                await self.while_stopped()
            await asyncio.sleep(end_s - time.monotonic())
            self.service.signal(signal.SIGCONT)

    def make_room(self) -> None:
        """
        Let the service write again as much as it likes.
        """
        assert self.service is not None
        with suppress(ProcessLookupError):
            resource.prlimit(self.service.number, resource.RLIMIT_FSIZE, NO_LIMIT)

    async def pause(self, seconds: float) -> None:
        """
        Stop the service for a while, as a machine under load or a debugger does.
        """
        assert self.service is not None
        self.service.signal(signal.SIGSTOP)
        self.stops += 1
        await asyncio.sleep(seconds)
        self.service.signal(signal.SIGCONT)

    async def stop(self) -> None:
        """
        Let the service end in order.
        """
        if self.service is not None and self.service.is_alive:
            self.service.signal(signal.SIGCONT)
            self.service.signal(signal.SIGTERM)
            await self.service.ended(STOP_S)
        self.url = ""

    async def restart_carrier(self, away_s: float) -> None:
        """
        Kill the network, and have it back after a while.
        """
        self.carrier.kill()
        self.carrier.communicate()
        self.kills += 1
        self.troubles += 1
        await asyncio.sleep(away_s)
        self.carrier, _port = _start("carrier_process", str(self.folder), str(self.carrier_port))


@asynccontextmanager
async def rig(folder: Path, database: str, nursery: Nursery, **variables: str) -> AsyncIterator[Rig]:
    """
    Start a network and a receiver of webhooks that end with the block, and a service that is yet to be started.
    """
    for name in ("orders", "calls", "messages"):
        (folder / name).touch()
    carrier, carrier_port = _start("carrier_process", str(folder), "0")
    receiver, webhook_port = _start("webhook_process", str(folder / "messages"))
    built = Rig(
        folder=folder,
        database=database,
        variables={**variables, "OUTDIAL_DATABASE": database, CARRIER_PORT: str(carrier_port)},
        nursery=nursery,
        carrier=carrier,
        carrier_port=carrier_port,
        webhook_port=webhook_port,
    )
    try:
        yield built
    finally:
        if built.service is not None:
            built.service.signal(signal.SIGKILL)
            await built.service.ended(STOP_S)
        for process in (built.carrier, receiver):
            process.kill()
            process.communicate()


def _start(module: str, *arguments: str) -> tuple["subprocess.Popen[str]", int]:
    process = subprocess.Popen(
        [sys.executable, "-m", f"tests.crash.{module}", *arguments],
        cwd=ROOT,
        env=_clean(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, int(process.stdout.readline())


def _clean() -> dict[str, str]:
    """
    Return variables without outdial's own, and without those that measure coverage, which takes its time.
    """
    left = {name: value for name, value in os.environ.items() if not name.startswith(("OUTDIAL_", "COVERAGE_"))}
    return {**left, "PYTHONPATH": str(ROOT)}


def _url_in(output: Path) -> str | None:
    if not output.exists():
        return None
    for line in output.read_text().splitlines():
        with suppress(ValueError):
            found: Any = json.loads(line)
            if isinstance(found, dict) and "carrier" in found and "url" in found:
                return str(found["url"])
    return None
