"""
A client hangs up at each step of a call, in whichever process: the call ends once, and what is canceled never rings.
"""

import asyncio
from collections.abc import MutableMapping
from functools import partial
from typing import Any, Final

import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.model.patience import GRACE_S
from outdial.domain.model.wallet import EntryKind
from outdial.entrypoints.worker.attempt import HANG_UP_AGAIN_S, HANG_UP_TIMEOUT_S
from outdial.entrypoints.worker.reconciler import INTERVAL_S
from outdial.ports.carrier import RejectedError, UncertainError
from tests.worker.office import RING_TIMEOUT_S, Office, office, released, running
from tests.worker.scripted_carrier import (
    HANG_UP_S,
    Fate,
    Line,
    ScriptedCarrier,
    ignore,
    silence,
    talk_for_ever,
)
from tests.worker.virtual_time import elapsed_s, in_virtual_time

POLL_S: Final = 0.5
NEVER_S: Final = 10_000.0
"""A dialler that looks this rarely has to be told."""

ANSWER_LATE_S: Final = 5.0


async def _taken_late(_line: Line) -> None:
    await asyncio.sleep(ANSWER_LATE_S)


async def _ring_for_ever(line: Line) -> None:
    line.later(1, line.ring)


@in_virtual_time
async def test_a_queued_call_is_never_dialled() -> None:
    """
    It is over when the client is answered; the dialler that comes later finds nothing to do.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier()

        canceled = await bureau.hang_up(accepted)
        async with running(bureau.dialler(carrier)):
            await asyncio.sleep(100)

        assert {} == carrier.lines
        assert (State.CANCELED, Status.FAILED, Disposition.CANCELED) == (
            canceled.state,
            canceled.status,
            canceled.disposition,
        )
        assert canceled == await bureau.call(accepted)
        assert await released(bureau, accepted)


@pytest.mark.parametrize("tells", [True, False], ids=["told", "read again"])
@in_virtual_time
async def test_a_call_past_its_point_of_no_return_is_not_placed_any_more(*, tells: bool) -> None:
    """
    As long as no order has left, it need not leave: the call ends canceled, and its whole hold is free.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier()
        passing = bureau.storage.transactions + 3  # after the recovery and the lease
        if tells:
            bureau.storage.hears_late_s = lambda number: ANSWER_LATE_S if number == passing else 0
        else:
            bureau.storage.fails = lambda number: number == passing
            bureau.storage.loses_answers = True

        async with running(bureau.dialler(carrier, poll_s=NEVER_S)) as dialler:
            await _reached_soon(bureau, accepted, State.SENDING)
            asked = await bureau.hang_up(accepted)
            if tells:
                dialler.hang_up(asked.id)
            call = await bureau.over(accepted)

        assert {} == carrier.lines
        assert State.SENDING is asked.state
        assert [State.QUEUED, State.LEASED, State.SENDING, State.ENDED, State.SETTLED] == await bureau.states(call)
        assert (Status.FAILED, Disposition.CANCELED) == (call.status, call.disposition)
        assert await released(bureau, call)


@pytest.mark.parametrize(
    ("fate", "state"),
    [
        (_taken_late, State.SENDING),
        (silence, State.DIALING),
        (_ring_for_ever, State.RINGING),
        (talk_for_ever, State.IN_PROGRESS),
    ],
)
@pytest.mark.parametrize("tells", [True, False], ids=["same process", "other process"])
@in_virtual_time
async def test_a_call_on_the_line_is_hung_up(fate: Fate, state: State, *, tells: bool) -> None:
    """
    The carrier is told at once in the same process, else at the next look, and once; its end is the call's.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier(fate)

        async with running(bureau.dialler(carrier, poll_s=NEVER_S if tells else POLL_S)) as dialler:
            await _reached_soon(bureau, accepted, state)
            asked = await bureau.hang_up(accepted)
            began_s = elapsed_s()
            if tells:
                dialler.hang_up(asked.id)
            await asyncio.sleep(0 if tells else POLL_S)
            await asyncio.sleep(0.001)
            hang_ups = list(carrier.hang_ups)
            call = await bureau.over(accepted)
            took_s = elapsed_s() - began_s

        assert asked.state is state
        assert [(call.attempt_id, Disposition.CANCELED)] == hang_ups == carrier.hang_ups
        assert took_s <= POLL_S + HANG_UP_S + ANSWER_LATE_S
        assert (State.SETTLED, Disposition.CANCELED) == (call.state, call.disposition)
        assert (Status.COMPLETED if state is State.IN_PROGRESS else Status.FAILED) is call.status


@in_virtual_time
async def test_a_talk_is_billed_by_its_time() -> None:
    """
    What was talked until the hang-up is paid, the rest of the hold is free again.
    """

    async def tell_the_time(line: Line, disposition: Disposition) -> None:
        line.later(HANG_UP_S, partial(line.end, disposition, talk_s=61))

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, talk_for_ever, on_hang_up=tell_the_time)

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.IN_PROGRESS)
            await bureau.hang_up(accepted)
            call = await bureau.over(accepted)

        charge, hold = 100_000, accepted.hold_micros
        assert (Status.COMPLETED, Disposition.CANCELED, 61, charge) == (
            call.status,
            call.disposition,
            call.talk_s,
            call.charge_micros,
        )
        assert {EntryKind.HOLD: hold, EntryKind.CAPTURE: charge, EntryKind.RELEASE: hold - charge} == (
            await bureau.money(call)
        )


@in_virtual_time
async def test_hanging_up_again_and_again_changes_nothing() -> None:
    """
    Clients that repeat themselves, before and after the end, are heard once.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier(talk_for_ever)

        async with running(bureau.dialler(carrier)) as dialler:
            await bureau.reached(accepted, State.IN_PROGRESS)
            for _ in range(3):
                dialler.hang_up((await bureau.hang_up(accepted)).id)
            call = await bureau.over(accepted)
            dialler.hang_up(call.id)

            assert call == await bureau.hang_up(accepted)
        assert [(call.attempt_id, Disposition.CANCELED)] == carrier.hang_ups


@pytest.mark.parametrize("is_rejected", [True, False])
@in_virtual_time
async def test_an_order_that_comes_to_nothing_while_it_is_hung_up(*, is_rejected: bool) -> None:
    """
    What the carrier says of the order counts, as the client was no faster.
    """
    cause = HangUpCause(code=486, words="Busy Here")

    async def refuse(_line: Line) -> None:
        await asyncio.sleep(ANSWER_LATE_S)
        raise RejectedError(Disposition.BUSY, cause) if is_rejected else UncertainError(cause)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, refuse, on_hang_up=ignore)

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.SENDING)
            await bureau.hang_up(accepted)
            call = await bureau.over(accepted)

        assert (Disposition.BUSY if is_rejected else Disposition.OUTCOME_UNKNOWN) is call.disposition
        assert await released(bureau, call)


@pytest.mark.parametrize("knows", [True, False])
@in_virtual_time
async def test_a_call_of_unknown_outcome_is_hung_up_if_the_carrier_knows_it(*, knows: bool) -> None:
    """
    If it rings after all it is stopped; if nobody knows it, it ends as unknown when its time is up.
    """

    async def doubt(_line: Line) -> None:
        raise UncertainError(HangUpCause(words="no answer from the carrier"))

    async def hang_up(line: Line, disposition: Disposition) -> None:
        if knows:
            line.end(disposition)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, doubt, on_hang_up=hang_up)

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.UNKNOWN)
            await bureau.hang_up(accepted)
            call = await bureau.over(accepted)

        assert (Disposition.CANCELED if knows else Disposition.OUTCOME_UNKNOWN) is call.disposition
        assert await released(bureau, call)


@in_virtual_time
async def test_a_natural_end_that_comes_first_counts() -> None:
    """
    The callee hung up while the order to hang up was on its way.
    """

    async def too_late(line: Line, _disposition: Disposition) -> None:
        line.end(Disposition.HANG_UP_CALLEE, talk_s=7)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, talk_for_ever, on_hang_up=too_late)

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.IN_PROGRESS)
            await bureau.hang_up(accepted)
            call = await bureau.over(accepted)

        assert (Status.COMPLETED, Disposition.HANG_UP_CALLEE, 7) == (call.status, call.disposition, call.talk_s)


@in_virtual_time
async def test_a_carrier_that_failed_is_asked_again(logs: list[MutableMapping[str, Any]]) -> None:
    """
    One failure does not let the callee be talked to until the time limit.
    """
    tries = iter((ZeroDivisionError, None))

    async def fail_once(line: Line, disposition: Disposition) -> None:
        if (error := next(tries)) is not None:
            raise error
        line.end(disposition)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, talk_for_ever, on_hang_up=fail_once)

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.IN_PROGRESS)
            await bureau.hang_up(accepted)
            began_s = elapsed_s()
            call = await bureau.over(accepted)

        assert Disposition.CANCELED is call.disposition
        assert elapsed_s() - began_s <= POLL_S + HANG_UP_AGAIN_S + 2
        assert "hang_up_failed" in {entry["event"] for entry in logs}


@in_virtual_time
async def test_a_carrier_that_never_obeys_is_given_up_at_the_calls_own_limit() -> None:
    """
    The hold is not kept for ever.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, _ring_for_ever, on_hang_up=ignore)

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.RINGING)
            await bureau.hang_up(accepted)
            call = await bureau.over(accepted)

        assert Disposition.OUTCOME_UNKNOWN is call.disposition
        overdue_s = 1 + RING_TIMEOUT_S + GRACE_S + HANG_UP_TIMEOUT_S
        assert elapsed_s() <= overdue_s + RING_TIMEOUT_S + 600 + 60 + INTERVAL_S + 2
        assert await released(bureau, call)


@in_virtual_time
async def test_a_wish_outlives_trouble_with_the_database(logs: list[MutableMapping[str, Any]]) -> None:
    """
    What can't be read now is read at a later look.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier(talk_for_ever)

        async with running(bureau.dialler(carrier)) as dialler:
            await bureau.reached(accepted, State.IN_PROGRESS)
            bureau.storage.is_down = True
            await bureau.hang_up(accepted)
            await asyncio.sleep(10)
            assert [] == carrier.hang_ups
            bureau.storage.is_down = False
            call = await bureau.over(accepted)
            assert dialler.is_running

        assert Disposition.CANCELED is call.disposition
        assert "hang_ups_unreadable" in {entry["event"] for entry in logs}


@in_virtual_time
async def test_other_calls_go_on() -> None:
    """
    Hanging up one of many leaves the others alone.
    """
    async with office() as bureau:
        calls = await bureau.accept(5)

        async with running(bureau.dialler(bureau.carrier())):
            await bureau.reached(calls[-1], State.IN_PROGRESS)
            await bureau.hang_up(calls[2])
            over = [await bureau.over(call) for call in calls]

        talked, canceled = Disposition.HANG_UP_CALLEE, Disposition.CANCELED
        assert [talked, talked, canceled, talked, talked] == [call.disposition for call in over]


async def _reached_soon(bureau: Office, call: Call, state: State) -> None:
    """
    Wait for a state that does not last.
    """
    async with asyncio.timeout(60):
        while (await bureau.call(call)).state is not state:
            await asyncio.sleep(0.01)
