"""
`outdial serve` as a process of its own, on a free port and a database file.
"""

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final, TypeVar

import attrs
import httpx2

from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.ports.storage import Reader, Transaction
from tests.entrypoints.clinic import KEY, furnish

T = TypeVar("T")

STOP_TIMEOUT_S: Final = 20


@attrs.define
class LiveServer:
    """
    A server that runs, or ran.

    Attributes:
        database: Its file.

        log: Everything that it wrote to standard error and output after it was ready; complete once it was stopped.
    """

    url: str
    database: Path
    process: "subprocess.Popen[str]"
    log: str = ""

    @property
    def address(self) -> tuple[str, int]:
        """
        Where it listens.
        """
        host, _, port = self.url.removeprefix("http://").rpartition(":")
        return host, int(port)

    def client(self) -> httpx2.Client:
        """
        Return a client with the clinic's key.
        """
        return httpx2.Client(base_url=self.url, headers={"Authorization": f"Bearer {KEY}"}, timeout=20)

    def connect(self) -> socket.socket:
        """
        Return a bare connection.
        """
        return socket.create_connection(self.address, timeout=20)

    def stop(self) -> int:
        """
        Ask it to end, and return its exit code.
        """
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            output, errors = self.process.communicate(timeout=STOP_TIMEOUT_S)
            self.log += output + errors
        return self.process.returncode


@contextmanager
def serving(
    folder: Path,
    settings: Mapping[str, str] | None = None,
    *,
    furnished_by: Callable[[Transaction], None] = furnish,
) -> Iterator[LiveServer]:
    """
    Serve the clinic's accounts from a file in a folder until the block ends.
    """
    database = folder / "outdial.db"
    _furnish(database, furnished_by)
    variables = {name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")} | {
        "OUTDIAL_DATABASE": f"sqlite:///{database}",
        "OUTDIAL_PORT": "0",
        "OUTDIAL_SIMULATOR_TIME_SCALE": "0.01",
        **(settings or {}),
    }
    process = subprocess.Popen(
        [sys.executable, "-c", "from outdial.entrypoints.cli import main; main()", "serve", "--json"],
        env=variables,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    if not first:
        raise AssertionError(process.communicate(timeout=STOP_TIMEOUT_S)[1])
    server = LiveServer(json.loads(first)["url"], database, process)
    try:
        yield server
    finally:
        server.stop()


def look_into(database: Path, work: Callable[[Reader], T]) -> T:
    """
    Read a database, beside a server that uses it or after one.
    """

    async def main() -> T:
        storage = SqliteStorage(database)
        await storage.start()
        try:
            return await storage.read(work)
        finally:
            await storage.stop()

    return asyncio.run(main())


def _furnish(database: Path, furnished_by: Callable[[Transaction], None]) -> None:
    async def main() -> None:
        storage = SqliteStorage(database)
        await storage.start()
        await storage.transact(furnished_by)
        await storage.stop()

    migrate(database)
    asyncio.run(main())
