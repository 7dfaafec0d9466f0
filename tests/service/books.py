"""
What always holds of the calls and the money of two accounts.
"""

from typing import Final

from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet
from outdial.ports.storage import Reader

ACCOUNT_IDS: Final = (1, 2)
EVERY_STATE: Final = frozenset(State)

Everything = tuple[tuple[Call, ...], tuple[LedgerEntry, ...], tuple[Wallet, ...], tuple[CallRecord, ...]]


def everything(reader: Reader) -> Everything:
    """
    Return all calls, the ledger, the wallets and the records of two accounts.
    """
    calls = reader.calls.in_states(EVERY_STATE, 10_000)
    ledger = tuple(entry for account_id in ACCOUNT_IDS for entry in reader.wallets.entries(account_id))
    found = (reader.wallets.wallet(account_id) for account_id in ACCOUNT_IDS)
    records = tuple(record for call in calls for record in reader.calls.records(call.id))
    return calls, ledger, tuple(wallet for wallet in found if wallet is not None), records


def _sum(ledger: tuple[LedgerEntry, ...], kind: EntryKind, **wanted: int) -> int:
    return sum(
        entry.micros
        for entry in ledger
        if entry.kind is kind and all(getattr(entry, name) == value for name, value in wanted.items())
    )


def check_money(
    calls: tuple[Call, ...], ledger: tuple[LedgerEntry, ...], wallets: tuple[Wallet, ...], deposits: dict[int, int]
) -> None:
    """
    Deposits are what is available, held and captured; held is what unsettled calls hold.
    """
    for wallet in wallets:
        account_id = wallet.account_id
        captured = _sum(ledger, EntryKind.CAPTURE, account_id=account_id)
        holds = [call.hold_micros for call in calls if call.account_id == account_id and not call.is_terminal]
        assert deposits[account_id] == _sum(ledger, EntryKind.DEPOSIT, account_id=account_id)
        assert deposits[account_id] == wallet.available_micros + wallet.held_micros + captured
        assert sum(holds) == wallet.held_micros
        assert captured == sum(call.charge_micros for call in calls if call.account_id == account_id)


def check_holds(calls: tuple[Call, ...], ledger: tuple[LedgerEntry, ...]) -> None:
    """
    One hold a call; nothing leaves it before the end, and all of it does then.
    """
    for call in calls:
        entries = tuple(entry for entry in ledger if entry.call_id == call.id)
        kinds = [entry.kind for entry in entries]
        assert len(set(kinds)) == len(kinds)
        assert call.hold_micros == _sum(entries, EntryKind.HOLD)
        assert EntryKind.HOLD in kinds
        assert {call.account_id} == {entry.account_id for entry in entries}
        resolved = _sum(entries, EntryKind.CAPTURE) + _sum(entries, EntryKind.RELEASE)
        assert (call.hold_micros if call.is_terminal else 0) == resolved
        assert call.state is State.REVEALED or EntryKind.HOUSE_LOSS not in kinds


def check_records(calls: tuple[Call, ...], records: tuple[CallRecord, ...]) -> None:
    """
    A call's records are numbered upwards, begin with `queued` and end with its state; it is sent as its attempts say.
    """
    for call in calls:
        own = [record for record in records if record.call_id == call.id]
        numbers = [record.number for record in own]
        states = [record.state for record in own]
        assert sorted(set(numbers)) == numbers
        assert (State.QUEUED, call.state) == (states[0], states[-1])
        assert states.count(State.SENDING) == call.attempt
        assert call.version == len(own) - 1
    assert len({record.number for record in records}) == len(records)
