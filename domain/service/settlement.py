"""
Ending a call and its hold together: what was talked is captured, the rest released, once.
"""

from datetime import datetime

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import Trigger
from outdial.domain.model.wallet import EntryKind, LedgerEntry
from outdial.domain.service.outbox import save_call
from outdial.ports.storage import Transaction


def end(transaction: Transaction, call: Call, *, at: datetime, **facts: object) -> Call:
    """
    Record that an attempt is over and settle its call; a call that can't end any more is returned as it is.

    A call that ended and was not settled is settled by what was recorded of its end.

    Args:
        at: When it ended.

        facts: Further fields of the call, such as `disposition` and `talk_s`.
    """
    ended = call.after(Trigger.END, ended_at=at, deadline_at=None, **facts)
    if ended is None:
        return _settle(transaction, call, at)
    save_call(transaction, ended, at)
    return _settle(transaction, ended, at)


def block(
    transaction: Transaction, call: Call, *, at: datetime, disposition: Disposition, cause: HangUpCause | None = None
) -> Call | None:
    """
    End a call that must not be dialled any more and release its hold.

    Returns:
        The call; `None` when it may have been dialled, or is over.
    """
    blocked = call.after(Trigger.BLOCK, ended_at=at, disposition=disposition, cause=cause, not_before=None)
    return _release(transaction, blocked, at)


def cancel(transaction: Transaction, call: Call, *, at: datetime) -> Call | None:
    """
    End a call that its client takes back and release its hold.

    Returns:
        The call; `None` when it may have been dialled, or is over.
    """
    why = {"disposition": Disposition.CANCELED, "cause": None}
    return _release(transaction, call.after(Trigger.CANCEL, ended_at=at, not_before=None, **why), at)


def reveal(
    transaction: Transaction, call: Call, *, at: datetime, answered_at: datetime | None, **facts: object
) -> Call | None:
    """
    Amend a call that ended with its outcome unknown, now that it is known.

    Its hold was released and its account may have spent that money: what the talk would have cost is the house's loss.

    Args:
        at: When it became known.

        facts: `disposition`, `talk_s` and `cause`.

    Returns:
        The call; `None` when there was nothing to amend.
    """
    revealed = call.after(Trigger.REVEAL, answered_at=call.answered_at or answered_at, **facts)
    if revealed is None or call.disposition is not Disposition.OUTCOME_UNKNOWN:
        return None
    save_call(transaction, revealed, at)
    lost_micros = charge_of(revealed)
    if lost_micros > 0:
        transaction.wallets.post(_entry(revealed, EntryKind.HOUSE_LOSS, lost_micros, at))
    _add_talk(transaction, revealed)
    return revealed


def charge_of(call: Call) -> int:
    """
    Return the micros that an ended call costs: by real talk time, never more than its hold.

    Ringing is never billed, nor is a call whose outcome nobody knows.
    """
    if call.answered_at is None or call.disposition is Disposition.OUTCOME_UNKNOWN:
        return 0
    return min(call.rate.price(call.talk_s), call.hold_micros)


def _release(transaction: Transaction, undialled: Call | None, at: datetime) -> Call | None:
    if undialled is not None:
        save_call(transaction, undialled, at)
        if transaction.wallets.has_hold(undialled.account_id, undialled.id):
            transaction.wallets.post(_entry(undialled, EntryKind.RELEASE, undialled.hold_micros, at))
    return undialled


def _settle(transaction: Transaction, call: Call, at: datetime) -> Call:
    """
    Capture what an ended call costs and release the rest; one whose hold is gone costs nothing, and audits tell of it.
    """
    has_hold = transaction.wallets.has_hold(call.account_id, call.id)
    charge_micros = charge_of(call) if has_hold else 0
    settled = call.after(Trigger.SETTLE, charge_micros=charge_micros)
    if settled is None:
        return call
    save_call(transaction, settled, at)
    if charge_micros > 0:
        transaction.wallets.post(_entry(settled, EntryKind.CAPTURE, charge_micros, at))
        if (rest_micros := settled.hold_micros - charge_micros) > 0:
            transaction.wallets.post(_entry(settled, EntryKind.RELEASE, rest_micros, at))
    elif has_hold:
        transaction.wallets.post(_entry(settled, EntryKind.RELEASE, settled.hold_micros, at))
    _add_talk(transaction, settled)
    return settled


def _add_talk(transaction: Transaction, call: Call) -> None:
    """
    Count a call's talk for its agent; after the wallet, whose lock keeps two transactions of an account apart.
    """
    if call.talk_s > 0:
        transaction.directory.add_talk(call.account_id, call.agent_id, call.talk_s)


def _entry(call: Call, kind: EntryKind, micros: int, at: datetime) -> LedgerEntry:
    return LedgerEntry(account_id=call.account_id, kind=kind, micros=micros, call_id=call.id, at=at)
