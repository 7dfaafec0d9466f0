"""
One call from its lease to its settlement, whatever carrier, agent and database do.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import pytest

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call, Status
from outdial.domain.model.call_event import Answered, Ringing
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.administration import list_number, revoke_key
from outdial.entrypoints.worker.attempt import EVENTS_MAX, GRACE_S, HANG_UP_TIMEOUT_S, PREPARE_TIMEOUT_S
from outdial.ports.carrier import Connect, RejectedError, SipUri, UncertainError
from outdial.ports.errors import SpeechError, StorageConflictError, StorageError
from outdial.ports.storage import Transaction
from tests import builders
from tests.worker.office import RING_TIMEOUT_S, Office, office, running
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

CAUSE: Final = HangUpCause(code=503, words="Service Unavailable")
CONVERSATION: Final = [
    State.QUEUED,
    State.LEASED,
    State.SENDING,
    State.DIALING,
    State.RINGING,
    State.IN_PROGRESS,
    State.ENDED,
    State.SETTLED,
]


async def _released(bureau: Office, call: Call) -> bool:
    return await bureau.money(call) == {EntryKind.HOLD: call.hold_micros, EntryKind.RELEASE: call.hold_micros}


@in_virtual_time
async def test_a_conversation_is_seen_through() -> None:
    """
    Each state is reached once, in order, and the talk time is billed.
    """
    async with office() as bureau:
        call = await bureau.see_through(bureau.carrier())

        assert CONVERSATION == await bureau.states(call)
        assert (Status.COMPLETED, Disposition.HANG_UP_CALLEE, 90) == (call.status, call.disposition, call.talk_s)
        assert 100_000 == call.charge_micros
        assert 0 == (await bureau.wallet()).held_micros


@in_virtual_time
async def test_the_carrier_is_told_what_was_accepted() -> None:
    """
    The order carries the call's numbers and limits, and the greeting as sound.
    """
    async with office() as bureau:
        carrier = bureau.carrier()

        call = await bureau.see_through(carrier)

        order = carrier.line.order
        assert (call.attempt_id, builders.CALLEE, builders.CALLER_ID) == (
            order.attempt_id,
            order.callee,
            order.caller_id,
        )
        assert (RING_TIMEOUT_S, 600) == (order.ring_timeout_s, order.max_duration_s)
        assert [] == carrier.hang_ups


@in_virtual_time
async def test_events_that_come_before_the_order_was_taken_count() -> None:
    """
    A carrier may report all there is before `place` returns.
    """

    async def all_at_once(line: Line) -> None:
        line.ring()
        line.answer()
        line.end(talk_s=30)
        await asyncio.sleep(5)

    async with office() as bureau:
        call = await bureau.see_through(bureau.carrier(all_at_once))

        assert CONVERSATION == await bureau.states(call)
        assert (Disposition.HANG_UP_CALLEE, 50_000) == (call.disposition, call.charge_micros)


@pytest.mark.parametrize("disposition", [Disposition.BUSY, Disposition.INVALID_NUMBER, Disposition.CARRIER_ERROR])
@in_virtual_time
async def test_a_rejected_order_ends_its_call(disposition: Disposition) -> None:
    """
    What the network surely did not place fails with its reason, at once and for nothing.
    """

    async def rejected(_line: Line) -> None:
        raise RejectedError(disposition, CAUSE)

    async with office() as bureau:
        carrier = bureau.carrier(rejected)

        call = await bureau.see_through(carrier)

        assert [State.QUEUED, State.LEASED, State.SENDING, State.ENDED, State.SETTLED] == await bureau.states(call)
        assert (Status.FAILED, disposition, CAUSE) == (call.status, call.disposition, call.cause)
        assert await _released(bureau, call)
        assert [] == carrier.hang_ups
        assert elapsed_s() < 2


async def _uncertain(_line: Line) -> None:
    raise UncertainError(CAUSE)


async def _broken(_line: Line) -> None:
    raise ZeroDivisionError


async def _too_slow(_line: Line) -> None:
    await asyncio.sleep(10_000)


DOUBTS: Final[tuple[tuple[Fate, HangUpCause], ...]] = (
    (_uncertain, CAUSE),
    (_broken, HangUpCause(words="The carrier's adapter failed.")),
    (_too_slow, HangUpCause(words="The carrier did not answer in time.")),
)


@pytest.mark.parametrize(("fate", "cause"), DOUBTS)
@in_virtual_time
async def test_a_doubtful_order_fails_when_nothing_is_heard_of_it(fate: Fate, cause: HangUpCause) -> None:
    """
    Without evidence an order that may ring is hung up at its deadline, fails as unknown and is not dialled again.
    """
    async with office() as bureau:
        carrier = ScriptedCarrier(bureau.clock, fate, on_hang_up=ignore)

        call = await bureau.see_through(carrier)

        states = [State.QUEUED, State.LEASED, State.SENDING, State.UNKNOWN, State.ENDED, State.SETTLED]
        assert states == await bureau.states(call)
        assert (Status.FAILED, Disposition.OUTCOME_UNKNOWN, cause) == (call.status, call.disposition, call.cause)
        assert [(call.attempt_id, Disposition.OUTCOME_UNKNOWN)] == carrier.hang_ups
        assert await _released(bureau, call)
        assert elapsed_s() <= 2 * (RING_TIMEOUT_S + GRACE_S) + HANG_UP_TIMEOUT_S + 2


@pytest.mark.parametrize("fate", [fate for fate, _cause in DOUBTS])
@in_virtual_time
async def test_evidence_ends_doubt(fate: Fate) -> None:
    """
    What is reported of a doubtful order after all is followed like any other.
    """

    async def doubtful_conversation(line: Line) -> None:
        line.later(45, line.ring)
        line.later(48, line.answer)
        line.later(78, lambda: line.end(talk_s=30))
        await fate(line)

    async with office() as bureau:
        call = await bureau.see_through(bureau.carrier(doubtful_conversation))

        states = [State.UNKNOWN, State.RINGING, State.IN_PROGRESS, State.ENDED, State.SETTLED]
        assert states == (await bureau.states(call))[3:]
        assert (Disposition.HANG_UP_CALLEE, 50_000) == (call.disposition, call.charge_micros)


@in_virtual_time
async def test_a_conversation_ends_at_its_limit() -> None:
    """
    When the carrier does not hang up at the time limit, the worker tells it to.
    """
    async with office() as bureau:
        carrier = bureau.carrier(talk_for_ever)

        call = await bureau.see_through(carrier)

        assert [(call.attempt_id, Disposition.TIME_LIMIT)] == carrier.hang_ups
        assert (Status.COMPLETED, Disposition.TIME_LIMIT) == (call.status, call.disposition)
        assert elapsed_s() <= 3 + 600 + GRACE_S + HANG_UP_S + 2


@in_virtual_time
async def test_a_conversation_that_can_not_be_hung_up_is_billed_its_limit() -> None:
    """
    When the carrier says nothing to the end, the call is over all the same and costs its hold at most.
    """
    async with office() as bureau:
        carrier = ScriptedCarrier(bureau.clock, talk_for_ever, on_hang_up=ignore)

        call = await bureau.see_through(carrier)

        assert (Disposition.TIME_LIMIT, 600, call.hold_micros) == (call.disposition, call.talk_s, call.charge_micros)


@in_virtual_time
async def test_a_call_of_which_nothing_is_heard_fails_as_unknown() -> None:
    """
    A phone that might still ring is hung up at the deadline, and nobody pays.
    """
    async with office() as bureau:
        carrier = bureau.carrier(silence)

        call = await bureau.see_through(carrier)

        assert [(call.attempt_id, Disposition.OUTCOME_UNKNOWN)] == carrier.hang_ups
        assert (Status.FAILED, Disposition.OUTCOME_UNKNOWN) == (call.status, call.disposition)
        assert await _released(bureau, call)


@pytest.mark.parametrize("step", [Line.ring, Line.answer])
@in_virtual_time
async def test_a_carrier_that_repeats_itself_wins_no_time(step: Callable[[Line], None]) -> None:
    """
    The limits count from placing and from the answer, not from what was heard last.
    """

    async def repeat(line: Line) -> None:
        for second in range(1, 20_000, 30):
            line.later(second, lambda: None if line.is_over else step(line))

    async with office() as bureau:
        carrier = bureau.carrier(repeat)

        await bureau.see_through(carrier)

        limit_s = 600 if step is Line.answer else RING_TIMEOUT_S
        assert elapsed_s() <= 1 + limit_s + GRACE_S + HANG_UP_S + 2


@in_virtual_time
async def test_an_end_that_comes_while_hanging_up_counts() -> None:
    """
    The carrier's own word for the end is kept, though the call was overdue.
    """

    async def busy_at_last(line: Line, _disposition: Disposition) -> None:
        line.later(HANG_UP_TIMEOUT_S - 1, lambda: line.end(Disposition.NO_ANSWER))

    async with office() as bureau:
        call = await bureau.see_through(ScriptedCarrier(bureau.clock, silence, on_hang_up=busy_at_last))

        assert Disposition.NO_ANSWER is call.disposition


async def _refuse_to_hang_up(_line: Line, _disposition: Disposition) -> None:
    raise ZeroDivisionError


async def _hang_up_for_ever(_line: Line, _disposition: Disposition) -> None:
    await asyncio.sleep(10_000)


@pytest.mark.parametrize("on_hang_up", [_refuse_to_hang_up, _hang_up_for_ever, ignore])
@in_virtual_time
async def test_a_call_ends_even_if_it_can_not_be_hung_up(on_hang_up: Callable[..., object]) -> None:
    """
    What a carrier makes of hanging up never keeps the hold.
    """
    async with office() as bureau:
        carrier = ScriptedCarrier(bureau.clock, silence, on_hang_up=on_hang_up)  # type: ignore[arg-type]

        call = await bureau.see_through(carrier)

        assert Disposition.OUTCOME_UNKNOWN is call.disposition
        assert await _released(bureau, call)


class _Voice:
    """
    A runtime that does what a test says.
    """

    def __init__(self, problem: Exception | None, *, takes_s: float = 0) -> None:
        self._problem = problem
        self._takes_s = takes_s

    async def prepare(self, _call: Call) -> Connect:
        """
        Take time, then fail or answer.
        """
        await asyncio.sleep(self._takes_s)
        if self._problem is not None:
            raise self._problem
        return SipUri(uri="sip:agent@example.com")


@pytest.mark.parametrize(
    ("voice", "words"),
    [
        (_Voice(SpeechError("There is no voice.")), "There is no voice."),
        (_Voice(TimeoutError("anything")), "The agent was not ready within 30 s."),
        (_Voice(None, takes_s=PREPARE_TIMEOUT_S + 1), "The agent was not ready within 30 s."),
        (_Voice(ZeroDivisionError("anything")), "The agent's runtime failed."),
    ],
)
@in_virtual_time
async def test_a_call_whose_agent_is_not_ready_is_not_dialled(voice: _Voice, words: str) -> None:
    """
    Whatever is wrong with the agent ends the call with a reason before anything is dialled.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier, runtimes={RuntimeKind.ANNOUNCE: voice})):
            call = await bureau.over(accepted)

        assert {} == carrier.lines
        assert [State.QUEUED, State.LEASED, State.BLOCKED] == await bureau.states(call)
        assert (Disposition.CARRIER_ERROR, HangUpCause(words=words)) == (call.disposition, call.cause)
        assert await _released(bureau, call)


@in_virtual_time
async def test_a_call_without_any_runtime_is_not_dialled() -> None:
    """
    An agent whose runtime was not set up ends its call in order.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()

        async with running(bureau.dialler(bureau.carrier(), runtimes={RuntimeKind.SIP_URI: _Voice(None)})):
            call = await bureau.over(accepted)

        assert (State.BLOCKED, Disposition.CARRIER_ERROR) == (call.state, call.disposition)


@pytest.mark.parametrize(
    ("change", "disposition"),
    [
        (lambda transaction: list_number(transaction, builders.dnc_entry()), Disposition.DO_NOT_CALL),
        (lambda transaction: revoke_key(transaction, builders.KEY_ID, at=builders.NOW), Disposition.CANCELED),
    ],
)
@in_virtual_time
async def test_what_changes_while_the_agent_gets_ready_counts(
    change: Callable[[Transaction], object], disposition: Disposition
) -> None:
    """
    A number that is listed at the last moment is not dialled.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier()
        slow = _Voice(None, takes_s=5)

        async with running(bureau.dialler(carrier, runtimes={RuntimeKind.ANNOUNCE: slow})):
            await bureau.reached(accepted, State.LEASED)
            await bureau.storage.transact(change)
            call = await bureau.over(accepted)

        assert {} == carrier.lines
        assert (State.BLOCKED, disposition) == (call.state, call.disposition)
        assert await _released(bureau, call)


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


@pytest.mark.parametrize("state", [State.DIALING, State.RINGING, State.IN_PROGRESS])
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
        assert await _released(bureau, call)


def _before(state: State) -> tuple[State, ...]:
    return {
        State.DIALING: (State.LEASED, State.SENDING, State.DIALING),
        State.RINGING: (State.DIALING, State.RINGING),
        State.IN_PROGRESS: (State.IN_PROGRESS,),
    }[state]


@in_virtual_time
async def test_a_flood_of_events_does_not_drown_the_end() -> None:
    """
    A carrier that reports without measure is heard no more, but for the end.
    """

    async def flood(line: Line) -> None:
        for _ in range(10 * EVENTS_MAX):
            line.ring()
        line.answer()
        line.end(talk_s=30)

    async with office() as bureau:
        carrier = bureau.carrier(flood)

        call = await bureau.see_through(carrier)

        assert (Disposition.HANG_UP_CALLEE, 30, 50_000) == (call.disposition, call.talk_s, call.charge_micros)
        assert bureau.storage.transactions <= EVENTS_MAX + 10
        assert [] == carrier.hang_ups


@in_virtual_time
async def test_nothing_is_heard_after_the_end() -> None:
    """
    The first end counts, whatever a carrier says later.
    """

    async def twice(line: Line) -> None:
        line.end(Disposition.BUSY)
        line.end(Disposition.NO_ANSWER)
        line.answer()
        line.end(talk_s=30)

    async with office() as bureau:
        call = await bureau.see_through(bureau.carrier(twice))

        assert (Disposition.BUSY, 0, 0) == (call.disposition, call.talk_s, call.charge_micros)


@in_virtual_time
async def test_events_of_other_attempts_are_not_heard() -> None:
    """
    A carrier that mixes up its attempts moves no call by another's events.
    """

    async def mixed_up(line: Line) -> None:
        at = line.clock.now()
        line.report(Ringing(attempt_id="another", at=at))
        line.report(Answered(attempt_id="another", at=at))
        line.later(1, partial(line.end, Disposition.BUSY))

    async with office() as bureau:
        call = await bureau.see_through(bureau.carrier(mixed_up))

        assert [State.DIALING, State.ENDED, State.SETTLED] == (await bureau.states(call))[3:]


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
