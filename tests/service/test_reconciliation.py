"""
Calls whose time is up.
"""

from collections.abc import Callable
from functools import partial
from typing import Final

import attrs
import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.call_event import CallEvent
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import ON_THE_LINE, State, Trigger
from outdial.domain.model.patience import SLACK_S, Patience
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.progress import apply_event
from outdial.domain.service.reconciliation import TIME_IS_UP, reconcile
from tests import builders
from tests.contract.storage.database import Database
from tests.service.calls import (
    DEPOSIT_MICROS,
    HOLD_MICROS,
    accept,
    after,
    answered,
    ended,
    in_state,
    money_of,
    now,
    ringing,
    states_of,
    take,
    tidy,
    wallet,
)

A_DAY_S: Final = 86_400
EVENTS: Final[dict[State, Callable[[Call], CallEvent]]] = {
    State.RINGING: ringing,
    State.IN_PROGRESS: answered,
    State.SETTLED: ended,
}
DEADLINES_S: Final = {
    State.SENDING: 2 + 50,
    State.DIALING: 3 + 50,
    State.RINGING: 4 + 50,
    State.IN_PROGRESS: 5 + 1810,
    State.UNKNOWN: 3 + 1900,
}
"""After acceptance: when each began, and how long it may take."""


def _reconcile(database: Database, at_s: float, limit: int = 100) -> list[int]:
    moved = database.transact(partial(reconcile, limit=limit, at=after(at_s), patience=builders.PATIENCE))
    return [call.id for call in moved]


def _unknown_past_its_deadline(database: Database) -> Call:
    call = in_state(database, State.UNKNOWN)
    _reconcile(database, DEADLINES_S[State.UNKNOWN])
    return now(database, call)


@pytest.mark.parametrize("state", sorted(DEADLINES_S))
def test_each_state_past_no_return_has_its_deadline(database: Database, state: State) -> None:
    """
    It is stored with the call, so that whoever lives then can act on it.
    """
    assert after(DEADLINES_S[state]) == in_state(database, state).deadline_at


@pytest.mark.parametrize("state", sorted(ON_THE_LINE))
def test_a_call_on_the_line_for_too_long_becomes_unknown(database: Database, state: State) -> None:
    """
    Its worker has a minute after the deadline; then nobody knows what became of it, and its hold is kept.
    """
    call = in_state(database, state)
    up_s = DEADLINES_S[state] + SLACK_S

    early, late = _reconcile(database, up_s - 0.001), _reconcile(database, up_s)

    unknown = now(database, call)
    assert ([], [call.id]) == (early, late)
    assert (State.UNKNOWN, TIME_IS_UP, after(up_s + 1900)) == (unknown.state, unknown.cause, unknown.deadline_at)
    assert {EntryKind.HOLD: HOLD_MICROS} == money_of(database, call)


def test_an_unknown_call_keeps_its_hold_until_its_deadline(database: Database) -> None:
    """
    Until then a bill could come; after it the call ends as unknown, and costs nothing.
    """
    call = in_state(database, State.UNKNOWN)

    early = _reconcile(database, DEADLINES_S[State.UNKNOWN] - 0.001)
    held = money_of(database, call)
    late = _reconcile(database, DEADLINES_S[State.UNKNOWN])

    over = now(database, call)
    assert ([], {EntryKind.HOLD: HOLD_MICROS}, [call.id]) == (early, held, late)
    assert (State.SETTLED, Status.FAILED, Disposition.OUTCOME_UNKNOWN, call.cause) == (
        over.state,
        over.status,
        over.disposition,
        over.cause,
    )
    assert (after(DEADLINES_S[State.UNKNOWN]), None, 0) == (over.ended_at, over.deadline_at, over.charge_micros)
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)
    assert DEPOSIT_MICROS == wallet(database).available_micros


def test_a_hold_that_is_released_early_is_seen(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A negative control: without patience the account would have back what a bill may still come for.
    """
    monkeypatch.setattr(Patience, "until_known", lambda _patience, _call, at: at)

    with pytest.raises(AssertionError):
        test_an_unknown_call_keeps_its_hold_until_its_deadline(database)


@pytest.mark.parametrize("state", sorted(EVENTS))
def test_evidence_moves_an_unknown_call_on(database: Database, state: State) -> None:
    """
    Before the deadline it goes on as if nothing had been doubted, and is billed as any other.
    """
    call = in_state(database, State.UNKNOWN)
    event = EVENTS[state](call)

    database.transact(partial(apply_event, dialled=call, event=event, patience=builders.PATIENCE))

    assert state is now(database, call).state
    assert [] == _reconcile(database, 55)
    if state is State.SETTLED:
        assert 100_000 == money_of(database, call)[EntryKind.CAPTURE]


def test_a_call_that_talked_when_its_worker_was_lost_is_unknown(database: Database) -> None:
    """
    That it was answered stays known; at its deadline it fails and costs nothing, as nobody knows how long it talked.
    """
    call = in_state(database, State.IN_PROGRESS)
    database.transact(partial(tidy, limit=9, at=after(30)))
    unknown = now(database, call)
    again = database.transact(partial(apply_event, dialled=call, event=ringing(call), patience=builders.PATIENCE))

    _reconcile(database, 30 + 1900)

    over = now(database, call)
    assert (State.UNKNOWN, Status.DIALING) == (unknown.state, unknown.status)
    assert unknown == again
    assert (Status.FAILED, Disposition.OUTCOME_UNKNOWN, 0) == (over.status, over.disposition, over.charge_micros)


def test_late_evidence_reveals_the_outcome_at_the_houses_expense(database: Database) -> None:
    """
    The account's money was given back and stays so; what the talk would have cost is written down as a loss.
    """
    call = _unknown_past_its_deadline(database)

    database.transact(partial(apply_event, dialled=call, event=ended(call, at=after(5000)), patience=builders.PATIENCE))

    revealed = now(database, call)
    assert (State.REVEALED, Status.COMPLETED, Disposition.HANG_UP_CALLEE, 90) == (
        revealed.state,
        revealed.status,
        revealed.disposition,
        revealed.talk_s,
    )
    assert (after(4910), call.ended_at, 0) == (revealed.answered_at, revealed.ended_at, revealed.charge_micros)
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS, EntryKind.HOUSE_LOSS: 100_000} == money_of(
        database, call
    )
    assert (DEPOSIT_MICROS, 0) == (wallet(database).available_micros, wallet(database).held_micros)


def test_late_evidence_of_no_answer_costs_nobody_anything(database: Database) -> None:
    """
    The record is amended all the same.
    """
    call = _unknown_past_its_deadline(database)
    event = ended(call, disposition=Disposition.NO_ANSWER, talk_s=0)

    revealed = database.transact(partial(apply_event, dialled=call, event=event, patience=builders.PATIENCE))

    assert (State.REVEALED, Disposition.NO_ANSWER) == (revealed.state, revealed.disposition)
    assert EntryKind.HOUSE_LOSS not in money_of(database, call)


def test_evidence_counts_once(database: Database) -> None:
    """
    A second bill, another end or doubt of what is known change nothing.
    """
    call = _unknown_past_its_deadline(database)
    events: list[CallEvent] = [
        ended(call),
        ended(call, talk_s=300),
        ended(call, disposition=Disposition.OUTCOME_UNKNOWN),
        answered(call),
        ringing(call),
    ]

    first, *others = [
        database.transact(partial(apply_event, dialled=call, event=event, patience=builders.PATIENCE))
        for event in events
    ]

    assert [first] * 4 == others
    assert 100_000 == money_of(database, call)[EntryKind.HOUSE_LOSS]


def test_an_end_without_an_outcome_is_no_evidence(database: Database) -> None:
    """
    A carrier that knows that it is over, and not how, leaves the call unknown and its hold where it is.
    """
    call = in_state(database, State.DIALING)
    event = ended(call, disposition=Disposition.OUTCOME_UNKNOWN, talk_s=0)

    unknown = database.transact(partial(apply_event, dialled=call, event=event, patience=builders.PATIENCE))

    assert (State.UNKNOWN, after(95 + 1900)) == (unknown.state, unknown.deadline_at)
    assert {EntryKind.HOLD: HOLD_MICROS} == money_of(database, call)


@pytest.mark.parametrize("disposition", sorted(set(Disposition) - {Disposition.OUTCOME_UNKNOWN}))
def test_a_known_end_is_never_amended(database: Database, disposition: Disposition) -> None:
    """
    Whatever comes after it.
    """
    call = in_state(database, State.RINGING)
    over = database.transact(
        partial(
            apply_event,
            dialled=call,
            event=ended(call, talk_s=0, disposition=disposition),
            patience=builders.PATIENCE,
        )
    )

    again = database.transact(partial(apply_event, dialled=call, event=ended(call), patience=builders.PATIENCE))

    assert over == again == now(database, call)


def test_a_queued_call_expires(database: Database) -> None:
    """
    It is not leased any more from that moment on, and ends undialled with its hold free again.
    """
    call = accept(database)

    early = _reconcile(database, A_DAY_S - 0.001)
    leased = database.transact(partial(take, limit=1, at=after(A_DAY_S)))
    late = _reconcile(database, A_DAY_S)

    expired = now(database, call)
    assert ([], (), [call.id]) == (early, leased, late)
    assert (State.BLOCKED, Disposition.EXPIRED, Status.FAILED, 0) == (
        expired.state,
        expired.disposition,
        expired.status,
        expired.attempt,
    )
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)


def test_an_end_that_was_not_settled_is_settled(database: Database) -> None:
    """
    By what was recorded of it, without waiting.
    """
    call = in_state(database, State.ENDED)
    database.transact(lambda transaction: transaction.calls.save(_again(call, deadline_at=None), after(95)))

    assert [call.id] == _reconcile(database, 95)
    assert (State.SETTLED, Disposition.HANG_UP_CALLEE) == (now(database, call).state, now(database, call).disposition)
    assert 100_000 == money_of(database, call)[EntryKind.CAPTURE]


def test_a_call_on_the_line_without_a_deadline_is_overdue(database: Database) -> None:
    """
    None is ever forgotten for want of a time.
    """
    call = in_state(database, State.RINGING)
    database.transact(lambda transaction: transaction.calls.save(_again(call, deadline_at=None), after(5)))

    assert [call.id] == _reconcile(database, 6)


@pytest.mark.parametrize("state", State)
def test_reconciling_twice_is_reconciling_once(database: Database, state: State) -> None:
    """
    A second look at the same time finds nothing more to do.
    """
    call = in_state(database, state)
    _reconcile(database, 10**6)
    states = states_of(database, call)

    assert [] == _reconcile(database, 10**6)
    assert states == states_of(database, call)


def test_order_is_brought_in_portions(database: Database) -> None:
    """
    At most as many calls as asked for are moved on in one transaction, oldest first.
    """
    ids = [accept(database).id for _ in range(5)]

    portions = [_reconcile(database, A_DAY_S, limit=2) for _ in range(4)]

    assert [ids[:2], ids[2:4], ids[4:], []] == portions


def _again(call: Call, **changes: object) -> Call:
    stays = attrs.evolve(call, version=call.version + 1, **changes)  # type: ignore[arg-type]
    assert call.after(Trigger.LEASE) is None
    return stays
