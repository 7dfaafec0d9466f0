"""
A server that goes away and comes back: what was confirmed is there, and nobody has to do anything.
"""

import asyncio
import functools
import signal
import time

import pytest

from outdial.adapters.postgres.connection import Limits
from outdial.adapters.postgres.schema import migrate
from outdial.adapters.postgres.storage import PostgresStorage
from outdial.ports.errors import StorageError
from tests.contract.storage.database import Database, balance_micros, deposit, furnish
from tests.postgres.server import Server

BRIEF = Limits(connect_s=1)
HEALING_S = 15.0


def _opened(server: Server) -> Database:
    migrate(server.url)
    database = Database(functools.partial(PostgresStorage, server.url, limits=BRIEF))
    database.transact(furnish)
    return database


async def _deposit_until(database: Database, is_over: asyncio.Event) -> tuple[int, int]:
    """
    Deposit micros one after the other; return how many were confirmed, and of how many nobody knows.
    """
    confirmed = unknown = 0
    while not is_over.is_set():
        try:
            await database.storage.transact(deposit(1))
            confirmed += 1
        except StorageError as error:
            unknown += "Nobody knows" in str(error)
            await asyncio.sleep(0.01)
    return confirmed, unknown


@pytest.mark.parametrize("by", [signal.SIGINT, signal.SIGQUIT], ids=["in order", "at once"])
def test_a_restart_under_load_loses_nothing_and_heals(own_server: Server, by: signal.Signals) -> None:
    """
    While the server is restarted twice six clients deposit: what was confirmed is there, and all go on by themselves.
    """
    database = _opened(own_server)

    async def restart_twice() -> tuple[int, int]:
        is_over = asyncio.Event()
        clients = [asyncio.create_task(_deposit_until(database, is_over)) for _ in range(6)]
        for _ in range(2):
            await asyncio.sleep(0.3)
            await asyncio.to_thread(own_server.stop, by)
            await asyncio.sleep(0.3)
            await asyncio.to_thread(own_server.start)
            await _healed(database)
        is_over.set()
        counts = await asyncio.gather(*clients)
        return sum(confirmed for confirmed, _ in counts), sum(unknown for _, unknown in counts)

    confirmed, unknown = database.run(restart_twice())

    balance = database.read(balance_micros) - 25_000_000 - 2
    assert confirmed > 50
    assert confirmed <= balance <= confirmed + unknown + 2
    database.close()


async def _healed(database: Database) -> None:
    """
    Wait until the storage works again, and goes on working.
    """
    deadline = time.monotonic() + HEALING_S
    while True:
        try:
            await database.storage.transact(deposit(1))
        except StorageError:
            assert time.monotonic() < deadline, "The storage did not heal."
            await asyncio.sleep(0.05)
        else:
            return


def test_a_server_that_is_gone_is_said_so_in_time(own_server: Server) -> None:
    """
    Works fail within the time that a connection may take; starting and stopping again do no harm.
    """
    database = _opened(own_server)
    own_server.stop()
    began = time.monotonic()

    with pytest.raises(StorageError):
        database.transact(deposit(1))
    with pytest.raises(StorageError, match="could not be reached within 1 s"):
        database.read(balance_micros)

    assert time.monotonic() - began < 10
    database.run(database.storage.stop())
    with pytest.raises(StorageError, match="nobody listens there"):
        database.run(database.storage.start())
    own_server.start()
    database.run(database.storage.start())
    assert 25_000_000 == database.read(balance_micros)
    database.close()


def _deposit_for_ever(database: Database) -> None:
    while True:
        database.transact(deposit(1))


def test_a_server_that_turns_read_only_is_said_so(own_server: Server) -> None:
    """
    As after a failover to a replica: reads go on, writes say why they don't.
    """
    database = _opened(own_server)
    own_server.run("alter system set default_transaction_read_only = on")
    own_server.run("select pg_reload_conf()")

    with pytest.raises(StorageError, match="The database takes no writes"):
        _deposit_for_ever(database)

    assert database.read(balance_micros) >= 25_000_000
    database.close()
