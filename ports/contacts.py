"""
An account's address book, in storage.
"""

from collections.abc import Collection, Mapping
from typing import Protocol

from outdial.domain.model.contact import Contact, Person
from outdial.domain.model.listing import PageRange


class ContactsReader(Protocol):
    """
    Contacts.
    """

    def person(self, account_id: int, contact_id: int) -> Person | None:
        """
        Return an account's contact without its numbers.
        """

    def people(self, account_id: int, contact_ids: Collection[int]) -> Mapping[int, Person]:
        """
        Return those of an account's contacts that have the given rows, by their rows, without their numbers.
        """

    def contact(self, account_id: int, contact_id: int) -> Contact | None:
        """
        Return an account's contact. Read in a transaction, it stays as it is until that ends.
        """

    def page(self, account_id: int, page_range: PageRange) -> tuple[Contact, ...]:
        """
        Return a page of an account's contacts, the newest first.
        """

    def count(self, account_id: int, *, at_most: int) -> int:
        """
        Return how many contacts an account has; counting stops at `at_most`.
        """


class Contacts(ContactsReader, Protocol):
    """
    The same, with writes.
    """

    def add(self, contact: Contact) -> None:
        """
        Store a new contact with its numbers.

        Raises:
            StorageConflictError: A row of it is taken, or its account is missing.
        """

    def replace(self, contact: Contact) -> None:
        """
        Store a contact anew, with all its numbers.

        Raises:
            StorageConflictError: Its account has no such contact, or another one has a row of its numbers.
        """

    def delete(self, account_id: int, contact_id: int) -> bool:
        """
        Remove a contact with its numbers; `False` when the account has none in this row. Its row is not given again.
        """
