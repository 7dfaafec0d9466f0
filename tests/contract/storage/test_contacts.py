"""
The address book: contacts with their numbers, each account's its own.
"""

from collections.abc import Callable

import attrs
import pytest

from outdial.domain.model.contact import Contact, ContactNumber, PhoneType
from outdial.domain.model.listing import PageRange
from outdial.domain.model.phone_number import PhoneNumber
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import Reader, Transaction
from tests import builders
from tests.contract.storage.database import Database, furnish_other
from tests.contract.storage.test_overlaps import Race, _running_second

HOME = ContactNumber(id=31, phone_number=PhoneNumber("+442079460018"), phone_type=PhoneType.HOME, is_primary=True)
WORK = ContactNumber(id=30, phone_number=PhoneNumber("+15557654321"), phone_type=PhoneType.WORK, is_primary=False)
ADA = Contact(
    person=builders.person(id=8, first_name="Ada", timezone="Europe/London", custom_context={"plan": {"tier": 2}}),
    phone_numbers=(WORK, HOME),
)


def _contact(
    reader: Reader | Transaction, contact_id: int = ADA.id, account_id: int = builders.ACCOUNT_ID
) -> Contact | None:
    return reader.contacts.contact(account_id, contact_id)


def _add(transaction: Transaction) -> None:
    transaction.contacts.add(ADA)


def test_a_contact_comes_back_with_its_numbers_by_their_rows(database: Database) -> None:
    """
    Whatever order they were given in; a decision reads it without them.
    """
    database.transact(lambda transaction: transaction.contacts.add(attrs.evolve(ADA, phone_numbers=(HOME, WORK))))

    assert ADA == database.read(_contact)
    assert ADA.person == database.read(lambda reader: reader.contacts.person(builders.ACCOUNT_ID, ADA.id))


def test_a_contact_may_have_no_number(database: Database) -> None:
    """
    Calls go to any number, with a contact or without.
    """
    database.transact(lambda transaction: transaction.contacts.add(attrs.evolve(ADA, phone_numbers=())))

    found = database.read(_contact)

    assert found is not None
    assert () == found.phone_numbers


@pytest.mark.parametrize("contact_id", [999, 2222, 0, -1, 2**63, 2**200])
def test_another_accounts_contact_looks_absent(database: Database, contact_id: int) -> None:
    """
    As one that never was, and as a row that none can have.
    """
    database.transact(furnish_other)

    found = database.read(
        lambda reader: (
            reader.contacts.contact(builders.ACCOUNT_ID, contact_id),
            reader.contacts.person(builders.ACCOUNT_ID, contact_id),
            reader.contacts.contact(contact_id, builders.CONTACT_ID),
            reader.contacts.person(2, builders.CONTACT_ID),
        )
    )

    assert (None,) * 4 == found


def test_the_newest_contacts_come_first(database: Database) -> None:
    """
    Each page goes on below the last row that was seen, or passes over as many as are on the pages before it.
    """
    database.transact(furnish_other)
    database.transact(_add)

    def page(before: int | None = None, skip: int = 0, limit: int = 10) -> list[int]:
        wanted = PageRange(before=before, skip=skip, limit=limit)
        found = database.read(lambda reader: reader.contacts.page(builders.ACCOUNT_ID, wanted))
        return [contact.id for contact in found]

    assert [builders.CONTACT_ID, ADA.id] == page()
    assert [builders.CONTACT_ID] == page(limit=1)
    assert [ADA.id] == page(before=builders.CONTACT_ID) == page(skip=1)
    assert [] == page(before=ADA.id) == page(skip=2) == page(before=0)


def test_contacts_are_counted_up_to_a_limit(database: Database) -> None:
    """
    Each account's own; whoever has many is not waited for.
    """
    database.transact(furnish_other)
    database.transact(_add)

    counts = database.read(
        lambda reader: [reader.contacts.count(account_id, at_most=10) for account_id in (builders.ACCOUNT_ID, 2, 3)]
    )

    assert [2, 1, 0] == counts
    assert 1 == database.read(lambda reader: reader.contacts.count(builders.ACCOUNT_ID, at_most=1))


def test_a_contact_on_a_page_has_its_own_numbers(database: Database) -> None:
    """
    The list shows what a look-up shows.
    """
    database.transact(_add)

    found = database.read(lambda reader: reader.contacts.page(builders.ACCOUNT_ID, PageRange(limit=10)))

    assert (builders.contact(), ADA) == found


def test_a_contact_is_replaced_as_a_whole(database: Database) -> None:
    """
    A number that stays keeps its row, also when another one becomes the primary one; the others are gone.
    """
    database.transact(_add)
    mobile = ContactNumber(id=32, phone_number=builders.CALLEE, phone_type=PhoneType.MOBILE, is_primary=False)
    changed = Contact(
        person=attrs.evolve(ADA.person, first_name="Ada Maria", company=None, custom_context={}),
        phone_numbers=(attrs.evolve(WORK, is_primary=True), mobile),
    )

    database.transact(lambda transaction: transaction.contacts.replace(changed))

    assert changed == database.read(_contact)


def test_a_contact_is_deleted_with_its_numbers_once(database: Database) -> None:
    """
    Neither its row nor its numbers' rows are given again.
    """

    def add_numbered(transaction: Transaction) -> Contact:
        person = builders.person(id=transaction.directory.next_id(Contact))
        number = attrs.evolve(HOME, id=transaction.directory.next_id(ContactNumber))
        contact = Contact(person=person, phone_numbers=(number,))
        transaction.contacts.add(contact)
        return contact

    first = database.transact(add_numbered)

    deleted = [
        database.transact(lambda transaction: transaction.contacts.delete(builders.ACCOUNT_ID, first.id))
        for _ in range(2)
    ]

    second = database.transact(add_numbered)
    assert [True, False] == deleted
    assert database.read(lambda reader: _contact(reader, first.id)) is None
    assert (first.id + 1, first.phone_numbers[0].id + 1) == (second.id, second.phone_numbers[0].id)


def test_nobody_deletes_or_replaces_another_accounts_contact(database: Database) -> None:
    """
    It is as if there were none.
    """
    database.transact(furnish_other)
    foreign = attrs.evolve(ADA, person=attrs.evolve(ADA.person, id=2222))

    assert not database.transact(lambda transaction: transaction.contacts.delete(builders.ACCOUNT_ID, 2222))
    with pytest.raises(StorageConflictError):
        database.transact(lambda transaction: transaction.contacts.replace(foreign))
    assert builders.contact(id=2222, account_id=2) == database.read(lambda reader: _contact(reader, 2222, 2))


@pytest.mark.parametrize(
    "contact",
    [
        attrs.evolve(ADA, person=attrs.evolve(ADA.person, id=builders.CONTACT_ID)),
        attrs.evolve(ADA, phone_numbers=(attrs.evolve(HOME, id=builders.CONTACT_ID),)),
        attrs.evolve(ADA, phone_numbers=(HOME, attrs.evolve(WORK, id=HOME.id))),
        attrs.evolve(ADA, person=attrs.evolve(ADA.person, account_id=9)),
    ],
    ids=["contact", "number", "number_twice", "account"],
)
def test_a_taken_row_or_a_missing_account_is_a_conflict(database: Database, contact: Contact) -> None:
    """
    Row numbers are given once, and nothing belongs to an account that is not there.
    """
    with pytest.raises(StorageConflictError):
        database.transact(lambda transaction: transaction.contacts.add(contact))
    assert database.read(lambda reader: reader.contacts.contact(contact.account_id, ADA.id)) is None


def check_two_changes(database: Database) -> None:
    """
    Whoever has read a contact to change it changes what is still there: neither change is lost.
    """
    race = Race()

    def change(name: str) -> Callable[[Transaction], None]:
        def work(transaction: Transaction) -> None:
            contact = _contact(transaction, builders.CONTACT_ID)
            assert contact is not None
            person = contact.person
            context = {**person.custom_context, name: 1}
            transaction.contacts.replace(attrs.evolve(contact, person=attrs.evolve(person, custom_context=context)))

        return work

    with _running_second(database, race, lambda rival: rival.transact(race.second(change("b")))) as second:
        database.transact(race.first(change("a")))

    second.result()
    found = database.read(lambda reader: _contact(reader, builders.CONTACT_ID))
    assert found is not None
    assert {"a": 1, "b": 1} == found.person.custom_context


def test_two_changes_are_made_one_after_the_other(database: Database) -> None:
    """
    On every database, however they meet.
    """
    check_two_changes(database)
