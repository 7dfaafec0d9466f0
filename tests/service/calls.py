"""
Calls of the builders' account, brought to any state by the services themselves.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any, Final

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Answered, CallEvent, Ended, Ringing
from outdial.domain.model.capacity import Capacity
from outdial.domain.model.decision import Accepted
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State, Trigger
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet
from outdial.domain.service.dialling import lease, pass_no_return
from outdial.domain.service.progress import apply_event, mark_doubtful, mark_placed
from outdial.domain.service.reconciliation import recover
from outdial.domain.service.settlement import block, end
from outdial.ports.storage import Reader, Transaction
from tests import builders
from tests.contract.storage.database import Database

HOLD_MICROS: Final = 1_500_000
"""What a call to the builders' callee holds: half an hour at 0.05 a minute."""

DEPOSIT_MICROS: Final = 25_000_000
NO_ANSWER_FROM_CARRIER: Final = HangUpCause(words="no answer from the carrier")


def after(seconds: float) -> datetime:
    """
    Return a time after the calls were accepted.
    """
    return builders.NOW + timedelta(seconds=seconds)


def accept(database: Database) -> Call:
    """
    Have a call accepted.
    """
    (decision,) = database.accept(builders.request())
    assert isinstance(decision, Accepted)
    return decision.call


def ringing(call: Call, **changes: Any) -> Ringing:
    """
    Report that the call's phone rings.
    """
    return attrs.evolve(Ringing(attempt_id=call.attempt_id, at=after(4)), **changes)


def answered(call: Call, **changes: Any) -> Answered:
    """
    Report that the call was answered.
    """
    return attrs.evolve(Answered(attempt_id=call.attempt_id, at=after(5)), **changes)


def ended(call: Call, **changes: Any) -> Ended:
    """
    Report that the callee hung up after a minute and a half.
    """
    event = Ended(
        attempt_id=call.attempt_id,
        at=after(95),
        disposition=Disposition.HANG_UP_CALLEE,
        talk_s=90,
        cause=HangUpCause(code=200, words="OK"),
    )
    return attrs.evolve(event, **changes)


def _leased(transaction: Transaction, _call: Call) -> Call:
    (call,) = take(transaction, limit=1, at=after(1))
    return call


def take(
    transaction: Transaction, *, limit: int, at: datetime, worker_id: str = "worker", capacity: Capacity | None = None
) -> tuple[Call, ...]:
    """
    Lease calls as one worker on one trunk.
    """
    limits = capacity if capacity is not None else Capacity()
    return lease(transaction, worker_id=worker_id, trunk="trunk", capacity=limits, limit=limit, at=at)


def tidy(
    transaction: Transaction, *, limit: int, at: datetime, attended: frozenset[int] = frozenset()
) -> tuple[Call, ...]:
    """
    Recover what the one worker there is left behind.
    """
    return recover(
        transaction, worker_id="worker", attended=attended, silent_s=15, limit=limit, at=at, patience=builders.PATIENCE
    )


def _sending(transaction: Transaction, call: Call) -> Call:
    sending = pass_no_return(transaction, call, at=after(2), patience=builders.PATIENCE)
    assert sending is not None
    return sending


def _doubtful(transaction: Transaction, call: Call) -> Call:
    return mark_doubtful(transaction, call, at=after(3), cause=NO_ANSWER_FROM_CARRIER, patience=builders.PATIENCE)


def _placed(transaction: Transaction, call: Call) -> Call:
    return mark_placed(transaction, call, at=after(3), patience=builders.PATIENCE)


def _told(event: Callable[[Call], CallEvent]) -> Callable[[Transaction, Call], Call]:
    return lambda transaction, call: apply_event(transaction, call, event(call), patience=builders.PATIENCE)


def _ended_unsettled(transaction: Transaction, call: Call) -> Call:
    over = call.after(Trigger.END, ended_at=after(95), disposition=Disposition.HANG_UP_CALLEE, talk_s=90)
    assert over is not None
    transaction.calls.save(over, after(95))
    return over


def _given_up(transaction: Transaction, call: Call) -> Call:
    return end(transaction, call, at=after(99_999), disposition=Disposition.OUTCOME_UNKNOWN)


def _canceled(transaction: Transaction, call: Call) -> Call:
    canceled = call.after(Trigger.CANCEL, ended_at=after(1), disposition=Disposition.CANCELED)
    assert canceled is not None
    transaction.calls.save(canceled, after(1))
    return canceled


def _blocked(transaction: Transaction, call: Call) -> Call:
    block(transaction, call, at=after(2), disposition=Disposition.DO_NOT_CALL)
    return stored(transaction, call)


Step = Callable[[Transaction, Call], Call]
_ANSWERED: Final = (_leased, _sending, _placed, _told(ringing), _told(answered))

STEPS_TO: Final[dict[State, tuple[Step, ...]]] = {
    State.QUEUED: (),
    State.LEASED: (_leased,),
    State.SENDING: (_leased, _sending),
    State.UNKNOWN: (_leased, _sending, _doubtful),
    State.DIALING: (_leased, _sending, _placed),
    State.RINGING: (_leased, _sending, _placed, _told(ringing)),
    State.IN_PROGRESS: _ANSWERED,
    State.ENDED: (*_ANSWERED, _ended_unsettled),
    State.SETTLED: (*_ANSWERED, _told(ended)),
    State.REVEALED: (_leased, _sending, _doubtful, _given_up, _told(ended)),
    State.CANCELED: (_canceled,),
    State.BLOCKED: (_leased, _blocked),
}
"""How a new call gets to each state."""


def in_state(database: Database, state: State) -> Call:
    """
    Have a call accepted and bring it to a state.
    """
    call = accept(database)
    for step in STEPS_TO[state]:
        call = _done(database, step, call)
    assert call.state is state
    return call


def _done(database: Database, step: Step, call: Call) -> Call:
    return database.transact(lambda transaction: step(transaction, call))


def lose_hold(database: Database, call: Call) -> None:
    """
    Release a call's hold while the call is open, as no service does.
    """
    release = LedgerEntry(
        account_id=call.account_id, kind=EntryKind.RELEASE, micros=HOLD_MICROS, call_id=call.id, at=after(1)
    )
    database.transact(lambda transaction: transaction.wallets.post(release))


def stored(reader: Reader | Transaction, call: Call) -> Call:
    """
    Return a call as it is stored now.
    """
    found = reader.calls.call_of_any_account(CallReference(number=call.id))
    assert found is not None
    return found


def now(database: Database, call: Call) -> Call:
    """
    Return a call as it is stored now.
    """
    return database.read(lambda reader: stored(reader, call))


def wallet(database: Database) -> Wallet:
    """
    Return the account's wallet.
    """
    found = database.read(lambda reader: reader.wallets.wallet(builders.ACCOUNT_ID))
    assert found is not None
    return found


def money_of(database: Database, call: Call) -> dict[EntryKind, int]:
    """
    Return what the ledger says of a call.
    """
    entries = database.read(lambda reader: reader.wallets.entries(builders.ACCOUNT_ID))
    return {entry.kind: entry.micros for entry in entries if entry.call_id == call.id}


def states_of(database: Database, call: Call) -> list[State]:
    """
    Return the states that a call reached, in order.
    """
    return [record.state for record in database.read(lambda reader: reader.calls.records(call.id))]
