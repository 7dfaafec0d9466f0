"""
Storage in one SQLite file, for one machine.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, TypeVar

import attrs

from outdial.adapters.sqlite import acceptance, connection
from outdial.adapters.sqlite.calls import SqliteCalls
from outdial.adapters.sqlite.contacts import SqliteContacts
from outdial.adapters.sqlite.decisions import SqliteDecisions
from outdial.adapters.sqlite.directory import SqliteDirectory
from outdial.adapters.sqlite.do_not_call import SqliteDnc
from outdial.adapters.sqlite.events import SqliteEvents
from outdial.adapters.sqlite.history import SqliteHistory
from outdial.adapters.sqlite.incidents import SqliteIncidents
from outdial.adapters.sqlite.opened_file import OpenedFile
from outdial.adapters.sqlite.places import SqlitePlaces
from outdial.adapters.sqlite.readers import Readers
from outdial.adapters.sqlite.rulebook import SqliteRulebook
from outdial.adapters.sqlite.schema import check_schema
from outdial.adapters.sqlite.statements import Statements, errors_translated
from outdial.adapters.sqlite.wallets import SqliteWallets
from outdial.adapters.sqlite.webhooks import SqliteWebhooks
from outdial.adapters.sqlite.workers import SqliteWorkers
from outdial.adapters.sqlite.writer import Writer
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Decision
from outdial.domain.model.policy import Policy
from outdial.ports.storage import DecideAll, Reader, Transaction

T = TypeVar("T")

READER_THREADS: Final = 2
WAITING_MAX: Final = 1024
BUSY_TIMEOUT_S: Final = 5.0
"""How long to wait for another process's write, such as one at the command line."""


@attrs.frozen(kw_only=True)
class _Tables:
    """
    The tables as the port shows them; a connection for reading refuses the writes.
    """

    directory: SqliteDirectory
    contacts: SqliteContacts
    rulebook: SqliteRulebook
    dnc: SqliteDnc
    wallets: SqliteWallets
    calls: SqliteCalls
    history: SqliteHistory
    decisions: SqliteDecisions
    incidents: SqliteIncidents
    events: SqliteEvents
    webhooks: SqliteWebhooks
    places: SqlitePlaces
    workers: SqliteWorkers


class SqliteStorage:
    """
    Accounts, money and calls in a file whose schema `migrate` made.

    Writes that wait at the same moment share one durable commit; reads go on beside them.
    """

    def __init__(
        self,
        path: Path,
        *,
        busy_timeout_s: float = BUSY_TIMEOUT_S,
        waiting_max: int = WAITING_MAX,
        reader_threads: int = READER_THREADS,
    ) -> None:
        self._path = path
        self._busy_timeout_s = busy_timeout_s
        self._file = OpenedFile(path)
        self._writer = Writer(self._open_writer, self._file, waiting_max=waiting_max)
        self._readers = Readers(self._open_reader, self._file, thread_count=reader_threads, waiting_max=waiting_max)

    async def start(self) -> None:
        """
        Open the file, whose schema must be current.
        """
        try:
            await asyncio.to_thread(self._start)
        except BaseException:
            await self.stop()
            raise

    async def stop(self) -> None:
        """
        Finish what was begun and close. Idempotent.
        """
        await asyncio.to_thread(self._stop)

    async def accept(self, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
        """
        Decide and record a batch in one durable transaction.
        """

        def work(opened: sqlite3.Connection) -> Sequence[Decision]:
            return acceptance.accept(Statements(opened), batch, policy, decide_all)

        return await asyncio.wrap_future(self._writer.submit(_carried(work)))

    async def transact(self, work: Callable[[Transaction], T]) -> T:
        """
        Run `work` in one durable transaction and return its result after the commit.
        """
        return await asyncio.wrap_future(self._writer.submit(_carried(lambda opened: work(tables_on(opened)))))

    async def read(self, work: Callable[[Reader], T]) -> T:
        """
        Run `work` on one consistent snapshot of what was committed.
        """
        return await asyncio.wrap_future(self._readers.submit(_carried(lambda opened: work(tables_on(opened)))))

    def _start(self) -> None:
        self._file.remember()
        with errors_translated():
            opened = self._open_reader()
            try:
                check_schema(opened, self._path)
            except BaseException:
                opened.close()
                raise
        self._readers.start(opened)
        self._writer.start()

    def _stop(self) -> None:
        # The connection that writes is closed last: only it can fold the write-ahead log into the file.
        self._readers.stop()
        self._writer.stop()

    def _open_writer(self) -> sqlite3.Connection:
        return connection.open_writer(self._path, busy_timeout_s=self._busy_timeout_s)

    def _open_reader(self) -> sqlite3.Connection:
        return connection.open_reader(self._path, busy_timeout_s=self._busy_timeout_s)


def tables_on(opened: sqlite3.Connection) -> _Tables:
    """
    Return the tables in the transaction of a connection.
    """
    sql = Statements(opened)
    return _Tables(
        directory=SqliteDirectory(sql),
        contacts=SqliteContacts(sql),
        rulebook=SqliteRulebook(sql),
        dnc=SqliteDnc(sql),
        wallets=SqliteWallets(sql),
        calls=SqliteCalls(sql),
        history=SqliteHistory(sql),
        decisions=SqliteDecisions(sql),
        incidents=SqliteIncidents(sql),
        events=SqliteEvents(sql),
        webhooks=SqliteWebhooks(sql),
        places=SqlitePlaces(sql),
        workers=SqliteWorkers(sql),
    )


def _carried(work: Callable[[sqlite3.Connection], T]) -> Callable[[sqlite3.Connection], T]:
    """
    Let a work raise only what a future can carry: a `StopIteration` would be lost, and its caller wait for ever.
    """

    def run(opened: sqlite3.Connection) -> T:
        try:
            return work(opened)
        except StopIteration as error:
            raise RuntimeError("The work raised StopIteration.") from error

    return run
