"""
Do-Not-Call lists and prices in SQLite.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from outdial.adapters.relational.columns import write_json
from outdial.adapters.relational.values import read_dnc_entry, read_rate
from outdial.adapters.sqlite.rows import dnc_row, rate_row
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.rate import Rate

DNC_ENTRY: Final = (
    "select account_id, phone_number, reason, listed_at from dnc where account_id = ? and phone_number = ?"
)
# Only the entry itself may be replaced; a missing account stays a conflict.
LIST_NUMBER: Final = (
    "insert into dnc (account_id, phone_number, reason, listed_at) values (?, ?, ?, ?)"
    " on conflict (account_id, phone_number) do update set reason = excluded.reason, listed_at = excluded.listed_at"
)
DELIST_NUMBER: Final = "delete from dnc where account_id = ? and phone_number = ?"
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
    Lists that rules read.
    """

    _sql: Statements

    def dnc_entry(self, account_id: int, number: PhoneNumber) -> DncEntry | None:
        """
        Return a number's entry on an account's Do-Not-Call list.
        """
        row = self._sql.one(DNC_ENTRY, account_id, number.e164)
        return None if row is None else read_dnc_entry(row)

    def rates_for(self, currency: str, number: PhoneNumber) -> tuple[Rate, ...]:
        """
        Return the rates of a currency whose prefix begins a number.
        """
        found = self._sql.all(RATES, currency, write_json(prefixes_of(number)))
        return tuple(read_rate(row) for row in found)

    def list_number(self, entry: DncEntry) -> None:
        """
        Put a number on an account's Do-Not-Call list, or replace its entry.
        """
        self._sql.write(LIST_NUMBER, *dnc_row(entry))

    def delist_number(self, account_id: int, number: PhoneNumber) -> bool:
        """
        Take a number off an account's list.
        """
        return self._sql.write(DELIST_NUMBER, account_id, number.e164) > 0

    def set_rate(self, rate: Rate) -> None:
        """
        Store the rate of a currency and prefix, or replace it.
        """
        self._sql.write(SET_RATE, *rate_row(rate))
