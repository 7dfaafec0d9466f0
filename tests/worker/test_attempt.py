"""
One call from its lease to its settlement, whatever carrier and agent do.
"""

import asyncio
from collections.abc import Callable, MutableMapping
from typing import Any, Final

import pytest

from outdial.domain.model.call import Status
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.model.patience import GRACE_S
from outdial.entrypoints.worker.attempt import HANG_UP_TIMEOUT_S
from outdial.entrypoints.worker.reconciler import INTERVAL_S
from outdial.ports.carrier import RejectedError, UncertainError
from tests import builders
from tests.worker.office import CONVERSATION, RING_TIMEOUT_S, office, released
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
        assert await released(bureau, call)
        assert [] == carrier.hang_ups
        assert elapsed_s() < 2


async def _uncertain(_line: Line) -> None:
    raise UncertainError(CAUSE)


async def _broken(_line: Line) -> None:
    raise ZeroDivisionError


async def _too_slow(_line: Line) -> None:
    await asyncio.sleep(10_000)


EVIDENCE_S: Final = RING_TIMEOUT_S + 600 + 60
"""How long evidence is waited for: ring time-out, longest talk, the network's lag."""

DOUBTS: Final[tuple[tuple[Fate, HangUpCause], ...]] = (
    (_uncertain, CAUSE),
    (_broken, HangUpCause(words="The carrier's adapter failed.")),
    (_too_slow, HangUpCause(words="The carrier did not answer in time.")),
)


@pytest.mark.parametrize(("fate", "cause"), DOUBTS)
@in_virtual_time
async def test_a_doubtful_order_fails_when_nothing_is_heard_of_it(fate: Fate, cause: HangUpCause) -> None:
    """
    Without evidence an order that may ring is hung up in time, fails as unknown at its deadline and costs nothing.
    """
    async with office() as bureau:
        carrier = ScriptedCarrier(bureau.clock, fate, on_hang_up=ignore)

        call = await bureau.see_through(carrier)

        states = [State.QUEUED, State.LEASED, State.SENDING, State.UNKNOWN, State.ENDED, State.SETTLED]
        assert states == await bureau.states(call)
        assert (Status.FAILED, Disposition.OUTCOME_UNKNOWN, cause) == (call.status, call.disposition, call.cause)
        assert [(call.attempt_id, Disposition.OUTCOME_UNKNOWN)] == carrier.hang_ups
        assert await released(bureau, call)
        assert EVIDENCE_S <= elapsed_s() <= RING_TIMEOUT_S + GRACE_S + EVIDENCE_S + INTERVAL_S + 2


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
        assert await released(bureau, call)


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


@in_virtual_time
async def test_an_answer_that_comes_while_hanging_up_is_a_conversation() -> None:
    """
    Who answers just as nobody waits any longer, and whose carrier says no more, is cut off by the time limit.
    """

    async def answered_at_last(line: Line, _disposition: Disposition) -> None:
        if not line.is_answered:
            line.later(HANG_UP_TIMEOUT_S - 1, line.answer)

    async def ring(line: Line) -> None:
        line.later(1, line.ring)

    async with office() as bureau:
        call = await bureau.see_through(ScriptedCarrier(bureau.clock, ring, on_hang_up=answered_at_last))

        assert (Status.COMPLETED, Disposition.TIME_LIMIT) == (call.status, call.disposition)
        assert call.talk_s > 0 < call.charge_micros


async def _refuse_to_hang_up(_line: Line, _disposition: Disposition) -> None:
    raise ZeroDivisionError


async def _hang_up_for_ever(_line: Line, _disposition: Disposition) -> None:
    await asyncio.sleep(10_000)


@pytest.mark.parametrize("on_hang_up", [_refuse_to_hang_up, _hang_up_for_ever, ignore])
@in_virtual_time
async def test_a_call_ends_even_if_it_can_not_be_hung_up(
    on_hang_up: Callable[..., object], logs: list[MutableMapping[str, Any]]
) -> None:
    """
    What a carrier makes of hanging up never keeps the hold, nor has the call to be recovered.
    """
    async with office() as bureau:
        carrier = ScriptedCarrier(bureau.clock, silence, on_hang_up=on_hang_up)  # type: ignore[arg-type]

        call = await bureau.see_through(carrier)

        assert Disposition.OUTCOME_UNKNOWN is call.disposition
        assert await released(bureau, call)
        assert {"call_abandoned", "calls_recovered"}.isdisjoint(entry["event"] for entry in logs)
