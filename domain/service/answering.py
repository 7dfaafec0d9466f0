"""
When somebody is reached: whether the conversation may begin, and what is written down when it may not.

Carriers check no fencing tokens. So this is the second fence, after the point of no return: it stops calls that were
answered for a worker that slept, out of a carrier's queue, or into a database that was restored. Each stop is an
incident, written with what it does to the call.
"""

from datetime import datetime
from typing import Final

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import HangUpCause
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.incident import Incident, IncidentKind, Objection
from outdial.domain.model.lifecycle import Trigger, next_state
from outdial.domain.service.dialling import obstacle
from outdial.domain.service.settlement import end
from outdial.ports.storage import Transaction

STOPPED: Final = HangUpCause(words="It was answered when it was not to go on any more.")


def check_answer(transaction: Transaction, dialled: Call, *, at: datetime) -> Objection | None:
    """
    Look again at everything that has to hold for a call, now that somebody has answered it; stop it if that fails.

    A call of unknown outcome may go on, as long as its attempt and fence are these. Whoever took its worker for lost
    ended nothing and dials nothing: its hold is kept, and no other attempt can follow. The answer is the evidence that
    was waited for, and an apology would waste the one dial that the call has. Once its deadline has passed it is over.

    Args:
        dialled: The call as the worker knows it that placed it.

    Returns:
        What stands against the conversation; `None` when it may begin.
    """
    objection = _objection(transaction, _stored(transaction, dialled), dialled, at)
    if objection is not None:
        stop_answered(transaction, dialled, at=at, objection=objection)
    return objection


def stop_answered(transaction: Transaction, dialled: Call, *, at: datetime, objection: Objection) -> Call:
    """
    End a call that was answered and whose conversation did not begin: it costs nothing and its hold is released.

    It may be asked again: the first objection stays in the incident, as the call's first end does.

    Returns:
        The call as it is now; one that is over stays as it is, and so does one that was dialled anew.
    """
    call = _stored(transaction, dialled)
    if call is None:
        return dialled
    _record(transaction, dialled, IncidentKind.ANSWER_STOPPED, objection, at)
    if call.attempt != dialled.attempt:
        return call
    # Without an answer it is billed nothing, and clients see a failure: no conversation took place.
    facts = {"disposition": objection.disposition, "cause": STOPPED, "talk_s": 0, "answered_at": None}
    return end(transaction, call, at=at, **facts)


def note_cut_line(transaction: Transaction, dialled: Call, *, at: datetime) -> Call:
    """
    Write down that an order was in the network whose call others had ended, and that it was hung up unanswered.

    Returns:
        The call as it is now, unchanged.
    """
    call = _stored(transaction, dialled)
    if call is None:
        return dialled
    _record(transaction, dialled, IncidentKind.LINE_CUT, Objection.OVER, at)
    return call


def _objection(transaction: Transaction, call: Call | None, dialled: Call, at: datetime) -> Objection | None:
    if call is None:
        return Objection.OVER
    if (call.attempt, call.fence) != (dialled.attempt, dialled.fence):
        return Objection.SUPERSEDED
    if next_state(call.state, Trigger.END) is None:
        return Objection.OVER
    if call.hang_up_at is not None:
        return Objection.CANCELED
    disposition = obstacle(transaction, call, at)
    return Objection(disposition.value) if disposition is not None else None


def _stored(transaction: Transaction, dialled: Call) -> Call | None:
    """
    Return the call as it is now; in a database that was restored, its number may be free, or another call's.
    """
    return transaction.calls.call_of_any_account(CallReference(number=dialled.id, token=dialled.token))


def _record(transaction: Transaction, call: Call, kind: IncidentKind, objection: Objection, at: datetime) -> None:
    incident = Incident(
        account_id=call.account_id, call_id=call.id, attempt=call.attempt, kind=kind, objection=objection, at=at
    )
    transaction.incidents.add(incident)
