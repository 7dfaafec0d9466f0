"""
When somebody is reached: whether the conversation may begin, and the incident when it may not.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import attrs
import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.incident import Incident, IncidentKind, Objection
from outdial.domain.model.lifecycle import ON_THE_LINE, State
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.answering import STOPPED, check_answer, note_cut_line, stop_answered
from outdial.domain.service.dialling import refuse
from outdial.domain.service.incidents import list_incidents
from outdial.domain.service.quarantine import quarantine
from outdial.domain.service.reconciliation import reconcile
from outdial.ports.errors import UnknownRecordError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database
from tests.listing import list_callee
from tests.service.calls import HOLD_MICROS, after, in_state, money_of, now, take, tidy

LATER: Final = after(10)
LONG_AFTER: Final = after(100_000)
RELEASED: Final = {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS}


def _incidents(database: Database) -> tuple[Incident, ...]:
    return database.read(lambda reader: reader.incidents.of_any_account(before=None, limit=100))


def _answer(database: Database, dialled: Call, at: datetime = LATER) -> Objection | None:
    return database.transact(partial(check_answer, dialled=dialled, at=at))


def _list_the_callee(transaction: Transaction, _call: Call) -> None:
    list_callee(transaction)


def _revoke_the_key(transaction: Transaction, _call: Call) -> None:
    transaction.directory.update_key(builders.api_key(revoked_at=after(6)))


def _want_its_end(transaction: Transaction, call: Call) -> None:
    transaction.calls.ask_to_hang_up(call, after(6))


def _release_its_hold(transaction: Transaction, call: Call) -> None:
    transaction.wallets.post(builders.entry(EntryKind.RELEASE, HOLD_MICROS, call_id=call.id))


@pytest.mark.parametrize("state", sorted(ON_THE_LINE | {State.UNKNOWN}))
def test_the_calls_own_attempt_may_talk(database: Database, state: State) -> None:
    """
    Also when its worker was taken for lost: nobody has ended the call, its hold is kept, nobody else can dial it.
    """
    call = in_state(database, state)

    objection = _answer(database, call)

    assert (None, call, ()) == (objection, now(database, call), _incidents(database))


def test_a_worker_that_comes_back_may_talk_until_the_deadline(database: Database) -> None:
    """
    Others made the call unknown while it slept, which is no end; after the deadline it is over, and nobody may talk.
    """
    dialled = in_state(database, State.RINGING)
    database.transact(partial(tidy, limit=9, at=LATER))
    unknown = now(database, dialled)

    before = _answer(database, dialled)
    database.transact(partial(reconcile, limit=9, at=LONG_AFTER, patience=builders.PATIENCE))
    after_it = _answer(database, dialled, at=LONG_AFTER)

    assert (State.UNKNOWN, dialled.fence) == (unknown.state, unknown.fence)
    assert (None, Objection.OVER) == (before, after_it)


@pytest.mark.parametrize(
    ("trouble", "objection"),
    [
        (_list_the_callee, Objection.DO_NOT_CALL),
        (_revoke_the_key, Objection.CANCELED),
        (_want_its_end, Objection.CANCELED),
        (_release_its_hold, Objection.INSUFFICIENT_FUNDS),
    ],
)
def test_a_stop_is_an_incident(
    database: Database, trouble: Callable[[Transaction, Call], None], objection: Objection
) -> None:
    """
    It is written with the end of the call, which costs nothing and tells why.
    """
    dialled = in_state(database, State.RINGING)
    database.transact(lambda transaction: trouble(transaction, dialled))

    found = _answer(database, dialled)

    call = now(database, dialled)
    assert objection is found
    assert (builders.incident(number=1, call_id=call.id, objection=objection, at=LATER),) == _incidents(database)
    assert (State.SETTLED, Status.FAILED, objection.disposition, STOPPED, None) == (
        call.state,
        call.status,
        call.disposition,
        call.cause,
        call.answered_at,
    )
    assert RELEASED == money_of(database, call)


def test_a_call_that_others_ended_stays_as_they_ended_it(database: Database) -> None:
    """
    A worker that slept rang a phone of a call that was given up: the incident tells so, however often it is written.
    """
    dialled = in_state(database, State.SENDING)
    database.transact(partial(quarantine, limit=9, at=after(6)))
    given_up = now(database, dialled)

    objections = [_answer(database, dialled), _answer(database, dialled, at=after(11))]
    stop = partial(stop_answered, dialled=dialled, at=after(12), objection=Objection.NOT_CHECKED)
    after_it = database.transact(stop)

    assert [Objection.OVER] * 2 == objections
    assert given_up == after_it == now(database, dialled)
    assert (builders.incident(number=1, call_id=dialled.id, at=LATER),) == _incidents(database)


def test_an_attempt_that_was_refused_may_not_talk(database: Database) -> None:
    """
    The network said that no phone rings, and the call was leased anew: its next attempt goes on undisturbed.
    """
    refused = in_state(database, State.SENDING)
    said: dict[str, Any] = {"disposition": Disposition.CARRIER_ERROR, "cause": STOPPED, "is_lasting": False}
    database.transact(partial(refuse, dialled=refused, at=after(3), patience=builders.PATIENCE, **said))
    queued = now(database, refused)
    (leased,) = database.transact(partial(take, limit=1, at=after(60)))

    objection = _answer(database, refused, at=after(61))

    assert (State.QUEUED, Objection.SUPERSEDED) == (queued.state, objection)
    assert leased == now(database, refused)
    (incident,) = _incidents(database)
    assert (1, Objection.SUPERSEDED) == (incident.attempt, incident.objection)


def test_the_next_attempt_is_left_alone_by_a_late_answer_to_the_one_before(database: Database) -> None:
    """
    The incident belongs to the earlier attempt.
    """
    current = in_state(database, State.RINGING)
    second = attrs.evolve(current, attempt=2)

    objection = _answer(database, second)

    assert Objection.SUPERSEDED is objection
    assert current == now(database, current)
    assert [2] == [incident.attempt for incident in _incidents(database)]


@pytest.mark.parametrize("changes", [{"id": 999}, {"token": "000000000000"}])
def test_a_call_that_the_database_does_not_know_is_stopped(database: Database, changes: dict[str, Any]) -> None:
    """
    In a database that was restored its number may be another call's, which has no part in this.
    """
    call = in_state(database, State.RINGING)
    stranger = attrs.evolve(call, **changes)

    objection = _answer(database, stranger)
    cut = database.transact(partial(note_cut_line, dialled=stranger, at=LATER))

    assert (Objection.OVER, stranger) == (objection, cut)
    assert (call, ()) == (now(database, call), _incidents(database))


def test_an_unchecked_stop_is_written_with_the_calls_end(database: Database) -> None:
    """
    Nobody could ask when the callee answered; what was done to them is written as soon as something can be.
    """
    dialled = in_state(database, State.IN_PROGRESS)
    stop = partial(stop_answered, dialled=dialled, at=LATER, objection=Objection.NOT_CHECKED)

    first, again = database.transact(stop), database.transact(stop)

    assert (Disposition.CANCELED, 0, None) == (first.disposition, first.charge_micros, first.answered_at)
    assert first == again
    assert RELEASED == money_of(database, first)
    assert [Objection.NOT_CHECKED] == [incident.objection for incident in _incidents(database)]


def test_a_cut_line_is_an_incident_unless_its_answer_was_one(database: Database) -> None:
    """
    Who answered heard the apology, which tells more than that the phone may have rung.
    """
    unanswered, also_answered = in_state(database, State.SETTLED), in_state(database, State.SETTLED)
    _answer(database, also_answered)

    for call in (unanswered, unanswered, also_answered):
        database.transact(partial(note_cut_line, dialled=call, at=LATER))

    kinds = {incident.call_id: incident.kind for incident in _incidents(database)}
    assert {unanswered.id: IncidentKind.LINE_CUT, also_answered.id: IncidentKind.ANSWER_STOPPED} == kinds
    assert 2 == len(_incidents(database))


def test_incidents_are_listed_with_their_calls(database: Database) -> None:
    """
    Newest first, in pages: whose phone rang, and by which attempt; all accounts' or one's.
    """
    calls = [in_state(database, State.SETTLED) for _ in range(3)]
    for seconds, call in enumerate(calls):
        cut = partial(note_cut_line, dialled=attrs.evolve(call, attempt=7), at=LATER + timedelta(seconds=seconds))
        database.transact(cut)

    first = database.read(partial(list_incidents, account_id=None, before=None, limit=2))
    second = database.read(partial(list_incidents, account_id=1, before=first.following, limit=2))

    views = [*first.incidents, *second.incidents]
    assert [f"{call.call_id}_7" for call in reversed(calls)] == [view.call.attempt_id for view in views]
    assert [builders.CALLEE] * 3 == [view.call.phone_number for view in views]
    assert (views[1].incident.number, None) == (first.following, second.following)


def test_incidents_of_no_account_are_not_found(database: Database) -> None:
    """
    A wrong number is said to be one, not that nothing happened.
    """
    with pytest.raises(UnknownRecordError):
        database.read(partial(list_incidents, account_id=9, before=None, limit=1))
