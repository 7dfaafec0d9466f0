"""
Wallets and ledgers.
"""

import pytest

from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.wallet import EntryKind, LedgerEntry, OverdrawnError, Wallet, wallets_after
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of, deposit, everything, furnish, furnish_other, post


def _wallet(database: Database) -> Wallet | None:
    return database.read(lambda reader: reader.wallets.wallet(builders.ACCOUNT_ID))


def test_each_kind_of_entry_moves_the_wallet(database: Database) -> None:
    """
    A hold, a capture and a release change the wallet as the domain says, and all stay in the ledger in order.
    """
    (accepted,) = accepted_of(database.accept(builders.request()))
    held = accepted.hold.micros
    entries = [
        builders.entry(EntryKind.CAPTURE, held - 1, call_id=accepted.call.id),
        builders.entry(EntryKind.RELEASE, 1, call_id=accepted.call.id),
    ]

    after = [database.transact(post(entry)) for entry in entries]

    assert after[-1] == builders.wallet(balance_micros=25_000_000 - held + 1, held_micros=0) == _wallet(database)
    assert database.read(lambda reader: reader.wallets.entries(builders.ACCOUNT_ID)) == (
        builders.entry(EntryKind.DEPOSIT, 25_000_000, at=builders.CREATED_AT),
        accepted.hold,
        *entries,
    )


def test_each_account_has_a_ledger_of_its_own(database: Database) -> None:
    """
    Another account's entries are not shown, and its wallet is not moved.
    """
    database.transact(furnish_other)
    other = builders.entry(EntryKind.DEPOSIT, 5, account_id=2)

    database.transact(lambda transaction: transaction.wallets.post(other))

    assert _wallet(database) == builders.wallet()
    assert database.read(lambda reader: reader.wallets.entries(2)) == (other,)
    assert database.read(lambda reader: reader.wallets.entries(3)) == ()


def test_an_overdraft_passes_through_and_writes_nothing(database: Database) -> None:
    """
    The domain's refusal reaches the caller as it is.
    """
    before = database.read(everything)

    with pytest.raises(OverdrawnError):
        database.transact(deposit(MICROS_MAX))

    assert before == database.read(everything)


def test_an_overdraft_can_be_caught_inside_a_transaction(database: Database) -> None:
    """
    A work that catches it goes on as if it had not tried.
    """

    def work(transaction: Transaction) -> None:
        with pytest.raises(OverdrawnError):
            transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, MICROS_MAX))
        transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1))

    database.transact(work)

    assert _wallet(database) == builders.wallet(balance_micros=25_000_001)


def test_a_call_has_one_entry_of_a_kind(database: Database) -> None:
    """
    A second hold, capture or release of a call is a conflict, and money moves once.
    """
    (accepted,) = accepted_of(database.accept(builders.request()))
    call_id = accepted.call.id
    capture, release = (
        builders.entry(EntryKind.CAPTURE, 1, call_id=call_id),
        builders.entry(EntryKind.RELEASE, 1, call_id=call_id),
    )
    for entry in (capture, release):
        database.transact(post(entry))
    before = database.read(everything)

    for entry in (builders.entry(EntryKind.HOLD, 1, call_id=call_id), capture, release):
        with pytest.raises(StorageConflictError):
            database.transact(post(entry))

    assert before == database.read(everything)


def test_deposits_may_repeat(database: Database) -> None:
    """
    What belongs to no call is never a conflict.
    """
    assert [25_000_007, 25_000_014] == [database.transact(deposit(7)) for _ in range(2)]


@pytest.mark.parametrize(
    "entry",
    [
        builders.entry(EntryKind.DEPOSIT, 1, account_id=9),
        builders.entry(EntryKind.HOLD, 1, call_id=9),
    ],
    ids=["account", "call"],
)
def test_an_entry_for_what_is_missing_is_a_conflict(database: Database, entry: LedgerEntry) -> None:
    """
    Money belongs to a wallet that is there and to a call that is there.
    """
    before = database.read(everything)

    with pytest.raises(StorageConflictError):
        database.transact(lambda transaction: transaction.wallets.post(entry))

    assert before == database.read(everything)


def test_the_largest_wallet_is_kept_exactly(empty: Database) -> None:
    """
    A wallet of `MICROS_MAX` micros takes an entry of nothing, and no more.
    """
    empty.transact(lambda transaction: furnish(transaction, deposit_micros=MICROS_MAX))

    assert empty.transact(deposit(0)) == MICROS_MAX
    with pytest.raises(OverdrawnError):
        empty.transact(deposit(1))
    assert _wallet(empty) == builders.wallet(balance_micros=MICROS_MAX)


def test_each_entry_is_sealed_with_all_before_it(database: Database) -> None:
    """
    Whoever knows the entries reckons the seal; another amount, order or number of entries gives another one.
    """
    (accepted,) = accepted_of(database.accept(builders.request()))
    for kind, micros in ((EntryKind.CAPTURE, 500_000), (EntryKind.RELEASE, 1_000_000)):
        database.transact(post(builders.entry(kind, micros, call_id=accepted.call.id)))

    entries = database.read(lambda reader: reader.wallets.entries(builders.ACCOUNT_ID))
    wallet = database.read(lambda reader: reader.wallets.wallet(builders.ACCOUNT_ID))

    assert wallet is not None
    empty = builders.wallet(balance_micros=0)
    *_, reckoned = wallets_after(entries, {builders.ACCOUNT_ID: empty})
    assert (4, reckoned.entries, reckoned.seal) == (len(entries), wallet.entries, wallet.seal)
    *_, other = wallets_after([*entries[:2], entries[3], entries[2]], {builders.ACCOUNT_ID: empty})
    assert reckoned == other
    assert reckoned.seal != other.seal
