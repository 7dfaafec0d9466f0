"""
The setting `postgresql://...` leads to the adapter.
"""

import asyncio

import pytest

from outdial.adapters.postgres.schema import migrations
from outdial.adapters.postgres.storage import PostgresStorage
from outdial.entrypoints import composition
from outdial.entrypoints.settings import Settings
from outdial.ports.errors import StorageError
from tests.contract.storage.database import furnish


def test_migrating_and_opening_go_to_the_server(unmigrated: str) -> None:
    """
    A database is never migrated by being opened.
    """
    settings = Settings(database=unmigrated)
    storage = composition.storage(settings)

    with pytest.raises(StorageError, match="Run `outdial migrate` first"):
        asyncio.run(storage.start())

    assert isinstance(storage, PostgresStorage)
    assert tuple(migrations()) == composition.migrate(settings)
    assert () == composition.migrate(settings)

    async def use() -> None:
        await storage.start()
        await storage.transact(furnish)
        await storage.stop()

    asyncio.run(use())


def test_any_number_of_processes_dial(url: str) -> None:
    """
    What one file allows once, a server's database allows again and again.
    """
    settings = Settings(database=url)

    with composition.dialling_rights(settings), composition.dialling_rights(settings):
        assert composition.is_shared(settings)


def test_queued_calls_are_heard_of(url: str) -> None:
    """
    The signal rings when it has begun to listen.
    """

    async def listen() -> None:
        heard = asyncio.Event()
        async with composition.queue_signal(Settings(database=url), heard.set), asyncio.timeout(10):
            await heard.wait()

    asyncio.run(listen())
