"""
From the queue to the point of no return: who may dial a call, and whether it may still be dialled.
"""

from datetime import datetime

from outdial.domain.model.call import Call
from outdial.domain.model.capacity import Capacity, LiveCalls, take_starts, within_caps
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State, Trigger
from outdial.domain.model.patience import Patience
from outdial.domain.service.do_not_call import listed
from outdial.domain.service.outbox import save_call
from outdial.domain.service.settlement import block, end
from outdial.ports.carrier import DialOrder
from outdial.ports.storage import Transaction


def lease(
    transaction: Transaction, *, worker_id: str, trunk: str, capacity: Capacity, limit: int, at: datetime
) -> tuple[Call, ...]:
    """
    Take at most `limit` queued calls, oldest first, as far as caps and pace allow; each gets a new fence.

    Args:
        worker_id: Who takes them.

        trunk: What the pace is kept for.
    """
    if not transaction.places.current().is_here:  # what waits here may have been dialled elsewhere
        return ()
    leasable = _leasable(transaction, trunk=trunk, capacity=capacity, limit=limit, at=at)
    changes = {"worker_id": worker_id, "not_before": None, "disposition": None, "cause": None}
    taken = (call.after(Trigger.LEASE, fence=call.fence + 1, **changes) for call in leasable)
    leased = tuple(call for call in taken if call is not None)
    for call in leased:
        save_call(transaction, call, at)
    return leased


def pass_no_return(transaction: Transaction, leased: Call, *, at: datetime, patience: Patience) -> Call | None:
    """
    Commit to dialling: the last step before any byte leaves the machine.

    What can have changed since the call was accepted is checked again; what fails ends the call and frees its hold.
    May be asked again by the holder of the lease until it hears the answer, and only before it places the call.

    Returns:
        The call, `sending`, with its attempt; `None` when it must not be dialled.
    """
    call = transaction.calls.call_of_any_account(CallReference(number=leased.id))
    if call is None or call.fence != leased.fence:
        return None
    if call.state is State.SENDING:  # committed before, but the answer was lost on its way
        return call
    deadline_at = patience.until_answered(at)
    sending = call.after(Trigger.SEND, attempt=call.attempt + 1, dialed_at=at, deadline_at=deadline_at)
    if sending is None or not transaction.places.current().is_here:
        return None
    why = Disposition.EXPIRED if call.expires_at <= at else obstacle(transaction, call, at)
    if why is not None:
        block(transaction, call, at=at, disposition=why)
        return None
    save_call(transaction, sending, at)
    transaction.places.count_dial()
    return sending


def give_up(transaction: Transaction, leased: Call, *, at: datetime, cause: HangUpCause) -> None:
    """
    End a leased call whose agent could not be got ready; nothing was dialled.
    """
    call = transaction.calls.call_of_any_account(CallReference(number=leased.id))
    if call is not None and call.fence == leased.fence and call.state is State.LEASED:
        block(transaction, call, at=at, disposition=Disposition.CARRIER_ERROR, cause=cause)


def order_for(call: Call, *, ring_timeout_s: int) -> DialOrder:
    """
    Return what the carrier is asked to do for a call past its point of no return.
    """
    return DialOrder(
        attempt_id=call.attempt_id,
        callee=call.phone_number,
        caller_id=call.caller_id,
        ring_timeout_s=ring_timeout_s,
        max_duration_s=call.max_duration_s,
    )


def refuse(
    transaction: Transaction,
    dialled: Call,
    *,
    at: datetime,
    disposition: Disposition,
    cause: HangUpCause,
    is_lasting: bool,
    patience: Patience,
) -> Call:
    """
    Write down that the network surely did not take an order: the call is queued for its next attempt, or over.

    Args:
        is_lasting: Whether the next attempt would be refused as well.

    Returns:
        The call as it is now; another attempt's is left as it is.
    """
    call = transaction.calls.call_of_any_account(CallReference(number=dialled.id))
    if call is None or call.attempt_id != dialled.attempt_id:
        return call if call is not None else dialled
    again_at = None if is_lasting else patience.next_attempt(call, disposition, at)
    queued = None
    if again_at is not None:
        queued = call.after(Trigger.RETRY, not_before=again_at, deadline_at=None, disposition=disposition, cause=cause)
    if queued is None:
        return end(transaction, call, at=at, disposition=disposition, cause=cause)
    save_call(transaction, queued, at)
    return queued


def _leasable(
    transaction: Transaction, *, trunk: str, capacity: Capacity, limit: int, at: datetime
) -> tuple[Call, ...]:
    if capacity.is_limited:
        transaction.workers.take_turn()
    live = transaction.calls.live() if capacity.has_caps else LiveCalls(by_account={}, by_caller_id={})
    queued = transaction.calls.queued(
        limit,
        at=at,
        except_accounts=live.accounts_at(capacity.account_calls_max),
        except_caller_ids=live.caller_ids_at(capacity.caller_id_calls_max),
    )
    chosen = within_caps(queued, live, capacity)
    if capacity.calls_per_second is None or not chosen:
        return chosen
    workers = transaction.workers
    starts, next_micros = take_starts(
        workers.next_start(trunk),
        now_micros=workers.now_micros(),
        calls_per_second=capacity.calls_per_second,
        wanted=len(chosen),
    )
    workers.set_next_start(trunk, next_micros)
    return chosen[:starts]


def obstacle(transaction: Transaction, call: Call, at: datetime) -> Disposition | None:
    """
    Return why a call that was accepted may not go on any more; its account stays as long as its agent does.
    """
    if listed(transaction, call.account_id, call.phone_number, at=at) is not None:
        return Disposition.DO_NOT_CALL
    if call.key_id is not None:
        key = transaction.directory.key(call.key_id)
        if key is None or not key.is_live(at):
            return Disposition.CANCELED
    agent = transaction.directory.agent(call.account_id, call.agent_id)
    if agent is None or agent.phone_number != call.caller_id:
        return Disposition.CANCELED
    if not transaction.wallets.has_hold(call.account_id, call.id):
        return Disposition.INSUFFICIENT_FUNDS
    return None
