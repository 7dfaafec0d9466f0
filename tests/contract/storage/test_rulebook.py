"""
Do-Not-Call lists and rates.
"""

import pytest

from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, furnish_other


def test_a_listed_number_is_found_in_its_account_alone(database: Database) -> None:
    """
    Each account has a list of its own.
    """
    database.transact(furnish_other)

    found = database.read(
        lambda reader: (
            reader.rulebook.dnc_entry(builders.ACCOUNT_ID, builders.CALLEE),
            reader.rulebook.dnc_entry(2, builders.CALLEE),
            reader.rulebook.dnc_entry(2, builders.CALLER_ID),
        )
    )

    assert found == (None, builders.dnc_entry(account_id=2), None)


def test_listing_again_replaces_the_entry(database: Database) -> None:
    """
    The last reason and time stand.
    """
    second = builders.dnc_entry(reason="again", listed_at=builders.CREATED_AT)
    database.transact(lambda transaction: transaction.rulebook.list_number(builders.dnc_entry()))

    database.transact(lambda transaction: transaction.rulebook.list_number(second))

    assert second == database.read(lambda reader: reader.rulebook.dnc_entry(builders.ACCOUNT_ID, builders.CALLEE))


def test_listing_for_a_missing_account_is_a_conflict(database: Database) -> None:
    """
    Nobody's list does not exist.
    """
    with pytest.raises(StorageConflictError):
        database.transact(lambda transaction: transaction.rulebook.list_number(builders.dnc_entry(account_id=9)))


def test_delisting_tells_whether_the_number_was_listed(database: Database) -> None:
    """
    The first removal finds an entry, the second none.
    """
    database.transact(lambda transaction: transaction.rulebook.list_number(builders.dnc_entry()))

    removed = [
        database.transact(lambda transaction: transaction.rulebook.delist_number(builders.ACCOUNT_ID, builders.CALLEE))
        for _ in range(2)
    ]

    assert removed == [True, False]
    assert database.read(lambda reader: reader.rulebook.dnc_entry(builders.ACCOUNT_ID, builders.CALLEE)) is None


def test_rates_are_found_by_every_prefix_of_a_number(database: Database) -> None:
    """
    All prefixes count, from none to the whole number, in the currency that was asked for.
    """
    digits = builders.CALLEE.digits
    fitting = {builders.rate(prefix=digits[:length]) for length in (0, 1, 4, len(digits))}
    others = {
        builders.rate(prefix="49"),
        builders.rate(prefix=digits + "0"),
        builders.rate(prefix="1", currency="EUR"),
    }

    def set_all(transaction: Transaction) -> None:
        for rate in fitting | others:
            transaction.rulebook.set_rate(rate)

    database.transact(set_all)

    assert fitting == set(database.read(lambda reader: reader.rulebook.rates_for("USD", builders.CALLEE)))
    assert database.read(lambda reader: reader.rulebook.rates_for("GBP", builders.CALLEE)) == ()
    assert database.read(lambda reader: reader.rulebook.rates_for("EUR", PhoneNumber("+4930123456"))) == ()


def test_setting_a_rate_again_replaces_it(database: Database) -> None:
    """
    A currency and prefix has one rate, the last.
    """
    second = builders.rate(per_minute_micros=7, increment_s=1, minimum_s=30)
    database.transact(lambda transaction: transaction.rulebook.set_rate(builders.rate()))

    database.transact(lambda transaction: transaction.rulebook.set_rate(second))

    assert database.read(lambda reader: reader.rulebook.rates_for("USD", builders.CALLEE)) == (second,)
