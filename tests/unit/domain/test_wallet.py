"""
What a ledger row does to a wallet.
"""

import pytest

from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.wallet import EntryKind, OverdrawnError
from tests import builders


@pytest.mark.parametrize(
    ("kind", "balance", "held", "available"),
    [
        (EntryKind.DEPOSIT, 130, 40, 90),
        (EntryKind.HOLD, 100, 70, 30),
        (EntryKind.CAPTURE, 70, 10, 60),
        (EntryKind.RELEASE, 100, 10, 90),
    ],
)
def test_an_entry_moves_money(kind: EntryKind, balance: int, held: int, available: int) -> None:
    """
    A deposit is owned, a hold is promised, a capture is spent and a release is free again.
    """
    wallet = builders.wallet(balance_micros=100, held_micros=40)

    after = wallet.post(builders.entry(kind, 30))

    assert (balance, held, available) == (after.balance_micros, after.held_micros, after.available_micros)


@pytest.mark.parametrize(
    ("kind", "most"),
    [
        (EntryKind.DEPOSIT, MICROS_MAX - 100),
        (EntryKind.HOLD, 60),
        (EntryKind.CAPTURE, 40),
        (EntryKind.RELEASE, 40),
    ],
)
def test_an_entry_takes_all_there_is_and_no_micro_more(kind: EntryKind, most: int) -> None:
    """
    Each kind of entry has its limit, and reaching it is allowed.
    """
    wallet = builders.wallet(balance_micros=100, held_micros=40)

    wallet.post(builders.entry(kind, most))

    with pytest.raises(OverdrawnError, match=str(kind)):
        wallet.post(builders.entry(kind, most + 1))


@pytest.mark.parametrize("kind", EntryKind)
def test_an_entry_of_nothing_changes_nothing(kind: EntryKind) -> None:
    """
    Zero may be posted to any wallet, an empty one included.
    """
    wallet = builders.wallet(balance_micros=0)

    assert wallet == wallet.post(builders.entry(kind, 0))


@pytest.mark.parametrize(("balance", "held"), [(-1, 0), (0, -1), (-2, -1), (10, 11), (MICROS_MAX + 1, 0)])
def test_impossible_wallets_are_refused(balance: int, held: int) -> None:
    """
    A wallet is never negative, never promises more than it owns and always fits its column.
    """
    with pytest.raises(ValueError):
        builders.wallet(balance_micros=balance, held_micros=held)


@pytest.mark.parametrize("micros", [-1, MICROS_MAX + 1])
def test_impossible_entries_are_refused(micros: int) -> None:
    """
    A ledger row never moves a negative amount or more than any wallet holds.
    """
    with pytest.raises(ValueError):
        builders.entry(EntryKind.DEPOSIT, micros)
