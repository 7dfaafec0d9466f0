"""
Calls, their progress and their records.
"""

from datetime import timedelta

import attrs
import pytest

from outdial.domain.model.call import Call, Script
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import TERMINAL, State, Trigger
from outdial.domain.model.open_calls import OpenCalls
from outdial.ports.errors import StorageConflictError
from tests import builders
from tests.contract.storage.database import EVERY_STATE, Database, accepted_of, everything, furnish_other

LATER = builders.NOW + timedelta(seconds=1)


def _accept(database: Database, count: int = 1) -> list[Call]:
    requests = [builders.request(token=builders.token(number)) for number in range(count)]
    return [accepted.call for accepted in accepted_of(database.accept(*requests))]


def _save(database: Database, call: Call) -> None:
    database.transact(lambda transaction: transaction.calls.save(call, LATER))


def _stored(database: Database, number: int) -> Call | None:
    return database.read(lambda reader: reader.calls.call_of_any_account(CallReference(number=number)))


def _after(call: Call, *triggers: Trigger) -> Call:
    for trigger in triggers:
        following = call.after(trigger)
        assert following is not None
        call = following
    return call


def test_a_call_is_found_by_its_row_and_by_its_whole_id(database: Database) -> None:
    """
    The token may be left out.
    """
    (call,) = _accept(database)
    references = [CallReference(number=call.id), CallReference(number=call.id, token=call.token)]

    found = database.read(
        lambda reader: [
            read
            for reference in references
            for read in (reader.calls.call(call.account_id, reference), reader.calls.call_of_any_account(reference))
        ]
    )

    assert found == [call] * 4


def test_open_calls_are_added_up_by_state_and_currency(database: Database) -> None:
    """
    They count until they are over, with what is held for them; the oldest tells since when some wait.
    """
    first, second, third = _accept(database, 3)
    leased = _after(second, Trigger.LEASE)
    _save(database, leased)
    _save(database, _after(third, Trigger.CANCEL))
    (later,) = accepted_of(database.accept(builders.request(token=builders.token(9), received_at=LATER)))

    found = database.read(lambda reader: reader.calls.open())

    queued = OpenCalls(
        state=State.QUEUED,
        currency="USD",
        count=2,
        oldest_at=first.created_at,
        held_micros=first.hold_micros + later.call.hold_micros,
    )
    begun = OpenCalls(
        state=State.LEASED, currency="USD", count=1, oldest_at=second.created_at, held_micros=leased.hold_micros
    )
    assert {queued, begun} == set(found)


def test_a_call_keeps_its_requests_place_in_the_trace(database: Database) -> None:
    """
    Whoever dials it goes on with the trace; most calls have none.
    """
    parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    database.accept(builders.request(trace_parent=parent), builders.request(token=builders.token(2)))

    found = [_stored(database, number) for number in (1, 2)]

    assert [parent, None] == [call.trace_parent for call in found if call is not None]


def test_nothing_is_open_at_first(empty: Database) -> None:
    """
    Without calls there are no sums.
    """
    assert () == empty.read(lambda reader: reader.calls.open())


def test_a_wrong_token_or_account_is_like_a_wrong_row(database: Database) -> None:
    """
    Nobody learns that there is such a call.
    """
    database.transact(furnish_other)
    (call,) = _accept(database)
    wrong = CallReference(number=call.id, token=builders.token(99))

    found = database.read(
        lambda reader: (
            reader.calls.call(call.account_id, wrong),
            reader.calls.call_of_any_account(wrong),
            reader.calls.call(2, CallReference(number=call.id, token=call.token)),
            reader.calls.call(call.account_id, CallReference(number=call.id + 1)),
        )
    )

    assert found == (None,) * 4


def test_progress_is_saved_with_a_record(database: Database) -> None:
    """
    Everything that may change comes back changed, and the log says when each state was reached.
    """
    (call,) = _accept(database)
    leased = attrs.evolve(_after(call, Trigger.LEASE), fence=1)
    ended = attrs.evolve(
        _after(leased, Trigger.SEND, Trigger.END),
        version=2,
        attempt=1,
        dialed_at=LATER,
        answered_at=LATER + timedelta(microseconds=1),
        ended_at=LATER + timedelta(days=1),
        disposition=Disposition.HANG_UP_CALLEE,
        cause=HangUpCause(code=200, words="OK", provisional=(100, 180, 183)),
        talk_s=86_400,
        charge_micros=1_500_000,
    )

    _save(database, leased)
    _save(database, ended)

    assert ended == _stored(database, call.id)
    log = database.read(lambda reader: reader.calls.records(call.id))
    assert [
        (State.QUEUED, None, builders.NOW),
        (State.LEASED, None, LATER),
        (State.ENDED, Disposition.HANG_UP_CALLEE, LATER),
    ] == [(record.state, record.disposition, record.at) for record in log]
    assert {(call.id, call.account_id)} == {(record.call_id, record.account_id) for record in log}


def test_record_numbers_increase_over_all_calls(database: Database) -> None:
    """
    The numbers of all calls' records are in the order in which they were written.
    """
    calls = _accept(database, 3)
    for call in reversed(calls):
        _save(database, _after(call, Trigger.LEASE))

    logs = database.read(lambda reader: [reader.calls.records(call.id) for call in calls])

    written = [logs[0][0], logs[1][0], logs[2][0], logs[2][1], logs[1][1], logs[0][1]]
    numbers = [record.number for record in written]
    assert sorted(set(numbers)) == numbers


@pytest.mark.parametrize("behind", [-1, 0, 2])
def test_a_write_over_another_version_is_a_conflict(database: Database, behind: int) -> None:
    """
    A call is written over the version that was read, and over no other.
    """
    (call,) = _accept(database)
    _save(database, _after(call, Trigger.LEASE))
    before = database.read(everything)

    with pytest.raises(StorageConflictError):
        _save(database, attrs.evolve(call, state=State.CANCELED, version=1 + behind))

    assert before == database.read(everything)


def test_saving_what_is_missing_is_a_conflict(database: Database) -> None:
    """
    A row that is not there, or another account's, can't be written.
    """
    (call,) = _accept(database)
    before = database.read(everything)

    leased = _after(call, Trigger.LEASE)
    for missing in (attrs.evolve(leased, id=call.id + 1), attrs.evolve(leased, account_id=2)):
        with pytest.raises(StorageConflictError):
            _save(database, missing)

    assert before == database.read(everything)


def test_what_was_promised_never_changes(database: Database) -> None:
    """
    Saving a call with another script, price or number leaves the promise as it was.
    """
    (call,) = _accept(database)
    leased = _after(call, Trigger.LEASE)

    _save(
        database,
        attrs.evolve(
            leased,
            token=builders.token(9),
            key_id=None,
            agent_name="Somebody",
            phone_number=builders.CALLER_ID,
            caller_id=builders.CALLEE,
            script=Script(greeting="Other", instructions="Other", variables={"other": 1}),
            rate=builders.rate(per_minute_micros=1),
            hold_micros=1,
            max_duration_s=1,
            created_at=LATER,
        ),
    )

    assert leased == _stored(database, call.id)


@pytest.mark.parametrize("state", State)
def test_calls_are_found_by_their_state_oldest_first(database: Database, state: State) -> None:
    """
    Each state's calls come in the order of acceptance, those of other states don't.
    """
    calls = _accept(database, 4)
    changed = [attrs.evolve(call, state=state, version=1) for call in calls[:3]]
    for call in reversed(changed):
        _save(database, call)
    others = EVERY_STATE - {state, State.QUEUED}

    found = database.read(
        lambda reader: (
            reader.calls.in_states(frozenset({state}), 3),
            reader.calls.in_states(frozenset({state}), 2),
            reader.calls.in_states(others, 9),
        )
    )

    assert found == (tuple(changed), tuple(changed[:2]), ())


def test_several_states_are_merged_by_age(database: Database) -> None:
    """
    The limit counts the calls of all states together.
    """
    calls = _accept(database, 3)
    leased, canceled = _after(calls[0], Trigger.LEASE), _after(calls[2], Trigger.CANCEL)
    for call in (canceled, leased):
        _save(database, call)

    found = database.read(
        lambda reader: (
            reader.calls.in_states(EVERY_STATE, 9),
            reader.calls.in_states(EVERY_STATE, 2),
            reader.calls.in_states(EVERY_STATE - TERMINAL, 9),
            reader.calls.in_states(EVERY_STATE, 0),
            reader.calls.in_states(frozenset(), 9),
        )
    )

    assert found == ((leased, calls[1], canceled), (leased, calls[1]), (leased, calls[1]), (), ())


def test_a_missing_call_has_no_records(database: Database) -> None:
    """
    There is nothing to tell about it.
    """
    assert database.read(lambda reader: reader.calls.records(9)) == ()
