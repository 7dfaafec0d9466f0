"""
Taking calls from the queue.
"""

from functools import partial

import pytest

from outdial.domain.model.capacity import Capacity
from outdial.domain.model.lifecycle import State
from tests.contract.storage.database import Database
from tests.service.calls import accept, after, in_state, now, take


def test_the_oldest_calls_are_taken_first(database: Database) -> None:
    """
    A lease takes as many calls as it may, in the order in which they were accepted.
    """
    calls = [accept(database) for _ in range(3)]

    leased = database.transact(partial(take, limit=2, at=after(1)))

    assert [call.id for call in calls[:2]] == [call.id for call in leased]
    assert [State.LEASED, State.LEASED, State.QUEUED] == [now(database, call).state for call in calls]


def test_each_lease_gets_a_new_fence(database: Database) -> None:
    """
    The fence counts the leases, so that the holder of an older one is known.
    """
    call = accept(database)

    (leased,) = database.transact(partial(take, limit=1, at=after(1)))

    assert call.fence + 1 == leased.fence == now(database, call).fence


@pytest.mark.parametrize("state", sorted(set(State) - {State.QUEUED}))
def test_only_queued_calls_are_taken(database: Database, state: State) -> None:
    """
    Whatever left the queue is not taken again.
    """
    call = in_state(database, state)

    leased = database.transact(partial(take, limit=10, at=after(100)))

    assert () == leased
    assert state is now(database, call).state


def test_caps_leave_calls_in_the_queue(database: Database) -> None:
    """
    What an account may not begin yet is begun when a place is free.
    """
    calls = [accept(database) for _ in range(3)]
    one_each = partial(take, limit=10, at=after(1), capacity=Capacity(account_calls_max=2))

    first = database.transact(one_each)
    second = database.transact(one_each)

    assert ([call.id for call in calls[:2]], ()) == ([call.id for call in first], second)


def test_the_pace_leaves_calls_in_the_queue(database: Database) -> None:
    """
    A slow trunk begins with its burst and then waits, whoever asks.
    """
    for _ in range(5):
        accept(database)
    slowly = Capacity(calls_per_second=0.5)

    leased = [
        database.transact(partial(take, limit=10, at=after(1), worker_id=worker_id, capacity=slowly))
        for worker_id in ("one", "two")
    ]

    assert [1, 0] == [len(calls) for calls in leased]
    assert ["one"] == [call.worker_id for call in leased[0]]
