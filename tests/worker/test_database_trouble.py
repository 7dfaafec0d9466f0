"""
One call from its lease to its settlement while the database fails.
"""

import asyncio
from functools import partial

import pytest

from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.ports.carrier import RejectedError
from outdial.ports.errors import StorageConflictError, StorageError
from tests.worker.office import CONVERSATION, RING_TIMEOUT_S, office, released, running
from tests.worker.scripted_carrier import (
    Line,
)
from tests.worker.virtual_time import in_virtual_time


@pytest.mark.parametrize("loses_answers", [False, True])
@pytest.mark.parametrize("nth", range(1, 9))
@in_virtual_time
async def test_a_failing_transaction_is_done_again(nth: int, loses_answers: bool) -> None:  # noqa: FBT001
    """
    Whichever write fails, before or after its commit, the call is dialled once and ends as if nothing had happened.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        (accepted,) = await bureau.accept()
        first = bureau.storage.transactions + 1  # the dialler's first is its recovery, which has to succeed
        bureau.storage.fails = lambda number: number == first + nth
        bureau.storage.loses_answers = loses_answers

        async with running(bureau.dialler(carrier)):
            call = await bureau.over(accepted)

        assert [call.attempt_id] == list(carrier.lines)
        assert [] == carrier.hang_ups
        states = await bureau.states(call)
        assert CONVERSATION[2:] == states[states.index(State.SENDING) :]
        assert (Disposition.HANG_UP_CALLEE, 100_000) == (call.disposition, call.charge_micros)


@pytest.mark.parametrize("error", [StorageError, StorageConflictError])
@pytest.mark.parametrize("from_s", [0.7, 2, 92])
@in_virtual_time
async def test_a_database_that_is_down_for_a_while_loses_nothing(from_s: float, error: type[StorageError]) -> None:
    """
    Half a minute without a database, at any time of a call, changes neither its end nor its price.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        bureau.storage.error = error
        (accepted,) = await bureau.accept()

        async with running(bureau.dialler(carrier)):
            await asyncio.sleep(from_s)
            bureau.storage.is_down = True
            await asyncio.sleep(25)
            bureau.storage.is_down = False
            call = await bureau.over(accepted)

        assert [] == carrier.hang_ups
        assert CONVERSATION == await bureau.states(call)
        assert (Disposition.HANG_UP_CALLEE, 100_000) == (call.disposition, call.charge_micros)


@in_virtual_time
async def test_a_talk_that_ends_during_a_long_outage_is_billed() -> None:
    """
    Its end is kept until it can be written down, as long as the hold is there to pay for it.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        (accepted,) = await bureau.accept()

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.IN_PROGRESS)
            bureau.storage.is_down = True
            await asyncio.sleep(200)
            bureau.storage.is_down = False
            call = await bureau.over(accepted)

        assert (Disposition.HANG_UP_CALLEE, 90, 100_000) == (call.disposition, call.talk_s, call.charge_micros)


@in_virtual_time
async def test_a_refusal_during_a_long_outage_is_kept() -> None:
    """
    The network's proof that no phone rings is not lost: nobody waits for evidence of the call, and it costs nothing.
    """

    async def refuse(_line: Line) -> None:
        bureau.storage.is_down = True
        asyncio.get_running_loop().call_later(200, partial(setattr, bureau.storage, "is_down", False))
        raise RejectedError(Disposition.BUSY, HangUpCause(code=486, words="Busy Here"))

    async with office() as bureau:
        call = await bureau.see_through(bureau.carrier(refuse))

        assert (Disposition.BUSY, "486 Busy Here") == (call.disposition, str(call.cause))
        assert await released(bureau, call)


@pytest.mark.parametrize("state", [State.DIALING, State.RINGING])
@in_virtual_time
async def test_a_phone_is_hung_up_when_nobody_can_write_down_what_it_does(state: State) -> None:
    """
    When the database does not come back the call is hung up; when it does at last, the call fails as unknown.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        (accepted, *_) = await bureau.accept()
        dialler = bureau.dialler(carrier)

        async with running(dialler):
            await bureau.reached(accepted, *_before(state))
            bureau.storage.is_down = True
            await asyncio.sleep(200)
            abandoned = await bureau.call(accepted)
            bureau.storage.is_down = False
            call = await bureau.over(accepted)
            assert dialler.is_running
            assert 0 == dialler.live_calls

        assert not abandoned.is_terminal
        assert [(call.attempt_id, Disposition.OUTCOME_UNKNOWN)] == carrier.hang_ups
        assert (State.SETTLED, Disposition.OUTCOME_UNKNOWN) == (call.state, call.disposition)
        assert await released(bureau, call)


def _before(state: State) -> tuple[State, ...]:
    return {
        State.DIALING: (State.LEASED, State.SENDING, State.DIALING),
        State.RINGING: (State.DIALING, State.RINGING),
    }[state]


@in_virtual_time
async def test_an_end_that_waits_behind_a_failing_database_is_heard() -> None:
    """
    The end of a call is found when the database comes back, though the call is overdue by then.
    """

    async def short(line: Line) -> None:
        line.later(1, line.ring)
        line.later(RING_TIMEOUT_S, partial(line.end, Disposition.NO_ANSWER))

    async with office() as bureau:
        carrier = bureau.carrier(short)
        (accepted,) = await bureau.accept()

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.RINGING)
            await asyncio.sleep(RING_TIMEOUT_S - 2)
            bureau.storage.is_down = True
            await asyncio.sleep(30)
            bureau.storage.is_down = False
            call = await bureau.over(accepted)

        assert Disposition.NO_ANSWER is call.disposition
