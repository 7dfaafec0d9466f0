"""
Do-Not-Call lists.
"""

from datetime import timedelta

import pytest

from outdial.domain.model.do_not_call import OPERATOR_LIST_ID, DncEntry, DncList
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.service.do_not_call import list_named, list_number, own_lists
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import Reader, Transaction
from tests import builders
from tests.contract.storage.database import Database, furnish_other
from tests.listing import delist_callee, list_callee

NUMBERS = tuple(f"+1555000{last:04}" for last in range(5))


def _list(**changes: object) -> DncList:
    draft: dict[str, object] = {"id": 0, "account_id": 1, "name": "federal", "source": "the registry"}
    return DncList(**{**draft, "created_at": builders.CREATED_AT, **changes})  # type: ignore[arg-type]


def _put(transaction: Transaction, **changes: object) -> DncList:
    added = transaction.dnc.add_list(_list(**changes))
    transaction.dnc.put_all(added, NUMBERS, reason="registered", listed_at=builders.NOW)
    return added


def test_a_listed_number_binds_its_account_alone(database: Database) -> None:
    """
    Each account has lists of its own.
    """
    database.transact(furnish_other)

    found = database.read(
        lambda reader: (
            reader.dnc.entries_of(builders.ACCOUNT_ID, builders.CALLEE),
            reader.dnc.entries_of(2, builders.CALLEE),
            reader.dnc.entries_of(2, builders.CALLER_ID),
            reader.dnc.entries_of(None, builders.CALLEE),
        )
    )

    assert found == ((), (builders.dnc_entry(),), (), ())


def test_the_operators_list_binds_every_account_and_comes_first(database: Database) -> None:
    """
    A number on the operator's list and two of the account's has three entries for it, one for another account.
    """
    database.transact(furnish_other)

    def work(transaction: Transaction) -> None:
        delist_callee(transaction, 2)
        list_callee(transaction, list_name="first")
        list_callee(transaction, list_name="second")
        list_callee(transaction, None, reason="never")

    database.transact(work)

    def look(reader: Reader) -> list[list[int]]:
        owners = (builders.ACCOUNT_ID, 2, None)
        return [[one.list_id for one in reader.dnc.entries_of(owner, builders.CALLEE)] for owner in owners]

    mine, other, operators = database.read(look)
    assert mine[0] == OPERATOR_LIST_ID
    assert len(mine) == 3
    assert mine == sorted(mine)
    assert other == operators == [OPERATOR_LIST_ID]


def test_lists_that_bind_come_by_their_rows(database: Database) -> None:
    """
    The operator's list is first, whenever it was made; for the operator it is the only one.
    """
    database.transact(furnish_other)

    def work(transaction: Transaction) -> tuple[DncList, ...]:
        first, second = transaction.dnc.add_list(_list(name="b")), transaction.dnc.add_list(_list(name="a"))
        return transaction.dnc.add_list(_list(account_id=None, name="operator")), first, second

    operators, first, second = database.transact(work)

    lists = database.read(lambda reader: (reader.dnc.lists(1), reader.dnc.lists(None)))
    assert lists == ((operators, first, second), (operators,))
    assert operators == _list(id=OPERATOR_LIST_ID, account_id=None, name="operator")
    assert 0 < first.id < second.id


def test_a_list_of_the_same_name_is_the_same(database: Database) -> None:
    """
    Adding it again changes nothing and returns what there was; another account's name is another list.
    """
    database.transact(furnish_other)
    first = database.transact(lambda transaction: transaction.dnc.add_list(_list()))

    again, other = database.transact(
        lambda transaction: (
            transaction.dnc.add_list(_list(source="elsewhere")),
            transaction.dnc.add_list(_list(account_id=2)),
        )
    )

    assert again == first
    assert other.id != first.id


def test_a_removed_lists_row_is_never_given_again(database: Database) -> None:
    """
    A removed list takes its entries along, and no later list answers to its row.
    """
    gone = database.transact(_put)
    kept = database.transact(lambda transaction: _put(transaction, name="kept"))

    removed = [database.transact(lambda transaction: transaction.dnc.remove_list(kept)) for _ in range(2)]
    later = database.transact(lambda transaction: transaction.dnc.add_list(_list(name="later")))

    assert removed == [True, False]
    assert later.id > kept.id
    found = database.read(
        lambda reader: (reader.dnc.page(kept, after=None, limit=9), len(reader.dnc.page(gone, after=None, limit=9)))
    )
    assert found == ((), len(NUMBERS))


def test_putting_again_replaces_the_entry(database: Database) -> None:
    """
    The last reason and times stand, also where a number comes twice at once.
    """
    until = builders.NOW + timedelta(days=1)
    database.transact(list_callee)

    def put_twice(transaction: Transaction) -> None:
        (default,) = transaction.dnc.lists(builders.ACCOUNT_ID)
        twice = [builders.CALLEE.e164] * 2
        transaction.dnc.put_all(default, twice, reason="again", listed_at=builders.CREATED_AT, expires_at=until)

    database.transact(put_twice)

    expected = builders.dnc_entry(reason="again", listed_at=builders.CREATED_AT, expires_at=until)
    assert (expected,) == database.read(lambda reader: reader.dnc.entries_of(1, builders.CALLEE))


def test_nobodys_list_does_not_exist(database: Database) -> None:
    """
    A list of a missing account, and numbers on a missing list, are conflicts.
    """
    with pytest.raises(StorageConflictError):
        database.transact(lambda transaction: transaction.dnc.add_list(_list(account_id=9)))
    with pytest.raises(StorageConflictError):
        database.transact(
            lambda transaction: transaction.dnc.put_all(_list(id=99), NUMBERS, reason="", listed_at=builders.NOW)
        )


def test_removing_tells_whether_the_number_was_listed(database: Database) -> None:
    """
    The first removal finds an entry, the second none; other numbers stay.
    """
    added = database.transact(_put)

    removed = [
        database.transact(lambda transaction: transaction.dnc.remove(added, PhoneNumber(NUMBERS[2]))) for _ in range(2)
    ]

    assert removed == [True, False]
    left = database.read(lambda reader: reader.dnc.page(added, after=None, limit=9))
    assert [number for number in NUMBERS if number != NUMBERS[2]] == [entry.phone_number.e164 for entry in left]


def test_pages_follow_each_other_in_order(database: Database) -> None:
    """
    Every entry of the list comes once, and none of another list.
    """
    added = database.transact(_put)
    database.transact(lambda transaction: _put(transaction, name="another"))

    pages: list[tuple[DncEntry, ...]] = []
    after: PhoneNumber | None = None
    while not pages or pages[-1]:
        page = database.read(lambda reader, after=after: reader.dnc.page(added, after=after, limit=2))  # type: ignore[misc]
        pages.append(page)
        after = page[-1].phone_number if page else after

    assert [2, 2, 1, 0] == [len(page) for page in pages]
    entries = [entry for page in pages for entry in page]
    assert list(NUMBERS) == [entry.phone_number.e164 for entry in entries]
    assert {added.id} == {entry.list_id for entry in entries}


def test_many_numbers_are_put_at_once(database: Database) -> None:
    """
    More numbers than are in memory at once, in any order, twice each.
    """
    numbers = [f"+1555{last:07}" for last in range(10_050)]

    def work(transaction: Transaction) -> None:
        added = transaction.dnc.add_list(_list())
        transaction.dnc.put_all(added, (*reversed(numbers), *numbers), reason="", listed_at=builders.NOW)

    database.transact(work)

    def count(reader: Reader) -> int:
        (federal,) = own_lists(reader, 1)
        return len(reader.dnc.page(federal, after=None, limit=100_000))

    assert len(numbers) == database.read(count)


def test_two_transactions_that_make_a_list_get_the_same(database: Database) -> None:
    """
    Whoever comes second finds the list of the first, on another handle, too.
    """
    rival = database.rival()

    first = database.transact(lambda transaction: list_named(transaction, 1, "default", at=builders.NOW))
    entry = rival.transact(lambda transaction: list_number(transaction, 1, builders.CALLEE, at=builders.NOW))

    assert first.id == entry.list_id
