"""
All or nothing, and one at a time.
"""

import asyncio
from collections.abc import Callable

import pytest

from outdial.domain.model.lifecycle import Trigger
from outdial.domain.model.wallet import EntryKind
from outdial.domain.rules.ladder import decide_all
from outdial.ports.errors import StorageConflictError, StorageError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import (
    Database,
    Undo,
    accepted_of,
    balance_micros,
    deposit,
    everything,
    first_call,
)
from tests.listing import delist_callee, list_callee


def _write_everywhere(transaction: Transaction) -> None:
    call = transaction.calls.call_of_any_account(first_call())
    assert call is not None
    leased = call.after(Trigger.LEASE)
    assert leased is not None
    transaction.directory.add(builders.account(id=2))
    transaction.directory.add(builders.api_key(id=22))
    transaction.directory.add(builders.agent(id=222, assistant_id="assistant_other"))
    transaction.contacts.add(builders.contact(id=2222, account_id=2))
    transaction.directory.update_key(builders.api_key(revoked_at=builders.NOW))
    list_callee(transaction)
    transaction.rulebook.set_rate(builders.rate())
    transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 5))
    transaction.calls.save(leased, builders.NOW)


def test_a_work_sees_its_own_writes(database: Database) -> None:
    """
    What was written before in a transaction is read in it, and by everybody after it.
    """
    database.accept(builders.request())
    before = database.read(everything)

    def work(transaction: Transaction) -> dict[str, object]:
        _write_everywhere(transaction)
        return everything(transaction)

    inside = database.transact(work)

    assert before != inside
    assert inside == database.read(everything)


@pytest.mark.parametrize("error", [Undo, StorageConflictError, StopIteration, KeyError, SystemExit])
def test_leaving_by_an_exception_undoes_every_write(database: Database, error: type[BaseException]) -> None:
    """
    Whatever a work raises, none of its writes stays, in no table.
    """
    database.accept(builders.request())
    before = database.read(everything)

    def work(transaction: Transaction) -> None:
        _write_everywhere(transaction)
        raise error

    with pytest.raises(RuntimeError if error is StopIteration else error):
        database.transact(work)

    assert before == database.read(everything)


def test_a_conflict_can_be_caught_inside_a_transaction(database: Database) -> None:
    """
    A write that was refused leaves the others of its transaction alone.
    """

    def work(transaction: Transaction) -> None:
        transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1))
        with pytest.raises(StorageConflictError):
            transaction.directory.add(builders.account())
        with pytest.raises(StorageConflictError):
            transaction.directory.add(builders.agent())
        transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 2))

    database.transact(work)

    assert database.read(balance_micros) == 25_000_003


def test_a_failing_work_disturbs_no_other(database: Database) -> None:
    """
    Of many works at once, those that fail are undone alone and hear why themselves.
    """

    def fail(transaction: Transaction) -> int:
        transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1_000))
        raise Undo

    def conflict(transaction: Transaction) -> int:
        transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 10_000))
        transaction.directory.add(builders.account())
        return 0

    works: list[Callable[[Transaction], int]] = [deposit(1), fail, deposit(1), conflict, deposit(1), fail, deposit(1)]

    async def all_at_once() -> list[int | BaseException]:
        return await asyncio.gather(*(database.storage.transact(work) for work in works), return_exceptions=True)

    results = database.run(all_at_once())

    balances = sorted(one for one in results if isinstance(one, int))
    assert [25_000_001, 25_000_002, 25_000_003, 25_000_004] == balances
    assert [Undo, StorageConflictError, Undo] == [type(one) for one in results if isinstance(one, BaseException)]
    assert database.read(balance_micros) == 25_000_004


def test_batches_and_works_at_once_conserve_money(database: Database) -> None:
    """
    Acceptances and deposits side by side add up to what each of them said.
    """

    async def all_at_once() -> list[object]:
        batch = [builders.request()]
        return await asyncio.gather(
            *(database.storage.transact(deposit(1)) for _ in range(10)),
            *(database.storage.accept(batch, builders.policy(max_call_duration_s=60), decide_all) for _ in range(10)),
        )

    database.run(all_at_once())

    wallet = database.read(lambda reader: reader.wallets.wallet(builders.ACCOUNT_ID))
    assert wallet == builders.wallet(balance_micros=25_000_010, held_micros=500_000)


def test_reads_after_a_write_see_it(database: Database) -> None:
    """
    Whoever was told of a write finds it.
    """
    for balance in range(25_000_001, 25_000_021):
        database.transact(deposit(1))

        assert database.read(balance_micros) == balance


@pytest.mark.parametrize("error", [Undo, StopIteration, KeyError])
def test_what_a_read_raises_reaches_its_caller(database: Database, error: type[Exception]) -> None:
    """
    A failing read harms no later one.
    """

    def work(_reader: object) -> None:
        raise error

    for _ in range(5):
        with pytest.raises(RuntimeError if error is StopIteration else error):
            database.read(work)

    assert database.read(balance_micros) == 25_000_000


def test_a_closed_storage_says_so(database: Database) -> None:
    """
    After `stop`, which may be repeated, nothing is read or written.
    """
    database.run(database.storage.stop())
    database.run(database.storage.stop())

    for use in (
        lambda: database.transact(deposit(1)),
        lambda: database.read(balance_micros),
        lambda: database.accept(builders.request()),
    ):
        with pytest.raises(StorageError):
            use()


def test_starting_again_finds_everything(database: Database) -> None:
    """
    What was stored is there after `stop` and `start`, and numbers go on where they were.
    """
    database.accept(builders.request())
    database.transact(list_callee)
    database.transact(lambda transaction: transaction.rulebook.set_rate(builders.rate()))
    before = database.read(everything)

    database.restart()

    assert before == database.read(everything)
    database.transact(delist_callee)
    assert [2] == [accepted.call.id for accepted in accepted_of(database.accept(builders.request()))]
