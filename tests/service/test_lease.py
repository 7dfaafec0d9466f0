"""
Taking calls from the queue.
"""

from functools import partial

import pytest

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
