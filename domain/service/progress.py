"""
What a carrier says about an attempt, written down: states may be skipped, come late or twice; terminal is final.
"""

import math
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import assert_never

from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Answered, CallEvent, Ended, Ringing
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import Trigger
from outdial.domain.service.outbox import save_call
from outdial.domain.service.settlement import end
from outdial.ports.storage import Transaction


def apply_event(transaction: Transaction, dialled: Call, event: CallEvent) -> Call:
    """
    Write down an event of an attempt and return the call after it; events of other attempts change nothing.
    """
    call = _current(transaction, dialled)
    if event.attempt_id != call.attempt_id:
        return call
    match event:
        case Ringing():
            return _save(transaction, call, call.after(Trigger.RING), event.at)
        case Answered():
            return _save(transaction, call, call.after(Trigger.ANSWER, answered_at=event.at), event.at)
        case Ended():
            return end(
                transaction,
                call,
                at=event.at,
                disposition=event.disposition,
                cause=event.cause,
                talk_s=event.talk_s,
                answered_at=call.answered_at or _answered_at(event),
            )
        case _:
            assert_never(event)


def mark_placed(transaction: Transaction, dialled: Call, *, at: datetime) -> Call:
    """
    Write down that the network took the order.
    """
    call = _current(transaction, dialled)
    return _save(transaction, call, call.after(Trigger.PLACE), at)


def mark_doubtful(transaction: Transaction, dialled: Call, *, at: datetime, cause: HangUpCause) -> Call:
    """
    Write down that nobody can tell whether the network took the order; the hold stays.
    """
    call = _current(transaction, dialled)
    return _save(transaction, call, call.after(Trigger.DOUBT, cause=cause), at)


def close(transaction: Transaction, dialled: Call, *, at: datetime, disposition: Disposition) -> Call:
    """
    End a call of which the carrier says nothing any more; what is known of its talk time is billed.
    """
    call = _current(transaction, dialled)
    talked_s = (at - call.answered_at).total_seconds() if call.answered_at is not None else 0
    talk_s = max(0, math.ceil(talked_s))
    return end(transaction, call, at=at, disposition=disposition, talk_s=min(talk_s, call.max_duration_s))


def recover(
    transaction: Transaction,
    *,
    worker_id: str,
    attended: Collection[int],
    silent_s: float,
    limit: int,
    at: datetime,
) -> tuple[Call, ...]:
    """
    Bring order into at most `limit` calls that nobody sees through any more; run it until nothing is returned.

    Leased calls were never dialled and go back to the queue. Whatever passed its point of no return is not dialled
    again: it ends as `outcome_unknown` and its hold is released.

    Args:
        worker_id: Who does this; its own calls count as left behind, too, unless they are attended.

        attended: Rows of calls that this worker does see through; they are left alone.

        silent_s: Other workers' calls are left behind once those have not been heard of for this long.

    Returns:
        The calls as they are now, oldest first.
    """
    begun = transaction.calls.unattended(worker_id, silent_s=silent_s, limit=limit + len(attended))
    left_behind = tuple(call for call in begun if call.id not in attended)[:limit]
    # Wallets are locked in the order of accounts, as acceptance does, so that neither waits for the other in a circle.
    changed: dict[int, Call] = {}
    for call in sorted(left_behind, key=lambda call: call.account_id):
        returned = call.after(Trigger.RETURN)
        if returned is not None:
            save_call(transaction, returned, at)
        changed[call.id] = returned or end(transaction, call, at=at, disposition=Disposition.OUTCOME_UNKNOWN)
    return tuple(changed[call.id] for call in left_behind)


def _current(transaction: Transaction, dialled: Call) -> Call:
    call = transaction.calls.call_of_any_account(CallReference(number=dialled.id))
    return call if call is not None else dialled


def _save(transaction: Transaction, call: Call, changed: Call | None, at: datetime) -> Call:
    if changed is None:
        return call
    save_call(transaction, changed, at)
    return changed


def _answered_at(event: Ended) -> datetime | None:
    """
    Return when an attempt was answered whose `Answered` never came.
    """
    return event.at - timedelta(seconds=event.talk_s) if event.talk_s > 0 else None
