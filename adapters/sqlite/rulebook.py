"""
Prices in SQLite.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from outdial.adapters.relational.columns import write_json
from outdial.adapters.relational.values import read_rate
from outdial.adapters.sqlite.rows import rate_row
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.rate import Rate

RATES: Final = (
    "select currency, prefix, per_minute_micros, increment_s, minimum_s from rates"
    " where currency = ? and prefix in (select value from json_each(?))"
)
SET_RATE: Final = (
    "insert or replace into rates (currency, prefix, per_minute_micros, increment_s, minimum_s) values (?, ?, ?, ?, ?)"
)


def prefixes_of(number: PhoneNumber) -> Sequence[str]:
    """
    Return every prefix that a fitting rate may have, the empty one included.
    """
    return [number.digits[:length] for length in range(len(number.digits) + 1)]


@attrs.frozen
class SqliteRulebook:
    """
    Prices.
    """

    _sql: Statements

    def rates_for(self, currency: str, number: PhoneNumber) -> tuple[Rate, ...]:
        """
        Return the rates of a currency whose prefix begins a number.
        """
        found = self._sql.all(RATES, currency, write_json(prefixes_of(number)))
        return tuple(read_rate(row) for row in found)

    def set_rate(self, rate: Rate) -> None:
        """
        Store the rate of a currency and prefix, or replace it.
        """
        self._sql.write(SET_RATE, *rate_row(rate))
