"""
What becomes of calls in a database that was restored, copied or promoted: nobody knows whether they were dialled since.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import PAST_NO_RETURN, TERMINAL, State
from outdial.domain.service.settlement import block, end
from outdial.ports.storage import Transaction

OPEN: Final = frozenset(State) - TERMINAL
UNDIALLED: Final = OPEN - PAST_NO_RETURN

CAUSE: Final = HangUpCause(words="Not dialled: the database was restored, copied or promoted meanwhile.")
"""By which such a call is known afterwards."""


def quarantine(transaction: Transaction, *, limit: int, at: datetime) -> tuple[Call, ...]:
    """
    End at most `limit` calls that are not over, so that nobody dials them from here; run it until none is returned.

    Calls that never left the queue's machine end as `expired`. Those that may have rung end as `outcome_unknown`, and
    one whose end is known is settled by it. No call keeps a hold.
    """
    return _end(transaction, OPEN, limit=limit, at=at)


def enter_place(transaction: Transaction, *, limit: int, at: datetime) -> tuple[Call, ...]:
    """
    Make ready to dial from where the database is now; run it until no call is returned.

    At another place than before, at most `limit` calls that were not dialled yet are ended, and once there are none, a
    new epoch begins. Calls past their point of no return are never dialled again anyway; who recovers calls ends them.
    """
    transaction.workers.take_turn()
    if transaction.places.current().is_here:
        return ()
    calls = _end(transaction, UNDIALLED, limit=limit, at=at)
    if not calls:
        transaction.places.begin_epoch()
    return calls


def is_quarantined(call: Call) -> bool:
    """
    Tell whether a call was ended because of where its database was, before it rang anywhere that this database knows.
    """
    return call.state is State.BLOCKED and call.cause == CAUSE


def adoption_problem(call: Call, *, even_if_it_rang: bool) -> str | None:
    """
    Tell why a call may not be asked for again on the strength of its having been given up; `None` when it may.

    Args:
        even_if_it_rang: Whether calls with an unknown outcome are asked for again, too.
    """
    if not call.is_terminal:
        return "The call is not over: it is dialled from here or given up first."
    if is_quarantined(call) or (even_if_it_rang and call.disposition is Disposition.OUTCOME_UNKNOWN):
        return None
    if call.disposition is Disposition.OUTCOME_UNKNOWN:
        return "The call may have rung already. Ask for it again only if a second ring does no harm."
    return f"The call was not given up: it ended as {call.disposition}."


def _end(transaction: Transaction, states: Collection[State], *, limit: int, at: datetime) -> tuple[Call, ...]:
    calls = transaction.calls.in_states(frozenset(states), limit)
    # Wallets are locked in the order of accounts, as acceptance does, so that neither waits for the other in a circle.
    return tuple(_ended(transaction, call, at) for call in sorted(calls, key=lambda call: call.account_id))


def _ended(transaction: Transaction, call: Call, at: datetime) -> Call:
    if call.state in PAST_NO_RETURN:
        return end(transaction, call, at=at, disposition=Disposition.OUTCOME_UNKNOWN)
    return block(transaction, call, at=at, disposition=Disposition.EXPIRED, cause=CAUSE) or call
