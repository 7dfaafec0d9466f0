"""
Old refusals are forgotten, whatever goes wrong meanwhile.
"""

import asyncio
from datetime import timedelta

from outdial.adapters.memory.clock import ManualClock
from outdial.adapters.memory.storage import MemoryStorage
from outdial.domain.rules.ladder import decide_all
from outdial.entrypoints.worker.pruner import FORGOTTEN_AT_ONCE, PAUSE_S, TURN_S, RefusalPruner
from outdial.ports.errors import StorageError
from tests import builders
from tests.contract.storage.database import furnish
from tests.worker.unreliable_storage import UnreliableStorage
from tests.worker.virtual_time import in_virtual_time

RETENTION = timedelta(days=30)


async def _refused(storage: MemoryStorage, count: int, **changes: object) -> None:
    request = builders.request(content=builders.fields(agent_id=999), **changes)
    await storage.accept([request] * count, builders.policy(), decide_all)


async def _kept(storage: MemoryStorage) -> int:
    return len(
        await storage.read(
            lambda reader: reader.decisions.refusals(builders.ACCOUNT_ID, reason=None, before=None, limit=10_000)
        )
    )


@in_virtual_time
async def test_more_than_fits_into_one_transaction_is_forgotten_in_several() -> None:
    """
    All that is older than it is kept goes, some at a time; what is younger stays.
    """
    storage, clock = MemoryStorage(), ManualClock(builders.NOW + RETENTION + timedelta(seconds=1))
    await storage.start()
    await storage.transact(furnish)
    await _refused(storage, 2 * FORGOTTEN_AT_ONCE + 3)
    await _refused(storage, 2, received_at=builders.NOW + timedelta(seconds=1))
    watched = UnreliableStorage(storage)
    begun_s = asyncio.get_running_loop().time()

    forgotten = await RefusalPruner(storage=watched, clock=clock, retention=RETENTION).prune()

    assert 2 * FORGOTTEN_AT_ONCE + 3 == forgotten
    assert 3 == watched.transactions
    assert 2 * PAUSE_S == asyncio.get_running_loop().time() - begun_s
    assert 2 == await _kept(storage)


@in_virtual_time
async def test_an_error_costs_a_turn_and_never_the_loop() -> None:
    """
    While the database is away nothing is forgotten; once it is back, everything old is.
    """
    storage, clock = MemoryStorage(), ManualClock(builders.NOW + RETENTION * 2)
    await storage.start()
    await storage.transact(furnish)
    await _refused(storage, 2)
    unreliable = UnreliableStorage(storage)
    pruner = RefusalPruner(storage=unreliable, clock=clock, retention=RETENTION)

    for error in (StorageError, ZeroDivisionError):
        unreliable.error, unreliable.is_down = error, True
        pruner.start()
        await asyncio.sleep(TURN_S * 1.5)
        assert 2 == await _kept(storage)
        unreliable.is_down = False
        await asyncio.sleep(TURN_S)
        await pruner.stop()
        assert 0 == await _kept(storage)
        await _refused(storage, 2)


@in_virtual_time
async def test_a_stopped_pruner_does_nothing_more() -> None:
    """
    Stopping twice is fine, and so is stopping one that never began.
    """
    storage = UnreliableStorage(MemoryStorage())
    await storage.start()
    pruner = RefusalPruner(storage=storage, clock=ManualClock(builders.NOW), retention=RETENTION)

    await pruner.stop()
    pruner.start()
    await asyncio.sleep(TURN_S / 2)
    await pruner.stop()
    await pruner.stop()
    await asyncio.sleep(TURN_S * 2)

    assert 1 == storage.transactions
