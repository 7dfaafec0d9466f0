"""
Rates.
"""

from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database


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
