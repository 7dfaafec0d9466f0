"""
outdial on many machines, as far as one machine can show it: processes of their own over one PostgreSQL.
"""

import asyncio
import json
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from tests.endtoend.service import PROGRAM, unmeasured

START_S: Final = 40.0
STOP_S: Final = 40.0


@attrs.frozen(kw_only=True, eq=False)
class Member:
    """
    One process.

    Attributes:
        url: Where it serves HTTP.

        log: Everything it wrote to standard error, as lines of JSON.
    """

    role: str
    process: asyncio.subprocess.Process
    url: str
    log: Path


class Fleet:
    """
    Processes that share a database and the simulator's log of orders.
    """

    def __init__(self, folder: Path, database: str, settings: dict[str, str]) -> None:
        self.database = database
        self.orders = folder / "orders"
        self.orders.touch()
        self.members: list[Member] = []
        self._folder = folder
        self._settings = settings
        self._started = 0

    async def start(self, role: str, **settings: str) -> Member:
        """
        Start a process and wait until it takes requests.

        Args:
            settings: Further settings by the names of their fields.
        """
        self._started += 1
        log = self._folder / f"{role}-{self._started}.log"
        with log.open("wb") as errors:
            process = await asyncio.create_subprocess_exec(
                *(PROGRAM, "serve", "--role", role, "--port", "0", "--json"),
                env=self._variables({**self._settings, **settings}),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
            )
        assert process.stdout is not None
        try:
            first = await asyncio.wait_for(process.stdout.readline(), START_S)
            assert first, log.read_text()
        except BaseException:
            await _kill(process)
            raise
        member = Member(role=role, process=process, url=json.loads(first)["url"], log=log)
        self.members.append(member)
        return member

    async def start_many(self, role: str, count: int) -> list[Member]:
        """
        Start several processes at the same time.
        """
        return list(await asyncio.gather(*[self.start(role) for _ in range(count)]))

    async def kill(self, member: Member) -> None:
        """
        End a process without giving it a chance to do anything.
        """
        self.members.remove(member)
        await _kill(member.process)

    async def stop(self) -> None:
        """
        Let all processes end in order.
        """
        members, self.members = self.members, []
        for member in members:
            if member.process.returncode is None:
                member.process.send_signal(signal.SIGTERM)
        await asyncio.gather(*[_ended(member) for member in members])

    def events(self) -> list[dict[str, Any]]:
        """
        Return what all processes logged, whether they still live or not.
        """
        logs = sorted(self._folder.glob("*.log"))
        return [json.loads(line) for log in logs for line in log.read_text().splitlines() if line.startswith("{")]

    def _variables(self, settings: dict[str, str]) -> dict[str, str]:
        chosen = {"simulator_log": str(self.orders), "log_format": "json", "log_level": "warning", **settings}
        variables = {f"OUTDIAL_{name.upper()}": value for name, value in chosen.items()}
        return unmeasured({"OUTDIAL_DATABASE": self.database, **variables})


@asynccontextmanager
async def fleet(folder: Path, database: str, **settings: str) -> AsyncIterator[Fleet]:
    """
    Gather processes that end with the block; those that are still there must end in order.
    """
    gathered = Fleet(folder, database, settings)
    try:
        yield gathered
    except BaseException:
        for member in list(gathered.members):
            await gathered.kill(member)
        raise
    await gathered.stop()


async def _ended(member: Member) -> None:
    try:
        await asyncio.wait_for(member.process.wait(), STOP_S)
    except TimeoutError:
        await _kill(member.process)
        raise
    assert member.process.returncode == 0, member.log.read_text()


async def _kill(process: asyncio.subprocess.Process) -> None:
    if process.returncode is None:
        process.kill()
    await process.wait()
