"""
Do-Not-Call lists in PostgreSQL.

Numbers are written first and guarded then, for as short a time as can be: nobody sees them before the commit, and
whoever rests on one's not being listed is waited for before it.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final

import attrs

from outdial.adapters.postgres.guards import OPERATOR, guard_of, guards_of
from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.rows import dnc_list_columns
from outdial.adapters.postgres.statements import Statements, Value
from outdial.adapters.relational.batches import sorted_batches
from outdial.adapters.relational.columns import write_time, write_time_or_none
from outdial.adapters.relational.values import read_dnc_entry, read_dnc_list
from outdial.domain.model.do_not_call import OPERATOR_LIST_ID, DncEntry, DncList
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.errors import StorageConflictError

SQL: Final = load("do_not_call.sql")


@attrs.frozen
class PostgresDnc:
    """
    Do-Not-Call lists.
    """

    _sql: Statements

    def lists(self, account_id: int | None) -> tuple[DncList, ...]:
        """
        Return the lists that bind an account.
        """
        return tuple(map(read_dnc_list, self._sql.all(SQL["lists"], account_id=account_id)))

    def entries_of(self, account_id: int | None, number: PhoneNumber) -> tuple[DncEntry, ...]:
        """
        Return a number's entries on those lists.
        """
        if self._sql.is_writing:
            owner = OPERATOR if account_id is None else account_id
            self._sql.all(SQL["share_guards"], guards=guards_of([(owner, number)]))
        found = self._sql.all(SQL["entries_of"], account_id=account_id, phone_number=number.e164)
        return tuple(map(read_dnc_entry, found))

    def entries_of_each(self, account_id: int, numbers: Collection[PhoneNumber]) -> tuple[DncEntry, ...]:
        """
        Return several numbers' entries on the lists that bind an account, in any order.
        """
        wanted = [number.e164 for number in numbers]
        found = self._sql.all(SQL["entries_of_each"], account_id=account_id, phone_numbers=wanted)
        return tuple(map(read_dnc_entry, found))

    def page(self, dnc_list: DncList, *, after: PhoneNumber | None, limit: int) -> tuple[DncEntry, ...]:
        """
        Return entries of a list from the one after `after` on.
        """
        place = "" if after is None else after.e164
        return tuple(map(read_dnc_entry, self._sql.all(SQL["page"], **_named(dnc_list), after=place, limit=limit)))

    def add_list(self, draft: DncList) -> DncList:
        """
        Store a new list, or return the one of its name.
        """
        known = self._known(draft)
        if known is not None:
            return known
        added = attrs.evolve(draft, id=OPERATOR_LIST_ID if draft.account_id is None else self._next_row())
        if self._sql.write(SQL["add_list"], dnc_list_columns(added)):
            return added
        known = self._known(draft)  # of another transaction, which was waited for
        if known is None:
            raise StorageConflictError(f"There is no account {draft.account_id}; nothing was written.")
        return known

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
        shared = {
            **_named(dnc_list),
            "reason": reason,
            "listed_at": write_time(listed_at),
            "expires_at": write_time_or_none(expires_at),
        }
        owner = OPERATOR if dnc_list.account_id is None else dnc_list.account_id
        guards: set[int] = set()
        for batch in sorted_batches(numbers):
            if not self._sql.write(SQL["put"], {**shared, "numbers": batch}):
                raise StorageConflictError(f"There is no list {dnc_list.id}; nothing was written.")
            guards.update(guard_of(owner, number) for number in batch)
        self._sql.write(SQL["hold_guards"], {"guards": sorted(guards)})

    def remove(self, dnc_list: DncList, number: PhoneNumber) -> bool:
        """
        Take a number off a list.
        """
        return self._sql.write(SQL["remove"], {**_named(dnc_list), "phone_number": number.e164}) > 0

    def remove_list(self, dnc_list: DncList) -> bool:
        """
        Remove a list with all its entries.
        """
        self._sql.write(SQL["remove_entries"], _named(dnc_list))
        return self._sql.write(SQL["remove_list"], _named(dnc_list)) > 0

    def _known(self, draft: DncList) -> DncList | None:
        lists = self.lists(draft.account_id)
        return next((one for one in lists if (one.account_id, one.name) == (draft.account_id, draft.name)), None)

    def _next_row(self) -> int:
        ((number,),) = self._sql.all(SQL["next_list"])
        return int(number)


def _named(dnc_list: DncList) -> dict[str, Value]:
    return {"list_id": dnc_list.id, "account_id": dnc_list.account_id}
