"""
Calls whose time is up are moved on while others are dialled.
"""

from collections.abc import MutableMapping
from datetime import timedelta
from functools import partial
from typing import Any

import attrs
import pytest

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.domain.service.reconciliation import TIME_IS_UP
from outdial.entrypoints.worker.reconciler import CALLS_AT_ONCE, INTERVAL_S
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import Transaction
from tests import builders
from tests.service.calls import take
from tests.worker.office import office, released, running
from tests.worker.scripted_carrier import ScriptedCarrier, ignore, silence, talk_for_ever
from tests.worker.virtual_time import in_virtual_time


@in_virtual_time
async def test_queued_calls_expire_however_many_there_are() -> None:
    """
    Nobody could dial them in time; each frees its hold.
    """
    count = 2 * CALLS_AT_ONCE + 1
    async with office() as bureau:
        bureau.policy = attrs.evolve(bureau.policy, queue_timeout_s=60)
        (talking,) = await bureau.accept()

        async with running(bureau.dialler(bureau.carrier(talk_for_ever), live_calls_max=1)):
            await bureau.reached(talking, State.IN_PROGRESS)
            calls = await bureau.accept(count)
            await bureau.pass_time(60 + INTERVAL_S)
            over = [await bureau.call(call) for call in calls]

        assert {(State.BLOCKED, Disposition.EXPIRED)} == {(call.state, call.disposition) for call in over}
        assert await released(bureau, over[-1])


@in_virtual_time
async def test_a_call_that_no_living_worker_sees_through_becomes_unknown() -> None:
    """
    Its worker beats and has lost it: its deadline counts.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        (leased,) = await bureau.storage.transact(partial(take, limit=1, at=bureau.clock.now(), worker_id="other"))
        await bureau.storage.transact(
            partial(_save, call=leased, state=State.SENDING, attempt=1, deadline_at=builders.CREATED_AT)
        )
        await bureau.storage.transact(_beat)

        async with running(bureau.dialler(bureau.carrier(), has_rivals=True)):
            for _ in range(3):
                await bureau.pass_time(INTERVAL_S / 3 + 1)
                await bureau.storage.transact(_beat)
            unknown = await bureau.call(accepted)

        assert (State.UNKNOWN, TIME_IS_UP) == (unknown.state, unknown.cause)


@in_virtual_time
async def test_an_own_call_that_is_overdue_is_hung_up() -> None:
    """
    The watchdog's word reaches the carrier, whatever keeps the call's own limits from it.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier(talk_for_ever)

        async with running(bureau.dialler(carrier)):
            talking = await bureau.reached(accepted, State.IN_PROGRESS)
            an_hour_ago = bureau.clock.now() - timedelta(hours=1)
            await bureau.storage.transact(partial(_save, call=talking, deadline_at=an_hour_ago))
            await bureau.pass_time(INTERVAL_S + 5)

        assert (talking.attempt_id, Disposition.TIME_LIMIT) in carrier.hang_ups
        call = await bureau.call(accepted)
        assert (State.SETTLED, Disposition.TIME_LIMIT) == (call.state, call.disposition)


@in_virtual_time
async def test_trouble_costs_a_look_and_never_the_loop(logs: list[MutableMapping[str, Any]]) -> None:
    """
    What could not be read now is moved on later.
    """
    async with office() as bureau:
        carrier = ScriptedCarrier(bureau.clock, silence, on_hang_up=ignore)
        (accepted,) = await bureau.accept()

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.UNKNOWN)
            bureau.storage.is_down = True
            await bureau.pass_time(2000)
            bureau.storage.is_down = False
            call = await bureau.over(accepted)

        assert Disposition.OUTCOME_UNKNOWN is call.disposition
        assert "calls_not_reconciled" in {entry["event"] for entry in logs}


@pytest.mark.parametrize("error", [StorageConflictError, ValueError])
@in_virtual_time
async def test_a_call_that_can_t_be_moved_on_keeps_no_others_from_it(
    logs: list[MutableMapping[str, Any]], error: type[Exception]
) -> None:
    """
    It is tried again at the next look.
    """
    async with office() as bureau:
        bureau.policy = attrs.evolve(bureau.policy, queue_timeout_s=60)
        (talking,) = await bureau.accept()

        async with running(bureau.dialler(bureau.carrier(talk_for_ever), live_calls_max=1)):
            await bureau.reached(talking, State.IN_PROGRESS)
            calls = await bureau.accept(CALLS_AT_ONCE + 2)
            bureau.storage.error = error
            bureau.storage.forbids = partial(_contains, calls[1].id)
            await bureau.pass_time(60 + INTERVAL_S)
            first = [(await bureau.call(call)).state for call in calls]
            bureau.storage.forbids = lambda _result: False
            await bureau.pass_time(INTERVAL_S)
            last = await bureau.call(calls[1])

        assert [State.BLOCKED, State.QUEUED, *[State.BLOCKED] * CALLS_AT_ONCE] == first
        assert State.BLOCKED is last.state
        stuck = [entry["call_id"] for entry in logs if entry["event"] == "call_not_reconciled"]
        assert {calls[1].call_id} == set(stuck)


def _contains(call_id: int, result: object) -> bool:
    """
    Tell whether a transaction's calls contain one that it ended.
    """
    calls = result if isinstance(result, tuple) else ()
    return any(isinstance(call, Call) and call.id == call_id and call.is_terminal for call in calls)


def _beat(transaction: Transaction) -> None:
    transaction.workers.beat("other")


def _save(transaction: Transaction, call: Call, **changes: Any) -> None:
    transaction.calls.save(attrs.evolve(call, version=call.version + 1, **changes), call.created_at)
