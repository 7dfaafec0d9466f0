"""
Do-Not-Call lists in storage.

A number that a transaction found unlisted stays so until the transaction ends: whoever lists it meanwhile waits.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Protocol

from outdial.domain.model.do_not_call import DncEntry, DncList
from outdial.domain.model.phone_number import PhoneNumber


class DncReader(Protocol):
    """
    Do-Not-Call lists.
    """

    def lists(self, account_id: int | None) -> tuple[DncList, ...]:
        """
        Return the lists that bind an account by their rows, the operator's first; for `None` that one alone.
        """

    def entries_of(self, account_id: int | None, number: PhoneNumber) -> tuple[DncEntry, ...]:
        """
        Return a number's entries on those lists in the same order, the expired ones included.
        """

    def entries_of_each(self, account_id: int, numbers: Collection[PhoneNumber]) -> tuple[DncEntry, ...]:
        """
        Return several numbers' entries on the lists that bind an account, in any order.

        They are shown, not rested on: whoever lists a number meanwhile is not waited for.
        """

    def page(self, dnc_list: DncList, *, after: PhoneNumber | None, limit: int) -> tuple[DncEntry, ...]:
        """
        Return at most `limit` entries of a list, ordered by the bytes of their numbers, from the one after `after` on.
        """


class Dnc(DncReader, Protocol):
    """
    The same, with writes.
    """

    def add_list(self, draft: DncList) -> DncList:
        """
        Store a new list under a row never given before, whatever the draft's; an existing one of its name is returned.

        Raises:
            StorageConflictError: Its account is missing.
        """

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
        Put numbers on a list, or replace their entries. They are read as they are written, some at a time.

        Args:
            numbers: Texts that `PhoneNumber` takes.

        Raises:
            StorageConflictError: There is no such list.
        """

    def remove(self, dnc_list: DncList, number: PhoneNumber) -> bool:
        """
        Take a number off a list; `False` when it was not on it.
        """

    def remove_list(self, dnc_list: DncList) -> bool:
        """
        Remove a list with all its entries; `False` when there is no such list.
        """
