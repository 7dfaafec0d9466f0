"""
What a client can do about numbers that must not be called.
"""

from datetime import datetime
from functools import partial
from typing import Final

import attrs

from outdial.domain.model.decision import Refused
from outdial.domain.model.do_not_call import DncList
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.principal import Permission
from outdial.domain.service import own_lists
from outdial.domain.service.do_not_call import ListedNumber
from outdial.domain.service.own_lists import NumbersPage, Standing
from outdial.entrypoints.client.front import Front
from outdial.entrypoints.wire.do_not_call import ListDraft, NumberDraft, NumbersQuery
from outdial.entrypoints.wire.reading import read

EVERY_NUMBER: Final = NumbersQuery()


@attrs.frozen
class DncClient:
    """
    Do-Not-Call lists of one account. Every method raises `StorageError` when the database can't be used now.
    """

    _front: Front

    async def lists(self) -> tuple[DncList, ...] | Refused:
        """
        Return the account's lists.
        """
        return await self._front.read(Permission.MANAGE_DNC, own_lists.lists_of)

    async def create_list(self, name: str, *, source: str = "") -> DncList | Refused:
        """
        Make a list; one that has the name already is returned as it is.
        """
        draft = read(ListDraft, {"name": name, "source": source})
        if isinstance(draft, Refused):
            return await self._front.refuse(Permission.MANAGE_DNC, draft)
        work = partial(own_lists.create_list, name=draft.name, source=draft.source)
        return await self._front.write(Permission.MANAGE_DNC, work)

    async def show_list(self, list_id: int | None) -> DncList | Refused:
        """
        Return one of the account's lists.

        Args:
            list_id: `None` when the client's name for it can't be one.
        """
        return await self._front.read(Permission.MANAGE_DNC, partial(own_lists.list_of, list_id=list_id))

    async def remove_list(self, list_id: int | None) -> DncList | Refused:
        """
        Remove one of the account's lists with all its numbers, and return what it was.

        Args:
            list_id: `None` when the client's name for it can't be one.
        """
        return await self._front.write(Permission.MANAGE_DNC, partial(own_lists.remove_list, list_id=list_id))

    async def numbers(self, query: NumbersQuery = EVERY_NUMBER) -> NumbersPage | Refused:
        """
        Return a page of the numbers on the account's lists, by list and number.
        """
        now = self._front.ports.clock.now()
        work = partial(own_lists.page_of, wanted=query.wanted, limit=query.limit, at=now)
        return await self._front.read(Permission.MANAGE_DNC, work)

    async def add(
        self, phone_number: str, *, list_id: int | None = None, reason: str = "", expires_at: datetime | None = None
    ) -> ListedNumber | Refused:
        """
        Put a number on one of the account's lists, or replace its entry: it is not dialled from this moment on.

        Args:
            list_id: `None` for the list `default`.

            expires_at: From when on it may be dialled again.
        """
        draft = read(
            NumberDraft,
            {"phone_number": phone_number, "list_id": list_id, "reason": reason, "expires_at": expires_at},
        )
        if isinstance(draft, Refused):
            return await self._front.refuse(Permission.MANAGE_DNC, draft)
        work = partial(
            own_lists.put_number,
            text=draft.phone_number,
            list_id=draft.list_id,
            reason=draft.reason,
            expires_at=draft.expires_at,
        )
        return await self._front.write(Permission.MANAGE_DNC, work)

    async def show(self, phone_number: str) -> Standing | Refused:
        """
        Tell which lists say what of a number, the operator's included.
        """
        work = partial(own_lists.standing_of, text=phone_number, at=self._front.ports.clock.now())
        return await self._front.read(Permission.MANAGE_DNC, work)

    async def remove(self, phone_number: str, *, list_id: int | None = None) -> PhoneNumber | Refused:
        """
        Take a number off all of the account's lists, or off one of them; never off the operator's.
        """
        work = partial(own_lists.remove_number, text=phone_number, list_id=list_id)
        return await self._front.write(Permission.MANAGE_DNC, work)
