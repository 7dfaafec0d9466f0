"""
Do-Not-Call lists and prices in PostgreSQL.
"""

from collections.abc import Sequence
from typing import Final

import attrs

from outdial.adapters.postgres.guards import guard_of
from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.rows import dnc_columns, rate_columns
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.values import read_dnc_entry, read_rate
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.rate import Rate
from outdial.ports.errors import StorageConflictError

SQL: Final = load("rulebook.sql")


def prefixes_of(number: PhoneNumber) -> Sequence[str]:
    """
    Return every prefix that a fitting rate may have, the empty one included.
    """
    return [number.digits[:length] for length in range(len(number.digits) + 1)]


@attrs.frozen
class PostgresRulebook:
    """
    Lists that rules read. A number that a transaction found unlisted stays so until it ends.
    """

    _sql: Statements

    def dnc_entry(self, account_id: int, number: PhoneNumber) -> DncEntry | None:
        """
        Return a number's entry on an account's Do-Not-Call list.
        """
        if self._sql.is_writing:
            self._sql.all(SQL["share_guards"], guards=[guard_of(account_id, number)])
        row = self._sql.one(SQL["dnc_entry"], account_id=account_id, phone_number=number.e164)
        return None if row is None else read_dnc_entry(row)

    def rates_for(self, currency: str, number: PhoneNumber) -> tuple[Rate, ...]:
        """
        Return the rates of a currency whose prefix begins a number.
        """
        found = self._sql.all(SQL["rates"], currency=currency, prefixes=prefixes_of(number))
        return tuple(read_rate(row) for row in found)

    def list_number(self, entry: DncEntry) -> None:
        """
        Put a number on an account's Do-Not-Call list, or replace its entry.
        """
        self._hold_guard(entry.account_id, entry.phone_number)
        if not self._sql.write(SQL["list_number"], dnc_columns(entry)):
            raise StorageConflictError(f"There is no account {entry.account_id}; nothing was written.")

    def delist_number(self, account_id: int, number: PhoneNumber) -> bool:
        """
        Take a number off an account's list.
        """
        self._hold_guard(account_id, number)
        return self._sql.write(SQL["delist_number"], {"account_id": account_id, "phone_number": number.e164}) > 0

    def set_rate(self, rate: Rate) -> None:
        """
        Store the rate of a currency and prefix, or replace it.
        """
        self._sql.write(SQL["set_rate"], rate_columns(rate))

    def _hold_guard(self, account_id: int, number: PhoneNumber) -> None:
        self._sql.write(SQL["hold_guard"], {"guard": guard_of(account_id, number)})
