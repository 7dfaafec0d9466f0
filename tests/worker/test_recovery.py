"""
What workers leave behind, lose or leave unsaid is brought in order, and nothing of it is dialled twice.
"""

import asyncio
from collections.abc import MutableMapping
from functools import partial
from typing import Any

import pytest

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State, Trigger
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.dialling import pass_no_return
from outdial.entrypoints.worker.pulse import BEAT_S
from outdial.entrypoints.worker.roll import RECOVERED_AT_ONCE
from outdial.ports.storage import Transaction
from tests import builders
from tests.service.calls import take
from tests.worker.office import office, running
from tests.worker.scripted_carrier import talk_for_ever
from tests.worker.virtual_time import in_virtual_time


@in_virtual_time
async def test_a_lease_whose_answer_was_lost_is_given_back() -> None:
    """
    Calls that are leased without anybody knowing go back to the queue without a restart.
    """
    async with office() as bureau:
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier)):
            lost = bureau.storage.transactions + 1
            bureau.storage.fails = lambda number: number == lost
            bureau.storage.loses_answers = True
            (accepted,) = await bureau.accept()
            call = await bureau.over(accepted)

        assert [State.QUEUED, State.LEASED, State.QUEUED, State.LEASED] == (await bureau.states(call))[:4]
        assert Disposition.HANG_UP_CALLEE is call.disposition
        assert 2 == call.fence


@in_virtual_time
async def test_abandoned_calls_are_recovered_beside_the_living() -> None:
    """
    A call that nobody sees through any more is brought in order; those that live go on undisturbed.
    """
    async with office() as bureau:
        carrier = bureau.carrier(talk_for_ever)

        async with running(bureau.dialler(carrier)):
            (living,) = await bureau.accept()
            await bureau.reached(living, State.IN_PROGRESS)
            (unlucky,) = await bureau.accept()
            await bureau.reached(unlucky, State.RINGING)
            bureau.storage.is_down = True  # from before the answer until after the last try
            await asyncio.sleep(60)
            bureau.storage.is_down = False
            await bureau.reached(unlucky, State.UNKNOWN)
            alive = await bureau.call(living)
            settled = await bureau.over(living)
            abandoned = await bureau.over(unlucky)

        assert Disposition.OUTCOME_UNKNOWN is abandoned.disposition
        assert State.IN_PROGRESS is alive.state
        assert Disposition.TIME_LIMIT is settled.disposition


@in_virtual_time
async def test_a_lease_that_is_heard_of_late_is_not_taken_for_abandoned(logs: list[MutableMapping[str, Any]]) -> None:
    """
    Looking for abandoned calls while a lease is on its way waits until it is known who attends them.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        dialler = bureau.dialler(carrier, poll_s=1000, has_rivals=True)

        async with running(dialler):
            await asyncio.sleep(BEAT_S - 0.1)
            lease = bureau.storage.transactions + 1
            bureau.storage.hears_late_s = lambda number: 0.2 if number == lease else 0
            (accepted,) = await bureau.accept()
            dialler.wake()
            call = await bureau.over(accepted)

        assert [State.QUEUED, State.LEASED, State.SENDING] == (await bureau.states(call))[:3]
        assert Disposition.HANG_UP_CALLEE is call.disposition
        assert "calls_recovered" not in {entry["event"] for entry in logs}


@in_virtual_time
async def test_beats_go_on_when_some_fail(logs: list[MutableMapping[str, Any]]) -> None:
    """
    A worker that can't tell the others that it lives tries again at the next beat.
    """
    async with office() as bureau:
        async with running(bureau.dialler(bureau.carrier(), has_rivals=True)) as dialler:
            bureau.storage.is_down = True
            await asyncio.sleep(3 * BEAT_S + 1)
            bureau.storage.is_down = False
            before = bureau.storage.transactions
            await asyncio.sleep(2 * BEAT_S)

            assert dialler.is_running
            assert before + 4 <= bureau.storage.transactions
        assert 3 == [entry["event"] for entry in logs].count("beat_missed")


@in_virtual_time
async def test_a_lost_workers_calls_are_taken_over() -> None:
    """
    What a worker leaves behind that is not heard of any more is brought in order while others dial.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        async with running(bureau.dialler(carrier, has_rivals=True)):
            waiting, ringing = await bureau.accept(2)
            await bureau.storage.transact(partial(take, limit=2, at=builders.NOW, worker_id="lost"))
            await bureau.storage.transact(partial(_send, accepted=ringing))
            calls = [await bureau.over(call) for call in (waiting, ringing)]

        assert [Disposition.HANG_UP_CALLEE, Disposition.OUTCOME_UNKNOWN] == [call.disposition for call in calls]
        assert [calls[0].attempt_id] == list(carrier.lines)


def _send(transaction: Transaction, accepted: Call) -> None:
    leased = transaction.calls.call_of_any_account(CallReference(number=accepted.id))
    assert leased is not None
    assert pass_no_return(transaction, leased, at=builders.NOW, patience=builders.PATIENCE) is not None


@in_virtual_time
async def test_what_can_not_be_recovered_stops_nothing(logs: list[MutableMapping[str, Any]]) -> None:
    """
    As long as abandoned calls can't be brought in order, the others are dialled.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        bureau.storage.error = ZeroDivisionError

        async with running(bureau.dialler(carrier)):
            (unlucky,) = await bureau.accept()
            await bureau.reached(unlucky, State.RINGING)
            first = bureau.storage.transactions + 1
            bureau.storage.fails = lambda number: number in {first, first + 1, first + 2}
            call = await bureau.over(unlucky)
            (other,) = await bureau.accept()
            lucky = await bureau.over(other)

        assert Disposition.OUTCOME_UNKNOWN is call.disposition
        assert Disposition.HANG_UP_CALLEE is lucky.disposition
        assert {"call_abandoned", "calls_not_recovered"} <= {entry["event"] for entry in logs}


@in_virtual_time
async def test_queued_calls_go_on_after_a_restart() -> None:
    """
    What an earlier process accepted, or leased without dialling, is dialled by the next.
    """
    async with office() as bureau:
        calls = await bureau.accept(5)
        await bureau.storage.transact(partial(take, limit=3, at=builders.NOW))
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier)):
            over = [await bureau.over(call) for call in calls]

        assert {Disposition.HANG_UP_CALLEE} == {call.disposition for call in over}
        assert 5 == len(carrier.lines)


@pytest.mark.parametrize("steps", [(), (Trigger.PLACE,), (Trigger.PLACE, Trigger.RING)])
@in_virtual_time
async def test_what_an_earlier_process_dialled_is_not_dialled_again(steps: tuple[Trigger, ...]) -> None:
    """
    Killed at any time after the point of no return, a call is unknown at the next start, and fails at its deadline.
    """
    async with office() as bureau:
        await bureau.accept()
        (leased,) = await bureau.storage.transact(partial(take, limit=1, at=builders.NOW))
        sending = await bureau.storage.transact(
            partial(pass_no_return, leased=leased, at=builders.NOW, patience=builders.PATIENCE)
        )
        assert sending is not None
        await bureau.storage.transact(partial(_trigger, call=sending, triggers=steps))
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier)):
            kept = await bureau.money(sending)
            await asyncio.sleep(1000)

        call = await bureau.call(sending)
        assert {} == carrier.lines
        assert {EntryKind.HOLD: call.hold_micros} == kept
        assert (State.SETTLED, Disposition.OUTCOME_UNKNOWN, 0) == (call.state, call.disposition, call.charge_micros)
        assert 0 == (await bureau.wallet()).held_micros


def _trigger(transaction: Transaction, call: Call, triggers: tuple[Trigger, ...]) -> None:
    for trigger in triggers:
        changed = call.after(trigger)
        assert changed is not None
        transaction.calls.save(changed, builders.NOW)
        call = changed


@in_virtual_time
async def test_however_much_was_left_behind_is_brought_in_order() -> None:
    """
    A start goes on until nothing is left in disorder.
    """
    count = 2 * RECOVERED_AT_ONCE + 1
    async with office() as bureau:
        calls = await bureau.accept(count)
        await bureau.storage.transact(partial(take, limit=count, at=builders.NOW))

        async with running(bureau.dialler(bureau.carrier(), live_calls_max=1)):
            states = {(await bureau.call(call)).state for call in calls[1:]}

        assert {State.QUEUED} == states
