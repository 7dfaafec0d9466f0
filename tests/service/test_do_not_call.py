"""
Which Do-Not-Call list says what of a number.
"""

from datetime import timedelta

import pytest

from outdial.domain.model.do_not_call import CONTACTS_LIST, DEFAULT_LIST, OPERATOR_LIST, OPERATOR_LIST_ID
from outdial.domain.service.do_not_call import delist_number, list_named, list_number, listed, own_lists
from outdial.ports.errors import UnknownRecordError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database
from tests.service.calls import after

NOBODY = 9
ACCOUNT = builders.ACCOUNT_ID


def _list(transaction: Transaction, account_id: int | None = ACCOUNT, **changes: object) -> int:
    given: dict[str, object] = {"at": after(0), **changes}
    return list_number(transaction, account_id, builders.CALLEE, **given).list_id  # type: ignore[arg-type]


def test_the_first_listing_makes_the_default_list(database: Database) -> None:
    """
    Nobody has to set up a list before a number can be put on it; the second number goes to the same.
    """
    first = database.transact(_list)

    second = database.transact(lambda one: list_number(one, ACCOUNT, builders.CALLER_ID, at=after(1)).list_id)

    lists = database.read(lambda reader: own_lists(reader, ACCOUNT))
    assert [(first, DEFAULT_LIST, ACCOUNT, after(0))] == [(a.id, a.name, a.account_id, a.created_at) for a in lists]
    assert first == second


def test_a_number_is_off_when_it_is_on_none_of_the_lists(database: Database) -> None:
    """
    Taking it off the list that is named leaves it on the others; taking it off without a name, on none.
    """
    default, contacts = database.transact(lambda one: (_list(one), _list(one, list_name=CONTACTS_LIST)))

    def work(transaction: Transaction) -> list[object]:
        seen: list[object] = []
        for name in (CONTACTS_LIST, CONTACTS_LIST, "unknown", None, None):
            seen.append(delist_number(transaction, ACCOUNT, builders.CALLEE, list_name=name))
            entry = listed(transaction, ACCOUNT, builders.CALLEE, at=after(1))
            seen.append(entry and entry.list_id)
        return seen

    assert [True, default, False, default, False, default, True, None, False, None] == database.transact(work)
    assert default != contacts


def test_an_account_can_not_take_off_what_the_operator_listed(database: Database) -> None:
    """
    The operator's list always wins, and only the operator changes it.
    """
    database.transact(lambda one: (_list(one), _list(one, None, reason="never")))

    taken = database.transact(lambda one: delist_number(one, ACCOUNT, builders.CALLEE))
    named = database.transact(lambda one: delist_number(one, ACCOUNT, builders.CALLEE, list_name=OPERATOR_LIST))
    entry = database.read(lambda reader: listed(reader, ACCOUNT, builders.CALLEE, at=after(1)))
    by_operator = database.transact(lambda one: delist_number(one, None, builders.CALLEE))

    assert (True, False, True) == (taken, named, by_operator)
    assert entry is not None
    assert (OPERATOR_LIST_ID, "never") == (entry.list_id, entry.reason)
    assert database.read(lambda reader: listed(reader, ACCOUNT, builders.CALLEE, at=after(1))) is None


def test_an_entry_counts_until_it_expires(database: Database) -> None:
    """
    From that moment on another entry counts, or none.
    """

    def work(transaction: Transaction) -> tuple[int, int]:
        _list(transaction, None, expires_at=after(10))
        return _list(transaction, expires_at=after(30)), _list(transaction, list_name="second", expires_at=after(20))

    default, second = database.transact(work)

    moment = timedelta(microseconds=1)
    found = [
        database.read(lambda reader, at=at: listed(reader, ACCOUNT, builders.CALLEE, at=at))  # type: ignore[misc]
        for at in (after(10) - moment, after(10), after(20), after(30) - moment, after(30))
    ]

    assert [OPERATOR_LIST_ID, default, default, default, None] == [entry and entry.list_id for entry in found]
    assert default < second


def test_the_operator_has_one_list(database: Database) -> None:
    """
    Whatever the name that is asked for.
    """
    first, second = database.transact(
        lambda one: (list_named(one, None, "default", at=after(0)), list_named(one, None, "other", at=after(1)))
    )

    assert first == second
    assert (OPERATOR_LIST_ID, OPERATOR_LIST, None) == (first.id, first.name, first.account_id)
    assert (first,) == database.read(lambda reader: own_lists(reader, None))


def test_an_accounts_list_is_not_the_operators(database: Database) -> None:
    """
    An account that names a list like the operator's has its own.
    """
    own = database.transact(lambda one: _list(one, list_name=OPERATOR_LIST))

    operators = database.transact(lambda one: _list(one, None))

    assert OPERATOR_LIST_ID == operators != own


@pytest.mark.parametrize(
    "work",
    [
        lambda one: list_number(one, NOBODY, builders.CALLEE, at=after(0)),
        lambda one: delist_number(one, NOBODY, builders.CALLEE),
        lambda one: own_lists(one, NOBODY),
    ],
    ids=["listing", "delisting", "lists"],
)
def test_nobody_has_no_list(database: Database, work: object) -> None:
    """
    An account that does not exist is named in the error.
    """
    with pytest.raises(UnknownRecordError, match=str(NOBODY)):
        database.transact(work)  # type: ignore[arg-type]
