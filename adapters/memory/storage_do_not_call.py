"""
Do-Not-Call lists in memory.
"""

from collections.abc import Collection, Iterable
from datetime import datetime

import attrs

from outdial.adapters.memory.storage_tables import Tables
from outdial.domain.model.do_not_call import OPERATOR_LIST_ID, DncEntry, DncList
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.errors import StorageConflictError


@attrs.frozen
class MemoryDnc:
    """
    Do-Not-Call lists.
    """

    _tables: Tables

    def lists(self, account_id: int | None) -> tuple[DncList, ...]:
        """
        Return the lists that bind an account.
        """
        binding = (one for one in self._tables.dnc_lists.values() if one.account_id in {None, account_id})
        return tuple(sorted(binding, key=lambda one: one.id))

    def entries_of(self, account_id: int | None, number: PhoneNumber) -> tuple[DncEntry, ...]:
        """
        Return a number's entries on those lists.
        """
        found = (self._tables.dnc.get((one.id, number.e164)) for one in self.lists(account_id))
        return tuple(entry for entry in found if entry is not None)

    def entries_of_each(self, account_id: int, numbers: Collection[PhoneNumber]) -> tuple[DncEntry, ...]:
        """
        Return several numbers' entries on the lists that bind an account, in any order.
        """
        return tuple(entry for number in numbers for entry in self.entries_of(account_id, number))

    def page(self, dnc_list: DncList, *, after: PhoneNumber | None, limit: int) -> tuple[DncEntry, ...]:
        """
        Return entries of a list from the one after `after` on.
        """
        place = "" if after is None else after.e164
        numbers = sorted(number for list_id, number in self._tables.dnc if list_id == dnc_list.id and number > place)
        return tuple(self._tables.dnc[dnc_list.id, number] for number in numbers[:limit])

    def add_list(self, draft: DncList) -> DncList:
        """
        Store a new list, or return the one of its name.
        """
        named = (draft.account_id, draft.name)
        lists = self._tables.dnc_lists
        known = next((one for one in lists.values() if (one.account_id, one.name) == named), None)
        if known is not None:
            return known
        number = OPERATOR_LIST_ID
        if draft.account_id is not None:
            self._tables.check_account(draft.account_id)
            number = self._tables.last_ids[DncList] = self._tables.last_ids.get(DncList, 0) + 1
        lists[number] = attrs.evolve(draft, id=number)
        return lists[number]

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
        if dnc_list.id not in self._tables.dnc_lists:
            raise StorageConflictError(f"There is no list {dnc_list.id}; nothing was written.")
        for number in numbers:
            self._tables.dnc[dnc_list.id, number] = DncEntry(
                list_id=dnc_list.id,
                phone_number=PhoneNumber(number),
                reason=reason,
                listed_at=listed_at,
                expires_at=expires_at,
            )

    def remove(self, dnc_list: DncList, number: PhoneNumber) -> bool:
        """
        Take a number off a list.
        """
        return self._tables.dnc.pop((dnc_list.id, number.e164), None) is not None

    def remove_list(self, dnc_list: DncList) -> bool:
        """
        Remove a list with all its entries.
        """
        for list_id, number in list(self._tables.dnc):
            if list_id == dnc_list.id:
                del self._tables.dnc[list_id, number]
        return self._tables.dnc_lists.pop(dnc_list.id, None) is not None
