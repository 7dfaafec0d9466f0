"""
What storage finds for those who look after calls whose time is up, and whether a call's hold is whole.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

import attrs
import pytest

from outdial.domain.model.call import UNKNOWN, Call, Status
from outdial.domain.model.lifecycle import TERMINAL, State
from outdial.domain.model.listing import CallFilter, PageRange
from outdial.domain.model.wallet import EntryKind
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, furnish_other, post
from tests.contract.storage.test_overlaps import OVERTAKING_S, Race, _running_second
from tests.contract.storage.test_workers import accept

HOUR: Final = timedelta(hours=1)
AT: Final = builders.NOW + HOUR
OPEN: Final = sorted(set(State) - TERMINAL - {State.QUEUED})


def _save(database: Database, call: Call, **changes: Any) -> Call:
    changed = attrs.evolve(call, version=call.version + 1, **changes)
    database.transact(lambda transaction: transaction.calls.save(changed, builders.NOW))
    return changed


def _overdue(transaction: Transaction, state: State, at: datetime = AT, limit: int = 10) -> list[int]:
    return [call.id for call in transaction.calls.overdue(state, at=at, limit=limit)]


@pytest.mark.parametrize("state", OPEN)
def test_a_calls_deadline_is_the_moment_it_is_overdue(database: Database, state: State) -> None:
    """
    From then on it is found in its state and in no other, oldest first and in portions; without one it is found always.
    """
    calls = accept(database, *[builders.AGENT_ID] * 4)
    deadlines = (AT, AT + timedelta(microseconds=1), None, AT - HOUR)
    for call, deadline_at in zip(calls, deadlines, strict=True):
        _save(database, call, state=state, deadline_at=deadline_at)

    found = {other: database.transact(partial(_overdue, state=other)) for other in State}

    assert {state: [calls[0].id, calls[2].id, calls[3].id]} == {other: ids for other, ids in found.items() if ids}
    assert [calls[0].id] == database.transact(lambda transaction: _overdue(transaction, state, limit=1))
    assert [] == database.transact(lambda transaction: _overdue(transaction, state, limit=0))


def test_a_queued_call_is_overdue_when_it_expires(database: Database) -> None:
    """
    And is in the queue until then.
    """
    (call,) = accept(database, builders.AGENT_ID)
    last = call.expires_at - timedelta(microseconds=1)

    times = (last, call.expires_at)

    overdue = [database.transact(partial(_overdue, state=State.QUEUED, at=at)) for at in times]
    waiting = [database.transact(partial(_queued, at=at)) for at in times]

    assert ([[], [call.id]], [[call.id], []]) == (overdue, waiting)


def test_a_call_waits_for_its_next_attempt(database: Database) -> None:
    """
    It is passed over until the pause is over, and holds up nobody behind it.
    """
    first, second = accept(database, *[builders.AGENT_ID] * 2)
    _save(database, first, not_before=AT)

    seen = [database.transact(partial(_queued, at=at)) for at in (AT - timedelta(microseconds=1), AT)]

    assert [[second.id], [first.id, second.id]] == seen


def test_an_unknown_call_is_left_to_its_deadline(database: Database) -> None:
    """
    Nobody takes it for abandoned once more; but it may still be on the line, and counts for the caps.
    """
    call, other = accept(database, *[builders.AGENT_ID] * 2)
    _save(database, call, state=State.UNKNOWN, worker_id="lost")
    _save(database, other, state=State.RINGING, worker_id="lost")

    def look(transaction: Transaction) -> tuple[list[int], int]:
        unattended = transaction.calls.unattended("one", silent_s=1, limit=10)
        return [found.id for found in unattended], transaction.calls.live().by_account[builders.ACCOUNT_ID]

    assert ([other.id], 2) == database.transact(look)


def test_unknown_calls_are_listed_by_that_word(database: Database) -> None:
    """
    For clients they are dialing, and found by that as well.
    """
    unknown, dialing, waiting = accept(database, *[builders.AGENT_ID] * 3)
    _save(database, unknown, state=State.UNKNOWN)
    _save(database, dialing, state=State.DIALING)

    def listed(status: str | None) -> list[int]:
        wanted = CallFilter(status=status)
        page = PageRange(limit=10)
        return [
            call.id for call in database.read(lambda reader: reader.history.page(builders.ACCOUNT_ID, wanted, page))
        ]

    assert [unknown.id] == listed(UNKNOWN)
    assert [dialing.id, unknown.id] == listed(Status.DIALING)
    assert [waiting.id, dialing.id, unknown.id] == listed(None)


def test_a_hold_is_whole_until_anything_of_it_is_resolved(database: Database) -> None:
    """
    Another account's call has none.
    """
    database.transact(furnish_other)
    call, captured = accept(database, *[builders.AGENT_ID] * 2)

    def has_hold(account_id: int, number: int) -> bool:
        return database.transact(lambda transaction: transaction.wallets.has_hold(account_id, number))

    assert (True, False, False) == (has_hold(1, call.id), has_hold(2, call.id), has_hold(1, 999))
    database.transact(post(builders.entry(EntryKind.RELEASE, 1, call_id=call.id)))
    database.transact(post(builders.entry(EntryKind.CAPTURE, 1, call_id=captured.id)))
    assert (False, False) == (has_hold(1, call.id), has_hold(1, captured.id))


def test_a_loss_of_the_house_moves_no_wallet(database: Database) -> None:
    """
    It is a row of the account's ledger all the same, one a call at most.
    """
    (call,) = accept(database, builders.AGENT_ID)
    loss = builders.entry(EntryKind.HOUSE_LOSS, 10**12, call_id=call.id)
    before = database.read(lambda reader: reader.wallets.wallet(builders.ACCOUNT_ID))

    after = database.transact(post(loss))

    assert before == after == database.read(lambda reader: reader.wallets.wallet(builders.ACCOUNT_ID))
    assert loss == database.read(lambda reader: reader.wallets.entries(builders.ACCOUNT_ID))[-1]


def test_two_who_look_move_a_call_on_once(database: Database) -> None:
    """
    What one transaction has found overdue, another leaves to it, or finds in its next state.
    """
    (call,) = accept(database, builders.AGENT_ID)
    call = _save(database, call, state=State.RINGING, deadline_at=builders.NOW)
    race = Race()

    def move_on(transaction: Transaction) -> list[int]:
        found = transaction.calls.overdue(State.RINGING, at=AT, limit=10)
        race.first_is_open.set()
        race.second_is_done.wait(OVERTAKING_S)  # it need not wait, but must not find what is found
        for one in found:
            changed = attrs.evolve(one, state=State.UNKNOWN, version=one.version + 1)
            transaction.calls.save(changed, AT)
        return [one.id for one in found]

    look = race.second(lambda transaction: _overdue(transaction, State.RINGING))
    with _running_second(database, race, lambda rival: rival.transact(look)) as second:
        first = database.transact(move_on)

    assert ([call.id], []) == (first, second.result(timeout=10))


def _queued(transaction: Transaction, at: datetime) -> list[int]:
    calls = transaction.calls.queued(10, at=at, except_accounts=frozenset(), except_caller_ids=frozenset())
    return [call.id for call in calls]
