"""
When somebody answers: whether the conversation may begin, and what is written down when it may not.

Carriers check no fencing tokens. So this is the second fence, after the point of no return: it stops calls that were
answered for a worker that slept, out of a carrier's queue, or into a database that was restored.
"""

from datetime import datetime
from typing import Final

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import Trigger, next_state
from outdial.domain.service.dialling import obstacle
from outdial.domain.service.settlement import end
from outdial.ports.storage import Transaction

STOPPED: Final = HangUpCause(words="It was answered when it was not to go on any more.")


def check_answer(transaction: Transaction, dialled: Call, *, at: datetime) -> Disposition | None:
    """
    Look again at everything that has to hold for a call, now that somebody has answered it; end it if that fails.

    Args:
        dialled: The call as the worker knows it that placed it.

    Returns:
        What stands against the conversation; `None` when it may begin.
    """
    call = transaction.calls.call_of_any_account(CallReference(number=dialled.id))
    if call is None or (call.attempt_id, call.fence) != (dialled.attempt_id, dialled.fence):
        return Disposition.OUTCOME_UNKNOWN
    if next_state(call.state, Trigger.END) is None:
        return call.disposition or Disposition.OUTCOME_UNKNOWN
    why = Disposition.CANCELED if call.hang_up_at is not None else obstacle(transaction, call, at)
    if why is not None:
        stop_answered(transaction, call, at=at, why=why)
    return why


def stop_answered(transaction: Transaction, dialled: Call, *, at: datetime, why: Disposition) -> Call:
    """
    End a call that was answered and whose conversation did not begin: it costs nothing and its hold is released.

    Returns:
        The call as it is now; one that is over stays as it is, and so does one that was dialled anew.
    """
    call = transaction.calls.call_of_any_account(CallReference(number=dialled.id))
    if call is None or call.attempt_id != dialled.attempt_id:
        return call if call is not None else dialled
    # Without an answer it is billed nothing, and clients see a failure: no conversation took place.
    return end(transaction, call, at=at, disposition=why, cause=STOPPED, talk_s=0, answered_at=None)
