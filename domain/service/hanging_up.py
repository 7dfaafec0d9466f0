"""
Ending a call because its client wants that: at once before the point of no return, by its worker's hand after it.
"""

from datetime import datetime

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import Trigger, next_state
from outdial.domain.model.principal import Account
from outdial.domain.service.reading import CallView, view_call
from outdial.domain.service.settlement import cancel
from outdial.ports.storage import Transaction


def hang_up(
    transaction: Transaction, account: Account, at: datetime, *, reference: CallReference | None
) -> CallView | Refused:
    """
    Cancel a call that was not dialled yet; ask for the end of one that may ring or talk. Again is fine.

    Both this and the point of no return change what they have read in one transaction, so that a call is canceled or
    dialled, and never both.

    Args:
        reference: `None` when the client's name for it can't be one.

    Returns:
        The call after it, unchanged when it is over; another account's is answered like none.
    """
    view = view_call(transaction, account, reference)
    return view if isinstance(view, Refused) else attrs.evolve(view, call=_hung_up(transaction, view.call, at))


def _hung_up(transaction: Transaction, call: Call, at: datetime) -> Call:
    canceled = cancel(transaction, call, at=at)
    if canceled is not None:
        return canceled
    can_end = next_state(call.state, Trigger.END) is not None
    if call.hang_up_at is not None or not can_end:
        return call
    transaction.calls.ask_to_hang_up(call, at)
    return attrs.evolve(call, hang_up_at=at)
