"""
Prices in PostgreSQL.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.rows import rate_columns
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.values import read_rate
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.rate import Rate

SQL: Final = load("rulebook.sql")


def prefixes_of(number: PhoneNumber) -> Sequence[str]:
    """
    Return every prefix that a fitting rate may have, the empty one included.
    """
    return [number.digits[:length] for length in range(len(number.digits) + 1)]


@attrs.frozen
class PostgresRulebook:
    """
    Prices.
    """

    _sql: Statements

    def rates_for(self, currency: str, number: PhoneNumber) -> tuple[Rate, ...]:
        """
        Return the rates of a currency whose prefix begins a number.
        """
        found = self._sql.all(SQL["rates"], currency=currency, prefixes=prefixes_of(number))
        return tuple(read_rate(row) for row in found)

    def set_rate(self, rate: Rate) -> None:
        """
        Store the rate of a currency and prefix, or replace it.
        """
        self._sql.write(SQL["set_rate"], rate_columns(rate))
