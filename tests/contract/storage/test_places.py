"""
Where a database is dialled from, and what becomes of its calls when it is elsewhere.
"""

from functools import partial

from outdial.domain.model.call import Call
from outdial.domain.model.capacity import Capacity
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import PAST_NO_RETURN, State
from outdial.domain.service.dialling import lease, pass_no_return
from outdial.domain.service.quarantine import enter_place, is_quarantined
from outdial.ports.dialling_place import DiallingPlace
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database
from tests.contract.storage.test_overlaps import Race, _running_second
from tests.service.calls import in_state, wallet


def current(database: Database) -> DiallingPlace:
    """
    Return where the database is dialled from.
    """
    return database.read(lambda reader: reader.places.current())


def leave(database: Database) -> None:
    """
    Have the database know that it is elsewhere.
    """
    database.transact(lambda transaction: transaction.places.leave())


def enter(database: Database, limit: int = 100) -> list[Call]:
    """
    Make ready to dial again, and return the calls that were given up.
    """
    ended: list[Call] = []
    while calls := database.transact(partial(enter_place, limit=limit, at=builders.NOW)):
        ended += calls
    return ended


def leased(transaction: Transaction) -> tuple[Call, ...]:
    """
    Lease what is queued.
    """
    return lease(transaction, worker_id="one", trunk="", capacity=Capacity(), limit=10, at=builders.NOW)


def state_of(database: Database, call: Call) -> State:
    """
    Return a call's state as it is stored.
    """
    found = database.read(lambda reader: reader.calls.in_states(frozenset(State), 100))
    return next(one.state for one in found if one.id == call.id)


def test_a_new_database_is_dialled_from_where_it_is(empty: Database) -> None:
    """
    Its first epoch is 1, and its place has a name.
    """
    place = current(empty)

    assert (1, True, 0) == (place.epoch, place.is_here, place.dials)
    assert place.name


def test_a_database_that_was_left_stays_so_until_the_next_epoch(database: Database) -> None:
    """
    Nothing else than beginning an epoch makes a place of it.
    """
    before = current(database)

    leave(database)
    left = current(database)
    enter(database)
    after = current(database)

    assert (1, "", False) == (left.epoch, left.name, left.is_here)
    assert (2, True) == (after.epoch, after.is_here)
    assert after.name
    assert before.name != after.name or before.dials == 0 == after.dials  # a server's marks are what they were


def test_entering_where_one_is_changes_nothing(database: Database) -> None:
    """
    Calls wait on, the epoch stays.
    """
    call = in_state(database, State.QUEUED)
    before = current(database)

    assert [] == enter(database)
    assert before == current(database)
    assert State.QUEUED is state_of(database, call)


def test_what_was_not_dialled_is_given_up(database: Database) -> None:
    """
    Queued and leased calls end as expired and hold nothing; in portions, each call once.
    """
    calls = [in_state(database, state) for state in (State.LEASED, State.QUEUED, State.QUEUED)]
    leave(database)

    ended = enter(database, limit=1)

    assert sorted(call.id for call in calls) == sorted(call.id for call in ended)
    found = database.read(lambda reader: reader.calls.in_states(frozenset(State), 100))
    assert {(State.BLOCKED, Disposition.EXPIRED, True)} == {
        (call.state, call.disposition, is_quarantined(call)) for call in found
    }
    assert 0 == wallet(database).held_micros
    assert 2 == current(database).epoch


def test_what_may_have_rung_is_left_to_those_who_recover(database: Database) -> None:
    """
    It is never dialled again anyway, and somebody may be talking.
    """
    calls = [in_state(database, state) for state in sorted(PAST_NO_RETURN)]
    leave(database)

    assert [] == enter(database)
    assert [call.state for call in calls] == [state_of(database, call) for call in calls]


def test_nothing_is_leased_elsewhere(database: Database) -> None:
    """
    Until the new epoch has begun, the queue gives nothing.
    """
    call = in_state(database, State.QUEUED)
    leave(database)

    assert () == database.transact(leased)
    assert State.QUEUED is state_of(database, call)


def test_a_leased_call_is_not_dialled_elsewhere(database: Database) -> None:
    """
    A server that is promoted between the lease and the point of no return stops the call, too.
    """
    call = in_state(database, State.LEASED)
    leave(database)

    assert database.transact(partial(pass_no_return, leased=call, at=builders.NOW, patience=builders.PATIENCE)) is None
    assert State.LEASED is state_of(database, call)


def check_entering_waits_for_a_call_in_other_hands(database: Database) -> None:
    """
    No epoch begins while a call of the one before is open, be it that somebody else is looking at it just now.
    """
    call, race = in_state(database, State.LEASED), Race()
    leave(database)
    dialling = race.first(partial(pass_no_return, leased=call, at=builders.NOW, patience=builders.PATIENCE))
    entering = race.second(partial(enter_place, limit=100, at=builders.NOW))

    with _running_second(database, race, lambda rival: rival.transact(entering)) as second:
        dialled = database.transact(dialling)

    assert (None, [call.id]) == (dialled, [ended.id for ended in second.result()])
    assert State.BLOCKED is state_of(database, call)


def test_entering_waits_for_a_call_in_other_hands(database: Database) -> None:
    """
    Whoever dialled before notices that the place is another one, and leaves the call as it is.
    """
    check_entering_waits_for_a_call_in_other_hands(database)


def test_each_dial_is_counted_where_it_has_to_be(database: Database, kind: str) -> None:
    """
    Where the server tells copies apart, no row is written that all workers would wait for.
    """
    first, second = in_state(database, State.LEASED), in_state(database, State.LEASED)
    for call in (first, second, first):  # once more, as when the answer was lost
        database.transact(partial(pass_no_return, leased=call, at=builders.NOW, patience=builders.PATIENCE))

    assert (0 if kind == "postgres" else 2) == current(database).dials
