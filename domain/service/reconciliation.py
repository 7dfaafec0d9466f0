"""
Bringing order into calls that nobody sees through any more, and into those whose time is up.

None of it dials. Each step may be run again, by several processes at once, and broken off between any two transactions.
"""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import ON_THE_LINE, State, Trigger
from outdial.domain.model.patience import SLACK_S, Patience
from outdial.domain.service.outbox import save_call
from outdial.domain.service.progress import doubt
from outdial.domain.service.settlement import block, end
from outdial.ports.storage import Transaction

WORKER_LOST: Final = HangUpCause(words="The process that dialled it was lost.")
TIME_IS_UP: Final = HangUpCause(words="Nothing was heard of it within its time.")


def recover(
    transaction: Transaction,
    *,
    worker_id: str,
    attended: Collection[int],
    silent_s: float,
    limit: int,
    at: datetime,
    patience: Patience,
) -> tuple[Call, ...]:
    """
    Bring order into at most `limit` calls that nobody sees through any more; run it until nothing is returned.

    Leased calls were never dialled and go back to the queue. Whatever passed its point of no return is not dialled
    again: its outcome is unknown until there is evidence, and its hold is kept until its deadline.

    Args:
        worker_id: Who does this; its own calls count as left behind, too, unless they are attended.

        attended: Rows of calls that this worker does see through; they are left alone.

        silent_s: Other workers' calls are left behind once those have not been heard of for this long.

    Returns:
        The calls as they are now, oldest first.
    """
    begun = transaction.calls.unattended(worker_id, silent_s=silent_s, limit=limit + len(attended))
    left_behind = tuple(call for call in begun if call.id not in attended)[:limit]
    changed: dict[int, Call] = {}
    for call in in_order_of_wallets(left_behind):
        returned = call.after(Trigger.RETURN)
        if returned is not None:
            save_call(transaction, returned, at)
        changed[call.id] = returned or _unwatched(transaction, call, at=at, cause=WORKER_LOST, patience=patience)
    return tuple(changed[call.id] for call in left_behind)


def reconcile(
    transaction: Transaction, *, limit: int, at: datetime, patience: Patience, but: Collection[int] = ()
) -> tuple[Call, ...]:
    """
    Move on at most `limit` calls whose time is up; run it until nothing is returned.

    Queued calls expire. A call that is on the line for longer than it can be becomes unknown. One that stayed unknown
    until its deadline ends as `outcome_unknown`, for nothing. One that ended is settled.

    Args:
        but: Rows of calls that are left alone.

    Returns:
        The calls as they are now.
    """
    found = in_order_of_wallets(overdue(transaction, limit=limit, at=at, but=but))
    return tuple(_moved_on(transaction, call, at=at, patience=patience) for call in found)


def in_order_of_wallets(calls: Collection[Call]) -> list[Call]:
    """
    Return calls by account: wallets are locked in this order, as acceptance does, so that neither waits in a circle.
    """
    return sorted(calls, key=lambda call: call.account_id)


def overdue(transaction: Transaction, *, limit: int, at: datetime, but: Collection[int] = ()) -> tuple[Call, ...]:
    """
    Return at most `limit` calls whose time is up, those first that keep others from being dialled.

    Args:
        but: Rows of calls that are left out.
    """
    most = limit + len(but)
    found: list[Call] = []
    for state in (*sorted(ON_THE_LINE), State.UNKNOWN, State.ENDED, State.QUEUED):
        up_at = at - timedelta(seconds=SLACK_S) if state in ON_THE_LINE else at
        found += transaction.calls.overdue(state, at=up_at, limit=most - len(found))
    return tuple(call for call in found if call.id not in but)[:limit]


def _moved_on(transaction: Transaction, call: Call, *, at: datetime, patience: Patience) -> Call:
    if call.state is State.QUEUED:
        return block(transaction, call, at=at, disposition=Disposition.EXPIRED) or call
    if call.state is State.UNKNOWN:
        return end(transaction, call, at=at, disposition=Disposition.OUTCOME_UNKNOWN)
    return _unwatched(transaction, call, at=at, cause=TIME_IS_UP, patience=patience)


def _unwatched(transaction: Transaction, call: Call, *, at: datetime, cause: HangUpCause, patience: Patience) -> Call:
    """
    Leave open what becomes of a call that is on the line; one that ended is settled by its end.
    """
    if call.state is State.ENDED:
        return end(transaction, call, at=at)
    return doubt(transaction, call, at=at, cause=cause, patience=patience)
