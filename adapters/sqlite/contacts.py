"""
The address book in SQLite.
"""

import json
from collections.abc import Collection, Mapping
from typing import Final

import attrs

from outdial.adapters.relational.values import Row, read_contacts, read_person
from outdial.adapters.sqlite.rows import contact_number_rows, person_row
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.contact import Contact, Person
from outdial.domain.model.listing import PageRange
from outdial.ports.errors import StorageConflictError

_CONTACTS: Final = (
    "select id, account_id, first_name, last_name, email, company, timezone, custom_context from contacts"
)
CONTACT: Final = _CONTACTS + " where id = ? and account_id = ?"
PEOPLE: Final = _CONTACTS + " where id in (select value from json_each(?)) and account_id = ?"
PAGE: Final = (
    _CONTACTS + " where account_id = ? and id < coalesce(?, 9223372036854775807) order by id desc limit ? offset ?"
)
COUNT: Final = "select count(*) from (select 1 from contacts where account_id = ? limit ?)"
NUMBERS: Final = (
    "select contact_id, id, phone_number, phone_type, is_primary from contact_numbers"
    " where account_id = ? and contact_id in (select value from json_each(?))"
)
ADD_CONTACT: Final = (
    "insert into contacts (first_name, last_name, email, company, timezone, custom_context, id, account_id)"
    " values (?, ?, ?, ?, ?, ?, ?, ?)"
)
UPDATE_CONTACT: Final = (
    "update contacts set first_name = ?, last_name = ?, email = ?, company = ?, timezone = ?, custom_context = ?"
    " where id = ? and account_id = ?"
)
ADD_NUMBER: Final = (
    "insert into contact_numbers (id, contact_id, account_id, phone_number, phone_type, is_primary)"
    " values (?, ?, ?, ?, ?, ?)"
)
DELETE_NUMBERS: Final = "delete from contact_numbers where contact_id = ? and account_id = ?"
DELETE_CONTACT: Final = "delete from contacts where id = ? and account_id = ?"


@attrs.frozen
class SqliteContacts:
    """
    Contacts.
    """

    _sql: Statements

    def person(self, account_id: int, contact_id: int) -> Person | None:
        """
        Return an account's contact without its numbers.
        """
        row = self._sql.one(CONTACT, contact_id, account_id)
        return None if row is None else read_person(row)

    def people(self, account_id: int, contact_ids: Collection[int]) -> Mapping[int, Person]:
        """
        Return those of an account's contacts that have the given rows, by their rows, without their numbers.
        """
        rows = self._sql.all(PEOPLE, json.dumps(list(contact_ids)), account_id)
        return {person.id: person for person in map(read_person, rows)}

    def contact(self, account_id: int, contact_id: int) -> Contact | None:
        """
        Return an account's contact; there is one transaction at a time, so it stays as it is.
        """
        return next(iter(self._with_numbers(account_id, self._sql.all(CONTACT, contact_id, account_id))), None)

    def page(self, account_id: int, page_range: PageRange) -> tuple[Contact, ...]:
        """
        Return a page of an account's contacts, the newest first.
        """
        people = self._sql.all(PAGE, account_id, page_range.before, page_range.limit, page_range.skip)
        return self._with_numbers(account_id, people)

    def count(self, account_id: int, *, at_most: int) -> int:
        """
        Return how many contacts an account has; counting stops at `at_most`.
        """
        row = self._sql.one(COUNT, account_id, at_most)
        return 0 if row is None else int(row[0])

    def add(self, contact: Contact) -> None:
        """
        Store a new contact with its numbers.
        """
        self._sql.write(ADD_CONTACT, *person_row(contact.person))
        self._sql.write_all(ADD_NUMBER, contact_number_rows(contact))

    def replace(self, contact: Contact) -> None:
        """
        Store a contact anew, with all its numbers.
        """
        if not self._sql.write(UPDATE_CONTACT, *person_row(contact.person)):
            raise StorageConflictError(f"There is no contact {contact.id}; nothing was written.")
        self._sql.write(DELETE_NUMBERS, contact.id, contact.account_id)
        self._sql.write_all(ADD_NUMBER, contact_number_rows(contact))

    def delete(self, account_id: int, contact_id: int) -> bool:
        """
        Remove a contact with its numbers.
        """
        self._sql.write(DELETE_NUMBERS, contact_id, account_id)
        return self._sql.write(DELETE_CONTACT, contact_id, account_id) > 0

    def _with_numbers(self, account_id: int, people: list[Row]) -> tuple[Contact, ...]:
        numbers = self._sql.all(NUMBERS, account_id, json.dumps([row[0] for row in people])) if people else []
        return read_contacts(people, numbers)
