"""
Nothing waits for ever, and nothing is stored that can't be.
"""

import asyncio
import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

import pytest

from outdial.adapters.postgres.connection import Limits, connect
from outdial.adapters.postgres.storage import PostgresStorage
from outdial.domain.model.wallet import EntryKind
from outdial.ports.errors import StorageError
from outdial.ports.storage import Reader, Transaction
from tests import builders
from tests.contract.storage.database import Database, balance_micros, deposit, everything, furnish
from tests.listing import list_callee
from tests.postgres.conftest import Run

T = TypeVar("T")

BRIEF = Limits(lock_s=0.2, statement_s=0.4, idle_s=0.3)


def in_thread(run: Callable[[], T]) -> T:
    """
    Do something in a thread of its own and wait for it.
    """
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(run).result()


def _setting(url: str, name: str) -> str:
    with connect(url, Limits()) as connection:
        ((value,),) = connection.execute(f"show {name}".encode()).fetchall()
        return str(value)


@pytest.fixture
def impatient(url: str) -> Iterator[Database]:
    """
    A furnished database that waits for nothing long.
    """
    opened = Database(functools.partial(PostgresStorage, url, limits=BRIEF))
    opened.transact(furnish)
    yield opened
    opened.close()


def test_a_lock_is_not_waited_for_long(impatient: Database) -> None:
    """
    A wallet that another transaction holds is given up, and the caller hears why.
    """
    rival = impatient.rival()

    def hold(transaction: Transaction) -> None:
        deposit(1)(transaction)
        with pytest.raises(StorageError, match="held a lock for too long"):
            in_thread(lambda: rival.transact(deposit(1)))

    impatient.transact(hold)

    assert 25_000_001 == impatient.read(balance_micros)


def test_a_statement_does_not_run_for_long(impatient: Database, run: Run) -> None:
    """
    A server that is too slow is given up.
    """
    run("create function dawdle() returns trigger language plpgsql as $$ begin perform pg_sleep(9); return new; end $$")
    run("create trigger dawdle before insert on ledger for each row execute function dawdle()")

    with pytest.raises(StorageError, match="The statement took too long"):
        impatient.transact(deposit(1))


def test_a_work_that_stands_still_loses_its_locks(impatient: Database) -> None:
    """
    A process that was paused inside a transaction does not hold up the others; its work is run again.
    """
    runs: list[int] = []

    def dawdle(transaction: Transaction) -> int:
        balance = deposit(1)(transaction)
        runs.append(balance)
        if len(runs) == 1:
            threading.Event().wait(1.0)
        return deposit(1)(transaction)

    assert 25_000_002 == impatient.transact(dawdle)
    assert [25_000_001] * 2 == runs


def test_too_many_works_are_refused(url: str) -> None:
    """
    Over the cap the answer is an error at once, and whoever waited is served.
    """
    database = Database(functools.partial(PostgresStorage, url, connections_max=1, waiting_max=2))
    database.transact(furnish)

    async def all_at_once() -> list[object]:
        works = (database.storage.transact(deposit(1)) for _ in range(5))
        return await asyncio.gather(*works, return_exceptions=True)

    results = database.run(all_at_once())

    assert [25_000_001, 25_000_002] == [result for result in results if isinstance(result, int)]
    assert {"Too many works wait for the database. Nothing was written."} == {
        str(result) for result in results if isinstance(result, StorageError)
    }
    database.close()


def test_settings_that_the_server_refuses_are_told(url: str) -> None:
    """
    A connection that can't have its settings is no connection.
    """
    with pytest.raises(StorageError, match="The database can't be used"):
        connect(url, Limits(lock_s=-1))


def test_a_read_can_not_write(database: Database) -> None:
    """
    The server refuses a write on a snapshot.
    """

    def write(reader: Reader) -> None:
        reader.wallets.post(builders.entry(EntryKind.DEPOSIT, 1))  # type: ignore[attr-defined]

    with pytest.raises(StorageError, match="25006"):
        database.read(write)


@pytest.mark.parametrize("text", ["NUL\x00", "lone \ud800"], ids=["nul", "surrogate"])
def test_a_text_that_no_column_can_hold_is_refused(database: Database, text: str) -> None:
    """
    One at a time or in a batch, nothing is written.
    """
    before = database.read(everything)
    request = builders.request(token=text)

    with pytest.raises(StorageError, match="a NUL or a lone surrogate"):
        database.transact(lambda transaction: list_callee(transaction, reason=text))
    with pytest.raises(StorageError, match="a NUL or a lone surrogate"):
        database.accept(request)

    assert before == database.read(everything)


def test_a_text_that_was_refused_leaves_the_transaction_alone(database: Database) -> None:
    """
    It never reached the server, so a work may catch it and go on.
    """

    def work(transaction: Transaction) -> int:
        with pytest.raises(StorageError):
            list_callee(transaction, reason="\x00")
        return deposit(1)(transaction)

    assert 25_000_001 == database.transact(work)


@pytest.mark.parametrize("setting", ["off", "local", "remote_write"])
def test_commits_are_durable_whatever_the_server_prefers(url: str, run: Run, setting: str) -> None:
    """
    A database that is set to answer before the disk does is overruled; a stronger wish is kept.
    """
    (name,) = run("select current_database()")[0]
    run(f'alter database "{name}" set synchronous_commit = {setting}')

    assert "on" == _setting(url, "synchronous_commit")
    run(f'alter database "{name}" set synchronous_commit = remote_apply')
    assert "remote_apply" == _setting(url, "synchronous_commit")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("lock_timeout", "5s"),
        ("statement_timeout", "15s"),
        ("idle_in_transaction_session_timeout", "15s"),
        ("timezone", "UTC"),
        ("application_name", "outdial"),
    ],
)
def test_every_session_has_its_settings(url: str, name: str, value: str) -> None:
    """
    Waiting is bounded, and whoever looks at the server sees who is there.
    """
    assert value == _setting(url, name)
