"""
What a client can do about contacts.
"""

from functools import partial
from typing import Final

import attrs

from outdial.domain.model.decision import Refused
from outdial.domain.model.listing import Page
from outdial.domain.model.principal import Permission
from outdial.domain.service.contacts import (
    ContactView,
    change_contact,
    create_contact,
    delete_contact,
    list_contacts,
    view_contact,
)
from outdial.entrypoints.client.front import Front
from outdial.entrypoints.wire.contacts import ContactChangeBody, ContactsQuery, NewContactBody

EVERY_CONTACT: Final = ContactsQuery()


@attrs.frozen
class ContactsClient:
    """
    The address book of one account.

    A contact is named by its row; `None` is a name that none can have.
    """

    _front: Front

    async def list(self, query: ContactsQuery = EVERY_CONTACT) -> Page[ContactView] | Refused:
        """
        Return a page of the account's contacts, newest first.

        Raises:
            StorageError: The database can't be read now.
        """
        work = partial(list_contacts, page=query.range, at=self._front.ports.clock.now())
        return await self._front.read(Permission.READ_CONTACTS, work)

    async def show(self, contact_id: int | None) -> ContactView | Refused:
        """
        Return one of the account's contacts.

        Raises:
            StorageError: The database can't be read now.
        """
        work = partial(view_contact, contact_id=contact_id, at=self._front.ports.clock.now())
        return await self._front.read(Permission.READ_CONTACTS, work)

    async def create(self, contact: NewContactBody) -> ContactView | Refused:
        """
        Add a contact.

        Raises:
            StorageError: Nothing was written.
        """
        return await self._front.write(Permission.WRITE_CONTACTS, partial(create_contact, fields=contact.fields))

    async def update(self, contact_id: int | None, change: ContactChangeBody) -> ContactView | Refused:
        """
        Change a contact; what `change` leaves out stays as it is.

        Raises:
            StorageError: Nothing was written.
        """
        work = partial(change_contact, contact_id=contact_id, fields=change.fields)
        return await self._front.write(Permission.WRITE_CONTACTS, work)

    async def delete(self, contact_id: int | None) -> Refused | None:
        """
        Delete a contact; its calls stay, and so do its numbers on whatever Do-Not-Call list they are.

        Raises:
            StorageError: Nothing was written.
        """
        return await self._front.write(Permission.WRITE_CONTACTS, partial(delete_contact, contact_id=contact_id))
