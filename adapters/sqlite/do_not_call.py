"""
Do-Not-Call lists in SQLite.
"""

import json
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import attrs

from outdial.adapters.relational.batches import sorted_batches
from outdial.adapters.relational.columns import write_json, write_time, write_time_or_none
from outdial.adapters.relational.values import read_dnc_entry, read_dnc_list
from outdial.adapters.sqlite.directory import next_row
from outdial.adapters.sqlite.rows import dnc_list_row
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.do_not_call import OPERATOR_LIST_ID, DncEntry, DncList
from outdial.domain.model.phone_number import PhoneNumber

LISTS: Final = "select id, account_id, name, source, created_at from dnc_lists where id = 0 or account_id = ?"
ENTRIES_OF: Final = (
    "select list_id, phone_number, reason, listed_at, expires_at"
    " from dnc_lists cross join dnc on list_id = id and phone_number = ? where id = 0 or account_id = ?"
)
ENTRIES_OF_EACH: Final = (
    "select list_id, phone_number, reason, listed_at, expires_at from json_each(?) as wanted"
    " cross join dnc_lists cross join dnc on list_id = dnc_lists.id and phone_number = wanted.value"
    " where dnc_lists.id = 0 or account_id = ?"
)
PAGE: Final = (
    "select list_id, phone_number, reason, listed_at, expires_at from dnc"
    " where list_id = ? and phone_number > ? order by phone_number limit ?"
)
HIGHEST_LIST: Final = "select max(id) from dnc_lists"
ADD_LIST: Final = "insert into dnc_lists (id, account_id, name, source, created_at) values (?, ?, ?, ?, ?)"
PUT: Final = (
    "insert into dnc (list_id, phone_number, reason, listed_at, expires_at)"
    " select ?, value, ?, ?, ? from json_each(?) where true on conflict (list_id, phone_number) do update"
    " set reason = excluded.reason, listed_at = excluded.listed_at, expires_at = excluded.expires_at"
)
REMOVE: Final = "delete from dnc where list_id = ? and phone_number = ?"
REMOVE_ENTRIES: Final = "delete from dnc where list_id = ?"
REMOVE_LIST: Final = "delete from dnc_lists where id = ?"


@attrs.frozen
class SqliteDnc:
    """
    Do-Not-Call lists.
    """

    _sql: Statements

    def lists(self, account_id: int | None) -> tuple[DncList, ...]:
        """
        Return the lists that bind an account.
        """
        return tuple(map(read_dnc_list, sorted(self._sql.all(LISTS, account_id))))

    def entries_of(self, account_id: int | None, number: PhoneNumber) -> tuple[DncEntry, ...]:
        """
        Return a number's entries on those lists.
        """
        return tuple(map(read_dnc_entry, sorted(self._sql.all(ENTRIES_OF, number.e164, account_id))))

    def entries_of_each(self, account_id: int, numbers: Collection[PhoneNumber]) -> tuple[DncEntry, ...]:
        """
        Return several numbers' entries on the lists that bind an account, in any order.
        """
        found = self._sql.all(ENTRIES_OF_EACH, json.dumps([number.e164 for number in numbers]), account_id)
        return tuple(map(read_dnc_entry, found))

    def page(self, dnc_list: DncList, *, after: PhoneNumber | None, limit: int) -> tuple[DncEntry, ...]:
        """
        Return entries of a list from the one after `after` on.
        """
        found = self._sql.all(PAGE, dnc_list.id, "" if after is None else after.e164, limit)
        return tuple(map(read_dnc_entry, found))

    def add_list(self, draft: DncList) -> DncList:
        """
        Store a new list, or return the one of its name.
        """
        known = next((one for one in self.lists(draft.account_id) if _is_same(one, draft)), None)
        if known is not None:
            return known
        is_operators = draft.account_id is None
        number = OPERATOR_LIST_ID if is_operators else next_row(self._sql, "dnc_lists", HIGHEST_LIST)
        added = attrs.evolve(draft, id=number)
        self._sql.write(ADD_LIST, *dnc_list_row(added))
        return added

    def put_all(
        self,
        dnc_list: DncList,
        numbers: Iterable[str],
        *,
        reason: str,
        listed_at: datetime,
        expires_at: datetime | None = None,
    ) -> None:
        """
        Put numbers on a list, or replace their entries.
        """
        shared = (reason, write_time(listed_at), write_time_or_none(expires_at))
        for batch in sorted_batches(numbers):
            self._sql.write(PUT, dnc_list.id, *shared, write_json(batch))

    def remove(self, dnc_list: DncList, number: PhoneNumber) -> bool:
        """
        Take a number off a list.
        """
        return self._sql.write(REMOVE, dnc_list.id, number.e164) > 0

    def remove_list(self, dnc_list: DncList) -> bool:
        """
        Remove a list with all its entries.
        """
        self._sql.write(REMOVE_ENTRIES, dnc_list.id)
        return self._sql.write(REMOVE_LIST, dnc_list.id) > 0


def _is_same(one: DncList, other: DncList) -> bool:
    return (one.account_id, one.name) == (other.account_id, other.name)
