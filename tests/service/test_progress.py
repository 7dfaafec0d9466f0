"""
What a carrier tells of a call, in any state and in any order.
"""

from collections.abc import Callable
from functools import partial
from typing import Any, Final

import attrs
import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.call_event import Answered, CallEvent, Ended, Ringing
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.progress import apply_event, close, mark_doubtful, mark_placed
from tests import builders
from tests.contract.storage.database import Database
from tests.service.calls import (
    DEPOSIT_MICROS,
    HOLD_MICROS,
    NO_ANSWER_FROM_CARRIER,
    after,
    answered,
    ended,
    in_state,
    money_of,
    now,
    ringing,
    states_of,
    wallet,
)

LIVE: Final = {State.SENDING, State.UNKNOWN, State.DIALING, State.RINGING, State.IN_PROGRESS}

MOVES: Final[dict[type[CallEvent], tuple[set[State], State]]] = {
    Ringing: ({State.SENDING, State.UNKNOWN, State.DIALING}, State.RINGING),
    Answered: (LIVE - {State.IN_PROGRESS}, State.IN_PROGRESS),
    Ended: (LIVE | {State.ENDED}, State.SETTLED),
}
"""From which states an event moves a call, and where to; everywhere else it changes nothing."""


def _apply(database: Database, call: Call, event: CallEvent) -> Call:
    return database.transact(partial(apply_event, dialled=call, event=event, patience=builders.PATIENCE))


@pytest.mark.parametrize("report", [ringing, answered, ended])
@pytest.mark.parametrize("state", State)
def test_each_event_in_each_state(database: Database, state: State, report: Callable[[Call], CallEvent]) -> None:
    """
    States may be skipped, nothing goes back, and what is over stays over.
    """
    call = in_state(database, state)
    event = report(call)
    origins, destination = MOVES[type(event)]

    returned = _apply(database, call, event)

    assert now(database, call) == returned
    if state in origins:
        assert destination is returned.state
    else:
        assert call == returned


@pytest.mark.parametrize("report", [ringing, answered, ended])
@pytest.mark.parametrize("attempt_id", ["call_1_aB3dE6gH9jK2_0", "call_1_aB3dE6gH9jK2_2", "", "another"])
def test_events_of_other_attempts_change_nothing(
    database: Database, report: Callable[..., CallEvent], attempt_id: str
) -> None:
    """
    An event belongs to the attempt that it names, whichever call it was taken for.
    """
    call = in_state(database, State.DIALING)

    returned = _apply(database, call, report(call, attempt_id=attempt_id))

    assert call == returned == now(database, call)


@pytest.mark.parametrize("report", [ringing, answered, ended])
def test_an_event_that_comes_twice_counts_once(database: Database, report: Callable[[Call], CallEvent]) -> None:
    """
    Hearing the same again neither moves the call nor any money.
    """
    call = in_state(database, State.DIALING)
    first = _apply(database, call, report(call))

    second = _apply(database, call, report(call))

    assert first == second
    assert len(set(states_of(database, call))) == len(states_of(database, call))


def test_the_stored_call_counts_and_not_the_one_in_hand(database: Database) -> None:
    """
    An event is applied to the call as it is now, however old the caller's copy of it.
    """
    sending = in_state(database, State.SENDING)
    _apply(database, sending, ringing(sending))

    talking = _apply(database, sending, answered(sending))

    assert State.IN_PROGRESS is talking.state
    assert [State.SENDING, State.RINGING, State.IN_PROGRESS] == states_of(database, sending)[2:]


def test_an_end_that_comes_before_its_answer_is_billed(database: Database) -> None:
    """
    The talk time tells that the call was answered, and when, though its answer is reported late or never.
    """
    call = in_state(database, State.RINGING)

    over = _apply(database, call, ended(call, talk_s=90))
    late = _apply(database, call, answered(call))

    assert over == late
    assert (after(5), after(95), 90, Status.COMPLETED) == (over.answered_at, over.ended_at, over.talk_s, over.status)
    assert 100_000 == over.charge_micros


def test_an_answer_that_was_reported_stays_the_answer(database: Database) -> None:
    """
    The time of the answer is the reported one, not reckoned from the talk time, which is rounded up.
    """
    call = in_state(database, State.IN_PROGRESS)

    over = _apply(database, call, ended(call, talk_s=80))

    assert after(5) == over.answered_at


def test_a_call_that_nobody_answered_costs_nothing(database: Database) -> None:
    """
    Ringing is never billed.
    """
    call = in_state(database, State.RINGING)

    over = _apply(database, call, ended(call, talk_s=0, disposition=Disposition.NO_ANSWER))

    assert (None, 0, Status.FAILED) == (over.answered_at, over.charge_micros, over.status)
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)
    assert DEPOSIT_MICROS == wallet(database).available_micros


def test_the_networks_words_are_kept(database: Database) -> None:
    """
    The cause of the end is stored beside our own word for it.
    """
    call = in_state(database, State.RINGING)
    cause = HangUpCause(code=486, words="Busy Here", provisional=(100, 180))

    over = _apply(database, call, ended(call, talk_s=0, disposition=Disposition.BUSY, cause=cause))

    assert (Disposition.BUSY, cause) == (over.disposition, over.cause)


@pytest.mark.parametrize("state", State)
def test_only_calls_whose_order_is_open_are_placed(database: Database, state: State) -> None:
    """
    The network's acceptance is news while nothing further was heard.
    """
    call = in_state(database, state)

    returned = database.transact(partial(mark_placed, dialled=call, at=after(3), patience=builders.PATIENCE))

    assert now(database, call) == returned
    assert (State.DIALING if state in {State.SENDING, State.UNKNOWN} else state) is returned.state


@pytest.mark.parametrize("state", State)
def test_only_a_call_on_the_line_is_doubtful(database: Database, state: State) -> None:
    """
    Doubt touches no money, and has a deadline: ring time-out, longest talk and the network's lag from now on.
    """
    call = in_state(database, state)
    money = money_of(database, call)

    returned = database.transact(
        partial(mark_doubtful, dialled=call, at=after(3), cause=HangUpCause(words="late"), patience=builders.PATIENCE)
    )

    assert now(database, call) == returned
    if state in LIVE - {State.UNKNOWN}:
        assert (State.UNKNOWN, after(3 + 40 + 1800 + 60)) == (returned.state, returned.deadline_at)
    else:
        assert call == returned
    assert money == money_of(database, call)


@pytest.mark.parametrize("work", [mark_placed, mark_doubtful, close])
def test_an_earlier_attempt_says_nothing_of_a_later_one(database: Database, work: Callable[..., Call]) -> None:
    """
    Whoever still holds it changes nothing.
    """
    call = in_state(database, State.SENDING)
    facts: dict[Callable[..., Call], dict[str, Any]] = {
        mark_placed: {"patience": builders.PATIENCE},
        mark_doubtful: {"patience": builders.PATIENCE, "cause": HangUpCause()},
        close: {"disposition": Disposition.TIME_LIMIT},
    }

    returned = database.transact(partial(work, dialled=attrs.evolve(call, attempt=0), at=after(9), **facts[work]))

    assert call == returned == now(database, call)


def test_doubt_keeps_what_was_seen(database: Database) -> None:
    """
    Why nobody can tell whether it rings is stored with the call.
    """
    call = in_state(database, State.UNKNOWN)

    assert NO_ANSWER_FROM_CARRIER == call.cause


@pytest.mark.parametrize("state", State)
def test_each_state_is_closed(database: Database, state: State) -> None:
    """
    A call that may ring ends without its carrier's word; nothing else does.
    """
    call = in_state(database, state)

    closed = database.transact(partial(close, dialled=call, at=after(100), disposition=Disposition.OUTCOME_UNKNOWN))

    assert now(database, call) == closed
    if state in LIVE:
        assert (State.SETTLED, Disposition.OUTCOME_UNKNOWN) == (closed.state, closed.disposition)
        assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)
    elif state is State.ENDED:
        assert (State.SETTLED, Disposition.HANG_UP_CALLEE) == (closed.state, closed.disposition)
    else:
        assert call == closed


@pytest.mark.parametrize(
    ("at_s", "talk_s"),
    [(-3600, 0), (5, 0), (5.4, 1), (65, 60), (65.4, 61), (1804.1, 1800), (1805, 1800), (99_999, 1800)],
)
def test_a_closed_call_is_billed_what_it_talked_at_most(database: Database, at_s: float, talk_s: int) -> None:
    """
    Without the carrier's talk time the clock's counts, within what the hold pays for, however it jumped.
    """
    call = in_state(database, State.IN_PROGRESS)

    closed = database.transact(partial(close, dialled=call, at=after(at_s), disposition=Disposition.TIME_LIMIT))

    assert (talk_s, builders.rate().price(talk_s)) == (closed.talk_s, closed.charge_micros)
    assert Status.COMPLETED is closed.status


def test_a_call_that_is_not_stored_can_not_be_written(database: Database) -> None:
    """
    An event of a call that storage lost is taken for the call in hand, and storage refuses it.
    """
    call = builders.call(state=State.SETTLED, attempt=1)

    assert call == _apply(database, call, ringing(call))
