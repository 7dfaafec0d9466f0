"""
The address book in PostgreSQL.
"""

from collections.abc import Collection, Mapping
from typing import Final

import attrs

from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.rows import contact_number_columns, person_columns
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.values import Row, read_contacts, read_person
from outdial.domain.model.contact import Contact, Person
from outdial.domain.model.listing import PageRange
from outdial.ports.errors import StorageConflictError

SQL: Final = load("contacts.sql")


@attrs.frozen
class PostgresContacts:
    """
    Contacts. One that a transaction has read with its numbers is its own until it ends.
    """

    _sql: Statements

    def person(self, account_id: int, contact_id: int) -> Person | None:
        """
        Return an account's contact without its numbers.
        """
        row = self._sql.one(SQL["contact"], contact_id=contact_id, account_id=account_id)
        return None if row is None else read_person(row)

    def people(self, account_id: int, contact_ids: Collection[int]) -> Mapping[int, Person]:
        """
        Return those of an account's contacts that have the given rows, by their rows, without their numbers.
        """
        rows = self._sql.all(SQL["people"], account_id=account_id, contact_ids=list(contact_ids))
        return {person.id: person for person in map(read_person, rows)}

    def contact(self, account_id: int, contact_id: int) -> Contact | None:
        """
        Return an account's contact, locked where it may be changed.
        """
        statement = SQL["contact_to_change" if self._sql.is_writing else "contact"]
        people = self._sql.all(statement, contact_id=contact_id, account_id=account_id)
        return next(iter(self._with_numbers(account_id, people)), None)

    def page(self, account_id: int, page_range: PageRange) -> tuple[Contact, ...]:
        """
        Return a page of an account's contacts, the newest first.
        """
        people = self._sql.all(
            SQL["contacts"],
            account_id=account_id,
            before=page_range.before,
            skip=page_range.skip,
            limit=page_range.limit,
        )
        return self._with_numbers(account_id, people)

    def count(self, account_id: int, *, at_most: int) -> int:
        """
        Return how many contacts an account has; counting stops at `at_most`.
        """
        row = self._sql.one(SQL["count_contacts"], account_id=account_id, at_most=at_most)
        return 0 if row is None else int(row[0])

    def add(self, contact: Contact) -> None:
        """
        Store a new contact with its numbers.
        """
        if not self._sql.write(SQL["add_contact"], person_columns(contact.person)):
            raise StorageConflictError(
                f"The row {contact.id} is taken, or its account is missing; nothing was written."
            )
        self._add_numbers(contact)

    def replace(self, contact: Contact) -> None:
        """
        Store a contact anew, with all its numbers.
        """
        if not self._sql.write(SQL["update_contact"], person_columns(contact.person)):
            raise StorageConflictError(f"There is no contact {contact.id}; nothing was written.")
        self._sql.write(SQL["delete_numbers"], {"contact_id": contact.id, "account_id": contact.account_id})
        self._add_numbers(contact)

    def delete(self, account_id: int, contact_id: int) -> bool:
        """
        Remove a contact with its numbers.
        """
        row = {"contact_id": contact_id, "account_id": account_id}
        self._sql.write(SQL["delete_numbers"], row)
        return self._sql.write(SQL["delete_contact"], row) > 0

    def _add_numbers(self, contact: Contact) -> None:
        added = self._sql.write(SQL["add_numbers"], contact_number_columns(contact))
        if added < len(contact.phone_numbers):
            raise StorageConflictError(f"A row of the numbers of contact {contact.id} is taken; nothing was written.")

    def _with_numbers(self, account_id: int, people: list[Row]) -> tuple[Contact, ...]:
        contact_ids = [row[0] for row in people]
        numbers = self._sql.all(SQL["numbers"], account_id=account_id, contact_ids=contact_ids) if people else []
        return read_contacts(people, numbers)
