"""
What a carrier says about an attempt, written down: states may be skipped, come late or twice; terminal is final.
"""

import math
from datetime import datetime, timedelta
from typing import assert_never

from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Answered, CallEvent, Ended, Ringing
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import Trigger
from outdial.domain.model.patience import Patience
from outdial.domain.service.outbox import save_call
from outdial.domain.service.settlement import end, reveal
from outdial.ports.storage import Transaction


def apply_event(transaction: Transaction, dialled: Call, event: CallEvent, *, patience: Patience) -> Call:
    """
    Write down an event of an attempt and return the call after it; events of other attempts change nothing.

    An end that tells nothing of its outcome leaves it unknown. An end of a call that was given up with its outcome
    unknown reveals it.
    """
    call = _current(transaction, dialled)
    if event.attempt_id != call.attempt_id:
        return call
    match event:
        case Ringing() if call.answered_at is not None:
            return call
        case Ringing():
            ringing = call.after(Trigger.RING, deadline_at=patience.until_answered(event.at))
            return _save(transaction, call, ringing, event.at)
        case Answered():
            answered_at, deadline_at = call.answered_at or event.at, patience.until_hung_up(call, event.at)
            answered = call.after(Trigger.ANSWER, answered_at=answered_at, deadline_at=deadline_at)
            return _save(transaction, call, answered, event.at)
        case Ended(disposition=Disposition.OUTCOME_UNKNOWN):
            return doubt(transaction, call, at=event.at, cause=event.cause, patience=patience)
        case Ended():
            return _apply_end(transaction, call, event)
        case _:
            assert_never(event)


def mark_placed(transaction: Transaction, dialled: Call, *, at: datetime, patience: Patience) -> Call:
    """
    Write down that the network took the order.
    """
    call = _current(transaction, dialled)
    if call.attempt_id != dialled.attempt_id:
        return call
    return _save(transaction, call, call.after(Trigger.PLACE, deadline_at=patience.until_answered(at)), at)


def mark_doubtful(
    transaction: Transaction, dialled: Call, *, at: datetime, cause: HangUpCause, patience: Patience
) -> Call:
    """
    Write down that nobody can tell what became of an attempt; the hold stays until the call's deadline.
    """
    call = _current(transaction, dialled)
    if call.attempt_id != dialled.attempt_id:
        return call
    return doubt(transaction, call, at=at, cause=cause, patience=patience)


def doubt(transaction: Transaction, call: Call, *, at: datetime, cause: HangUpCause, patience: Patience) -> Call:
    """
    Leave open what becomes of a call as it is stored now; its hold stays until its deadline.
    """
    doubtful = call.after(Trigger.DOUBT, cause=cause, deadline_at=patience.until_known(call, at))
    return _save(transaction, call, doubtful, at)


def close(transaction: Transaction, dialled: Call, *, at: datetime, disposition: Disposition) -> Call:
    """
    End a call of which the carrier says nothing any more; what is known of its talk time is billed.
    """
    call = _current(transaction, dialled)
    if call.attempt_id != dialled.attempt_id:
        return call
    talked_s = (at - call.answered_at).total_seconds() if call.answered_at is not None else 0
    talk_s = max(0, math.ceil(talked_s))
    return end(transaction, call, at=at, disposition=disposition, talk_s=min(talk_s, call.max_duration_s))


def _current(transaction: Transaction, dialled: Call) -> Call:
    call = transaction.calls.call_of_any_account(CallReference(number=dialled.id))
    return call if call is not None else dialled


def _save(transaction: Transaction, call: Call, changed: Call | None, at: datetime) -> Call:
    if changed is None:
        return call
    save_call(transaction, changed, at)
    return changed


def _apply_end(transaction: Transaction, call: Call, event: Ended) -> Call:
    facts = {"disposition": event.disposition, "cause": event.cause, "talk_s": event.talk_s}
    answered_at = call.answered_at or _answered_at(event)
    revealed = reveal(transaction, call, at=event.at, answered_at=answered_at, **facts)
    return revealed or end(transaction, call, at=event.at, answered_at=answered_at, **facts)


def _answered_at(event: Ended) -> datetime | None:
    """
    Return when an attempt was answered whose `Answered` never came.
    """
    return event.at - timedelta(seconds=event.talk_s) if event.talk_s > 0 else None
