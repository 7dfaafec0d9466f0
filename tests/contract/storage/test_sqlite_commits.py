"""
SQLite: what waits is committed together, and nobody hears of what is not durable.
"""

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import uvloop

from outdial.adapters.sqlite import writer
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.domain.model.wallet import EntryKind
from outdial.ports.errors import StorageConflictError, StorageError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import (
    Database,
    Undo,
    accepted_of,
    balance_micros,
    deposit,
    everything,
    furnish,
    open_sqlite,
)

BEGINNING_S = 20.0
LARGE = "x" * 16_384


@pytest.fixture
def traced(writers: list[sqlite3.Connection], sqlite: Database) -> list[str]:
    """
    Each statement that the writing connection of `sqlite` runs.
    """
    statements: list[str] = []
    sqlite.transact(lambda _transaction: writers[0].set_trace_callback(statements.append))
    statements.clear()
    return statements


async def _behind_one_that_holds(
    storage: SqliteStorage, works: list[Callable[[Transaction], int]]
) -> list[int | BaseException]:
    """
    Let works wait together behind one that is held until they all do.
    """
    is_open, may_end = threading.Event(), threading.Event()

    def hold(_transaction: Transaction) -> None:
        is_open.set()
        assert may_end.wait(BEGINNING_S)

    holder = asyncio.create_task(storage.transact(hold))
    await asyncio.to_thread(is_open.wait, BEGINNING_S)
    waiting = asyncio.gather(*(storage.transact(work) for work in works), return_exceptions=True)
    await asyncio.sleep(0)
    may_end.set()
    await holder
    return await waiting


def _storage(database: Database) -> SqliteStorage:
    assert isinstance(database.storage, SqliteStorage)
    return database.storage


def _fail(transaction: Transaction) -> int:
    transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1_000))
    raise Undo


def _conflict(transaction: Transaction) -> int:
    transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1_000))
    transaction.directory.add(builders.agent())
    return 0


def test_what_waits_together_is_committed_together(sqlite: Database, traced: list[str]) -> None:
    """
    Many works share one transaction; those that fail in it are undone alone.
    """
    works = [deposit(1), _fail, deposit(1), _conflict, deposit(1)]

    results = sqlite.run(_behind_one_that_holds(_storage(sqlite), works))

    assert [25_000_001, 25_000_002, 25_000_003] == [one for one in results if isinstance(one, int)]
    assert [Undo, StorageConflictError] == [type(one) for one in results if isinstance(one, BaseException)]
    assert sqlite.read(balance_micros) == 25_000_003
    assert [statement for statement in traced if statement in {writer.BEGIN, writer.COMMIT}] == [
        writer.BEGIN,
        writer.COMMIT,
    ] * 2


def test_a_commit_that_fails_fails_for_all(sqlite: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    When the commit itself fails, nobody is told of success, nothing is stored, and the next commit works.
    """
    before = sqlite.read(everything)
    monkeypatch.setattr(writer, "COMMIT", "commit is not what this is")

    async def at_once() -> list[int | BaseException]:
        return await asyncio.gather(
            *(sqlite.storage.transact(work) for work in (deposit(1), _fail, deposit(1))), return_exceptions=True
        )

    results = sqlite.run(at_once())
    monkeypatch.undo()

    assert [StorageError, Undo, StorageError] == [type(result) for result in results]
    assert before == sqlite.read(everything)
    assert sqlite.transact(deposit(1)) == 25_000_001


def test_a_full_disk_stores_nothing_and_passes(writers: list[sqlite3.Connection], sqlite: Database) -> None:
    """
    A work that finds no room gets a StorageError; once there is room, all works again.
    """
    before = sqlite.read(everything)
    pages = sqlite.transact(lambda _transaction: writers[0].execute("pragma page_count").fetchone()[0])
    sqlite.transact(lambda _transaction: writers[0].execute(f"pragma max_page_count = {pages + 2}").fetchone())

    def fill(transaction: Transaction) -> None:
        transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1))
        for number in range(2, 100):
            transaction.contacts.add(builders.contact(id=1000 + number, custom_context={"large": LARGE[:16_000]}))

    with pytest.raises(StorageError, match="full"):
        sqlite.transact(fill)
    request = builders.request(content=builders.fields(variables={"text": LARGE[:12_000]}))
    with pytest.raises(StorageError, match="full"):
        sqlite.accept(*[request] * 10)

    assert before == sqlite.read(everything)
    assert sqlite.transact(deposit(1)) == 25_000_001
    sqlite.transact(lambda _transaction: writers[0].execute("pragma max_page_count = 100000").fetchone())
    sqlite.transact(fill)
    assert len(accepted_of(sqlite.accept(*[request] * 10))) == 10


def test_a_transaction_that_sqlite_gave_up_takes_no_more_writes(
    writers: list[sqlite3.Connection], sqlite: Database
) -> None:
    """
    When SQLite rolls back by itself, later writes of the work and of its neighbours are refused, not kept alone.
    """
    before = sqlite.read(everything)

    def lose(transaction: Transaction) -> int:
        writers[0].execute("rollback")
        with pytest.raises(StorageError):
            transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1))
        return 0

    def lose_and_fail(_transaction: Transaction) -> int:
        writers[0].execute("rollback")
        raise Undo

    for losing in (lose, lose_and_fail):
        results = sqlite.run(_behind_one_that_holds(_storage(sqlite), [deposit(1), losing, deposit(1)]))

        assert [StorageError] * 3 == [type(result) for result in results]
        assert before == sqlite.read(everything)
    assert sqlite.transact(deposit(1)) == 25_000_001


def test_a_writer_that_may_not_write_says_so(writers: list[sqlite3.Connection], sqlite: Database) -> None:
    """
    A database that became read-only gives a StorageError and stays readable.
    """
    before = sqlite.read(everything)
    sqlite.transact(lambda _transaction: writers[0].execute("pragma query_only = on"))

    with pytest.raises(StorageError, match="read-only"):
        sqlite.transact(deposit(1))
    with pytest.raises(StorageError, match="read-only"):
        sqlite.accept(builders.request())

    assert before == sqlite.read(everything)


def test_a_read_can_not_write(sqlite: Database) -> None:
    """
    A reader that is used for writing is refused by the database itself.
    """

    def write(reader: object) -> object:
        return reader.wallets.post(builders.entry(EntryKind.DEPOSIT, 1))  # type: ignore[attr-defined]

    with pytest.raises(StorageError, match="read-only"):
        sqlite.read(write)


def test_too_many_waiting_writes_are_refused(tmp_path: Path, sqlite: Database) -> None:
    """
    Over the cap a work is refused at once; those within it are done.
    """
    database = Database(lambda: SqliteStorage(tmp_path / "outdial.db", waiting_max=2))

    results = database.run(_behind_one_that_holds(_storage(database), [deposit(1)] * 3))

    assert [25_000_001, 25_000_002, StorageError] == [
        result if isinstance(result, int) else type(result) for result in results
    ]
    database.close()
    assert sqlite.read(balance_micros) == 25_000_002


def test_too_many_waiting_reads_are_refused(tmp_path: Path, sqlite: Database) -> None:
    """
    Over the cap a read is refused at once.
    """
    database = Database(lambda: SqliteStorage(tmp_path / "outdial.db", waiting_max=1))
    may_end = threading.Event()

    async def two_reads() -> list[object]:
        first = asyncio.create_task(database.storage.read(lambda _reader: may_end.wait(BEGINNING_S)))
        await asyncio.sleep(0)
        with pytest.raises(StorageError):
            await database.storage.read(balance_micros)
        may_end.set()
        return [await first, await database.storage.read(balance_micros)]

    assert database.run(two_reads()) == [True, 25_000_000]
    database.close()
    assert sqlite.read(balance_micros) == 25_000_000


def test_a_caller_that_leaves_while_waiting_is_not_served(sqlite: Database) -> None:
    """
    A work whose caller was canceled before it began is not done.
    """
    is_open, may_end = threading.Event(), threading.Event()

    def hold(_transaction: Transaction) -> None:
        is_open.set()
        assert may_end.wait(BEGINNING_S)

    async def cancel_one() -> None:
        holder = asyncio.create_task(sqlite.storage.transact(hold))
        await asyncio.to_thread(is_open.wait, BEGINNING_S)
        leaving = asyncio.create_task(sqlite.storage.transact(deposit(1)))
        staying = asyncio.create_task(sqlite.storage.transact(deposit(2)))
        await asyncio.sleep(0)
        leaving.cancel()
        await asyncio.gather(leaving, return_exceptions=True)
        may_end.set()
        await holder
        await staying

    sqlite.run(cancel_one())

    assert sqlite.read(balance_micros) == 25_000_002


def test_stop_finishes_what_waits(sqlite: Database) -> None:
    """
    Works that were asked for before `stop` are done, and their callers told.
    """

    async def stop_behind() -> list[int]:
        asked = [asyncio.create_task(sqlite.storage.transact(deposit(1))) for _ in range(10)]
        await asyncio.sleep(0)
        await sqlite.storage.stop()
        return await asyncio.gather(*asked)

    assert list(range(25_000_001, 25_000_011)) == sqlite.run(stop_behind())
    sqlite.run(sqlite.storage.start())
    assert sqlite.read(balance_micros) == 25_000_010


@pytest.fixture
def on_uvloop(tmp_path: Path) -> Iterator[Database]:
    """
    A database whose loop is uvloop's.
    """
    database = Database(open_sqlite(tmp_path), uvloop.new_event_loop)
    yield database
    database.close()


def test_uvloop_serves_as_well(on_uvloop: Database) -> None:
    """
    Futures reach the loop that the server runs on.
    """
    on_uvloop.transact(furnish)

    decisions = on_uvloop.accept(builders.request())

    assert len(accepted_of(decisions)) == 1
    assert on_uvloop.read(balance_micros) == 25_000_000
