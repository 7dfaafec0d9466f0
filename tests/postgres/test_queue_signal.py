"""
Workers hear of queued calls at once, and again after the server was away.
"""

import asyncio
import functools
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
import uvloop

from outdial.adapters.postgres.queue_signal import QueueSignal
from outdial.adapters.postgres.schema import migrate
from outdial.adapters.postgres.storage import PostgresStorage
from outdial.ports.errors import StorageError
from tests import builders
from tests.contract.storage.database import Database, furnish
from tests.postgres.conftest import Run
from tests.postgres.server import Server

LOOPS = [asyncio.new_event_loop, uvloop.new_event_loop]
PATIENCE_S = 10.0
END_LISTENERS = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and query ilike 'listen%'
"""


class Bell:
    """
    Rings at each signal.
    """

    def __init__(self) -> None:
        self.rings = asyncio.Queue[None]()

    def __call__(self) -> None:
        """
        Ring.
        """
        self.rings.put_nowait(None)

    async def heard(self) -> None:
        """
        Wait for the next ring.
        """
        async with asyncio.timeout(PATIENCE_S):
            await self.rings.get()


def _run(loop: Callable[[], asyncio.AbstractEventLoop], work: Coroutine[Any, Any, None]) -> None:
    with asyncio.Runner(loop_factory=loop) as runner:
        runner.run(work)


@pytest.mark.parametrize("loop", LOOPS)
def test_an_accepted_call_rings(url: str, database: Database, loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    """
    Once for having connected, once for the batch; a refusal, a deposit or a batch undone is no signal.
    """
    refused = builders.request(content=builders.fields(agent_id=999))

    async def listen() -> None:
        bell = Bell()
        signal = QueueSignal(url, bell)
        await signal.start()
        await signal.start()
        await bell.heard()
        await asyncio.to_thread(database.accept, refused)
        await asyncio.to_thread(database.accept, builders.request(), builders.request(token=builders.token(2)))
        await bell.heard()
        await asyncio.sleep(0.1)
        assert bell.rings.empty()
        await signal.stop()
        await signal.stop()

    _run(loop, listen())


def test_a_lost_connection_comes_back_and_rings(url: str, run: Run) -> None:
    """
    Whatever was queued meanwhile is looked for.
    """

    async def listen() -> None:
        bell = Bell()
        signal = QueueSignal(url, bell)
        await signal.start()
        for _ in range(3):
            await bell.heard()
            await asyncio.to_thread(run, END_LISTENERS)
        await bell.heard()
        await signal.stop()

    _run(asyncio.new_event_loop, listen())


def test_a_server_that_was_away_is_heard_again(own_server: Server) -> None:
    """
    It may be down when listening begins; attempts go on until it answers.
    """
    migrate(own_server.url)
    database = Database(functools.partial(PostgresStorage, own_server.url))
    database.transact(furnish)
    own_server.stop()

    async def listen() -> None:
        bell = Bell()
        signal = QueueSignal(own_server.url, bell, pause_s_max=0.2)
        await signal.start()
        await asyncio.sleep(0.5)
        assert bell.rings.empty()
        await asyncio.to_thread(own_server.start)
        await bell.heard()
        await asyncio.to_thread(database.accept, builders.request())
        await bell.heard()
        await signal.stop()

    _run(asyncio.new_event_loop, listen())
    database.close()


def test_an_address_that_can_not_be_read_is_said_so() -> None:
    """
    It would never work, so that it is no matter of waiting.
    """
    with pytest.raises(StorageError, match="can't be read"):
        _run(asyncio.new_event_loop, QueueSignal("postgresql://h/x?nonsense=1", lambda: None).start())
