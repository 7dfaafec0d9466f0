"""
Bringing order into what a process left behind.
"""

from functools import partial
from typing import Final

import pytest

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.dialling import pass_no_return
from outdial.domain.service.reconciliation import WORKER_LOST, recover
from tests import builders
from tests.contract.storage.database import Database
from tests.service.calls import (
    HOLD_MICROS,
    accept,
    after,
    in_state,
    money_of,
    now,
    states_of,
    take,
    wallet,
)

MAY_RING: Final = sorted({State.SENDING, State.DIALING, State.RINGING, State.IN_PROGRESS})
IN_ORDER: Final = (State.QUEUED, State.UNKNOWN, State.SETTLED, State.REVEALED, State.CANCELED, State.BLOCKED)


def _recover(database: Database, limit: int = 100, attended: frozenset[int] = frozenset()) -> tuple[int, ...]:
    work = partial(
        recover,
        worker_id="worker",
        attended=attended,
        silent_s=15,
        limit=limit,
        at=after(1000),
        patience=builders.PATIENCE,
    )
    recovered = database.transact(work)
    return tuple(call.id for call in recovered)


def test_a_leased_call_goes_back_to_the_queue(database: Database) -> None:
    """
    Nothing left the machine for it: it keeps its hold and is taken again.
    """
    call = in_state(database, State.LEASED)

    recovered = _recover(database)

    (again,) = database.transact(partial(take, limit=1, at=after(1001)))
    assert (call.id,) == recovered
    assert (State.LEASED, call.fence + 1, 0) == (again.state, again.fence, again.attempt)
    assert {EntryKind.HOLD: HOLD_MICROS} == money_of(database, call)


@pytest.mark.parametrize("state", MAY_RING)
def test_what_may_ring_is_never_dialled_again(database: Database, state: State) -> None:
    """
    Past the point of no return a call's outcome is unknown; its hold waits for evidence until a deadline.
    """
    call = in_state(database, state)

    recovered = _recover(database)

    unknown = now(database, call)
    assert (call.id,) == recovered
    assert (State.UNKNOWN, WORKER_LOST, None, after(1000 + 40 + 1800 + 60)) == (
        unknown.state,
        unknown.cause,
        unknown.disposition,
        unknown.deadline_at,
    )
    assert {EntryKind.HOLD: HOLD_MICROS} == money_of(database, call)
    assert HOLD_MICROS == wallet(database).held_micros
    assert () == database.transact(partial(take, limit=1, at=after(1001)))


def test_an_end_that_was_not_settled_is_settled(database: Database) -> None:
    """
    What was recorded of the end counts: the talk time is billed, the rest released.
    """
    call = in_state(database, State.ENDED)

    recovered = _recover(database)

    over = now(database, call)
    assert (call.id,) == recovered
    assert (State.SETTLED, Disposition.HANG_UP_CALLEE, call.ended_at) == (over.state, over.disposition, over.ended_at)
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.CAPTURE: 100_000, EntryKind.RELEASE: 1_400_000} == money_of(
        database, call
    )


@pytest.mark.parametrize("state", IN_ORDER)
def test_what_is_in_order_is_left_alone(database: Database, state: State) -> None:
    """
    Queued calls, those that wait for evidence and those that are over need nothing.
    """
    call = in_state(database, state)

    assert () == _recover(database)
    assert call == now(database, call)


@pytest.mark.parametrize("state", State)
def test_recovering_comes_to_an_end(database: Database, state: State) -> None:
    """
    A second look finds nothing more to do.
    """
    call = in_state(database, state)
    _recover(database)
    states = states_of(database, call)

    assert () == _recover(database)
    assert states == states_of(database, call)


def test_order_is_brought_in_portions(database: Database) -> None:
    """
    At most as many calls as asked for are looked at in one transaction, oldest first.
    """
    calls = [accept(database) for _ in range(5)]
    database.transact(partial(take, limit=5, at=after(1)))

    portions = [_recover(database, limit=2) for _ in range(4)]

    ids = tuple(call.id for call in calls)
    assert [ids[:2], ids[2:4], ids[4:], ()] == portions


def test_attended_calls_are_left_alone(database: Database) -> None:
    """
    Calls that somebody sees through neither change nor count, whichever are older.
    """
    calls = [accept(database) for _ in range(4)]
    leased = database.transact(partial(take, limit=4, at=after(1)))
    for call in leased[:2]:
        database.transact(partial(pass_no_return, leased=call, at=after(2), patience=builders.PATIENCE))
    first, second, third, fourth = (call.id for call in calls)

    portions = [_recover(database, limit=1, attended=frozenset({first, third})) for _ in range(3)]

    states = [now(database, call).state for call in calls]
    assert [(second,), (fourth,), ()] == portions
    assert [State.SENDING, State.UNKNOWN, State.LEASED, State.QUEUED] == states


def test_a_recovered_call_hears_no_more(database: Database) -> None:
    """
    An older worker's lease is worth nothing after the recovery.
    """
    older: Call = in_state(database, State.LEASED)
    _recover(database)

    assert database.transact(partial(pass_no_return, leased=older, at=after(1001), patience=builders.PATIENCE)) is None
