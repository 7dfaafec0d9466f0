"""
The address book in memory.
"""

from collections.abc import Collection, Mapping

import attrs

from outdial.adapters.memory.storage_tables import Tables
from outdial.domain.model.contact import Contact, Person
from outdial.domain.model.listing import PageRange
from outdial.ports.errors import StorageConflictError


@attrs.frozen
class MemoryContacts:
    """
    Contacts.
    """

    _tables: Tables

    def person(self, account_id: int, contact_id: int) -> Person | None:
        """
        Return an account's contact without its numbers.
        """
        contact = self.contact(account_id, contact_id)
        return contact.person if contact is not None else None

    def people(self, account_id: int, contact_ids: Collection[int]) -> Mapping[int, Person]:
        """
        Return those of an account's contacts that have the given rows, by their rows, without their numbers.
        """
        found = ((contact_id, self.person(account_id, contact_id)) for contact_id in contact_ids)
        return {contact_id: person for contact_id, person in found if person is not None}

    def contact(self, account_id: int, contact_id: int) -> Contact | None:
        """
        Return an account's contact; there is one transaction at a time, so it stays as it is.
        """
        contact = self._tables.contacts.get(contact_id)
        return contact if contact is not None and contact.account_id == account_id else None

    def page(self, account_id: int, page_range: PageRange) -> tuple[Contact, ...]:
        """
        Return a page of an account's contacts, the newest first.
        """
        before = page_range.before
        found = [contact for contact in self._of(account_id) if before is None or contact.id < before]
        return tuple(found[page_range.skip :][: page_range.limit])

    def count(self, account_id: int, *, at_most: int) -> int:
        """
        Return how many contacts an account has; counting stops at `at_most`.
        """
        return min(len(self._of(account_id)), at_most)

    def add(self, contact: Contact) -> None:
        """
        Store a new contact with its numbers.
        """
        self._tables.check_account(contact.account_id)
        if contact.id in self._tables.contacts:
            raise StorageConflictError(f"The row {contact.id} is taken; nothing was written.")
        self._put(contact)

    def replace(self, contact: Contact) -> None:
        """
        Store a contact anew, with all its numbers.
        """
        if self.contact(contact.account_id, contact.id) is None:
            raise StorageConflictError(f"There is no contact {contact.id}; nothing was written.")
        self._put(contact)

    def delete(self, account_id: int, contact_id: int) -> bool:
        """
        Remove a contact with its numbers.
        """
        is_there = self.contact(account_id, contact_id) is not None
        if is_there:
            del self._tables.contacts[contact_id]
        return is_there

    def _put(self, contact: Contact) -> None:
        others = (other for other in self._tables.contacts.values() if other.id != contact.id)
        taken = {number.id for other in others for number in other.phone_numbers}
        own = [number.id for number in contact.phone_numbers]
        if taken.intersection(own) or len(set(own)) < len(own):
            raise StorageConflictError(f"A row of the numbers of contact {contact.id} is taken; nothing was written.")
        in_order = tuple(sorted(contact.phone_numbers, key=lambda number: number.id))
        self._tables.contacts[contact.id] = attrs.evolve(contact, phone_numbers=in_order)

    def _of(self, account_id: int) -> list[Contact]:
        mine = (contact for contact in self._tables.contacts.values() if contact.account_id == account_id)
        return sorted(mine, key=lambda contact: contact.id, reverse=True)
