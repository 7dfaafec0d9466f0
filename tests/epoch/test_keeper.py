"""
A process that dials and whose database turns out to be another one.
"""

import asyncio

import pytest

from outdial.adapters.memory.storage import MemoryStorage
from outdial.adapters.memory.witness import TrustingWitness
from outdial.adapters.simulator.carrier import SimulatorCarrier
from outdial.domain.model.call import Call
from outdial.domain.model.lifecycle import State
from outdial.domain.rules.ladder import decide_all
from outdial.entrypoints.worker.place import LOOK_S, PlaceKeeper
from outdial.ports.dialling_place import DiallingPlace
from outdial.ports.errors import StorageError
from tests import builders
from tests.contract.storage.database import furnish
from tests.worker.unreliable_storage import UnreliableStorage
from tests.worker.virtual_time import LoopClock, run_in_virtual_time


async def _place(storage: UnreliableStorage) -> DiallingPlace:
    return await storage.read(lambda reader: reader.places.current())


async def _with_a_call() -> tuple[UnreliableStorage, list[Call], PlaceKeeper]:
    storage = UnreliableStorage(MemoryStorage())
    await storage.start()
    await storage.transact(furnish)
    await storage.accept([builders.request()], builders.policy(), decide_all)
    moved: list[Call] = []
    keeper = PlaceKeeper(
        storage=storage, witness=TrustingWitness(), clock=LoopClock(), on_moved=lambda call, _at: moved.append(call)
    )
    return storage, moved, keeper


def test_a_change_is_noticed_while_it_dials() -> None:
    """
    What waited is given up and told, within some seconds; an outage meanwhile costs no more than looks.
    """

    async def scenario() -> None:
        storage, moved, keeper = await _with_a_call()
        await keeper.enter()
        keeper.start()
        await storage.transact(lambda transaction: transaction.places.leave())
        storage.is_down = True
        await asyncio.sleep(LOOK_S)
        storage.is_down = False

        await asyncio.sleep(LOOK_S)

        assert [State.BLOCKED] == [call.state for call in moved]
        assert (2, True) == ((await _place(storage)).epoch, (await _place(storage)).is_here)
        await keeper.stop()
        await keeper.stop()

    run_in_virtual_time(scenario())


def test_a_database_that_tells_by_itself_is_not_asked_at_each_dial() -> None:
    """
    An outage between the point of no return and the order ends no call whose phone may ring.
    """

    async def scenario() -> None:
        _storage, _moved, keeper = await _with_a_call()
        carrier = SimulatorCarrier(LoopClock())

        assert keeper.witnessed(carrier) is carrier

    run_in_virtual_time(scenario())


def test_a_kill_between_two_portions_is_made_good(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The epoch begins only after the last call was given up, by whoever comes next.
    """
    monkeypatch.setattr("outdial.entrypoints.worker.place.ENDED_AT_ONCE", 1)

    async def scenario() -> None:
        storage, moved, keeper = await _with_a_call()
        requests = [builders.request(token=builders.token(number)) for number in range(1, 4)]
        await storage.accept(requests, builders.policy(), decide_all)
        await storage.transact(lambda transaction: transaction.places.leave())

        killed_at = storage.transactions + 3
        storage.fails = lambda number: number == killed_at
        with pytest.raises(StorageError):
            await keeper.enter()
        between = await _place(storage)
        await keeper.enter()

        assert (1, False) == (between.epoch, between.is_here)
        assert 4 == len({call.id for call in moved}) == len(moved)
        assert 2 == (await _place(storage)).epoch

    run_in_virtual_time(scenario())
