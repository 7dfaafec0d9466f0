"""
An account's address book: who is in it, and which of their numbers must not be called.

A number's flag is its entry on the account's Do-Not-Call list `contacts`, and nothing else: calls are kept from it
like from any listed number, and it stays listed when its contact is changed or deleted.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, TypedDict  # noqa: TID251 - pydantic never reads it

import attrs

from outdial.domain.model.contact import NUMBERS_MAX, Contact, ContactNumber, Person, PhoneType
from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.do_not_call import CONTACTS_LIST, DncEntry, binding_entry
from outdial.domain.model.listing import COUNT_MAX, Page, PageRange
from outdial.domain.model.phone_number import PhoneNumber, parse_phone_number
from outdial.domain.model.principal import Account
from outdial.domain.model.reason import Reason
from outdial.domain.model.template import Variables
from outdial.domain.service.do_not_call import delist_number, list_named
from outdial.ports.storage import Reader, Transaction

NUMBERS: Final = "phone_numbers"


@attrs.frozen(kw_only=True)
class NumberDraft:
    """
    A contact's number as people write it.

    Attributes:
        phone_number: Without `+`, one of the account's region.

        is_primary: Whether it becomes the primary one; where none does, the first is.

        do_not_call: Whether it is flagged; `None` leaves that as it is.

        dnc_reason: Why it is flagged; `None` leaves the words as they are.
    """

    phone_number: str
    phone_type: PhoneType = PhoneType.OTHER
    is_primary: bool = False
    do_not_call: bool | None = None
    dnc_reason: str | None = None


Written = tuple[NumberDraft, PhoneNumber]
"""A number as it was written and as it was read."""


class ContactFields(TypedDict, total=False):
    """
    What a client says of a contact; what it leaves out stays as it is.
    """

    first_name: str
    last_name: str | None
    email: str | None
    company: str | None
    timezone: str | None
    custom_context: Variables
    phone_numbers: Sequence[NumberDraft]


@attrs.frozen(kw_only=True)
class ContactView:
    """
    A contact as a client sees it.

    Attributes:
        flags: Those of its numbers that must not be called now, each with the entry that says so.
    """

    contact: Contact
    flags: Mapping[PhoneNumber, DncEntry]


def list_contacts(reader: Reader, account: Account, page: PageRange, *, at: datetime) -> Page[ContactView]:
    """
    Return a page of the account's contacts, newest first.
    """
    found = reader.contacts.page(account.id, attrs.evolve(page, limit=page.limit + 1))
    contacts = found[: page.limit]
    return Page(
        records=_views(reader, contacts, account, at=at),
        count=reader.contacts.count(account.id, at_most=COUNT_MAX),
        range=page,
        following=contacts[-1].id if len(found) > page.limit else None,
    )


def view_contact(reader: Reader, account: Account, contact_id: int | None, *, at: datetime) -> ContactView | Refused:
    """
    Return one of the account's contacts; another account's is answered like none.

    Args:
        contact_id: `None` when the client's name for it can't be one.
    """
    contact = reader.contacts.contact(account.id, contact_id) if contact_id is not None else None
    return _view(reader, contact, account, at=at) if contact is not None else Refused(reason=Reason.NOT_FOUND)


def create_contact(
    transaction: Transaction, account: Account, at: datetime, *, fields: ContactFields
) -> ContactView | Refused:
    """
    Store a new contact; its row number is chosen here.

    Args:
        fields: With a first name.

    Raises:
        ValueError: A field is none that a contact can have.
    """
    written = _read(fields.get(NUMBERS, ()), account)
    if isinstance(written, Refused):
        return written
    contact = Contact(
        person=Person(id=transaction.directory.next_id(Contact), account_id=account.id, **_of_person(fields)),
        phone_numbers=_numbered(transaction, written, ()),
    )
    transaction.contacts.add(contact)
    return _flagged(transaction, contact, account, at, written)


def change_contact(
    transaction: Transaction, account: Account, at: datetime, *, contact_id: int | None, fields: ContactFields
) -> ContactView | Refused:
    """
    Change the fields of a contact that are given; another account's is answered like none.

    `custom_context` and `phone_numbers` are replaced as wholes. A number that stays keeps its row and, where nothing is
    said of it, its flag; a number that goes stays on whatever list it is.

    Args:
        contact_id: `None` when the client's name for it can't be one.

    Raises:
        ValueError: A field is none that a contact can have.
    """
    known = transaction.contacts.contact(account.id, contact_id) if contact_id is not None else None
    if known is None:
        return Refused(reason=Reason.NOT_FOUND)
    written = _read(fields.get(NUMBERS, ()), account)
    if isinstance(written, Refused):
        return written
    numbers = _numbered(transaction, written, known.phone_numbers) if NUMBERS in fields else known.phone_numbers
    contact = Contact(person=attrs.evolve(known.person, **_of_person(fields)), phone_numbers=numbers)
    transaction.contacts.replace(contact)
    return _flagged(transaction, contact, account, at, written)


def delete_contact(
    transaction: Transaction, account: Account, _at: datetime, *, contact_id: int | None
) -> Refused | None:
    """
    Delete a contact; its calls stay, and so do its numbers on whatever list they are.

    Args:
        contact_id: `None` when the client's name for it can't be one.
    """
    is_deleted = contact_id is not None and transaction.contacts.delete(account.id, contact_id)
    return None if is_deleted else Refused(reason=Reason.NOT_FOUND)


def _of_person(fields: ContactFields) -> dict[str, Any]:
    return {name: value for name, value in fields.items() if name != NUMBERS}


def _read(drafts: Sequence[NumberDraft], account: Account) -> list[Written] | Refused:
    read = [parse_phone_number(draft.phone_number, default_region=account.default_region) for draft in drafts]
    problems = tuple(_problems(drafts, read))
    if problems:
        return Refused(reason=Reason.VALIDATION_ERROR, problems=problems)
    return [(draft, number) for draft, number in zip(drafts, read, strict=True) if number is not None]


def _problems(drafts: Sequence[NumberDraft], read: Sequence[PhoneNumber | None]) -> Iterator[FieldProblem]:
    if len(drafts) > NUMBERS_MAX:
        yield FieldProblem(field=NUMBERS, problem=f"There are at most {NUMBERS_MAX} numbers.")
        return
    if sum(draft.is_primary for draft in drafts) > 1:
        yield FieldProblem(field=NUMBERS, problem="At most one of them is the primary one.")
    counts = Counter(read)
    for place, number in enumerate(read):
        field = f"{NUMBERS}.{place}.phone_number"
        if number is None:
            yield FieldProblem(field=field, problem="It is not a phone number such as +15551234567.")
        elif counts[number] > 1:
            yield FieldProblem(field=field, problem="It is given more than once.")


def _numbered(
    transaction: Transaction, written: Sequence[Written], known: Sequence[ContactNumber]
) -> tuple[ContactNumber, ...]:
    """
    Return numbers with rows, those that are known already with their own.
    """
    rows = {number.phone_number: number.id for number in known}
    primary = next((number for draft, number in written if draft.is_primary), written[0][1] if written else None)
    numbers = [
        ContactNumber(
            id=rows[number] if number in rows else transaction.directory.next_id(ContactNumber),
            phone_number=number,
            phone_type=draft.phone_type,
            is_primary=number == primary,
        )
        for draft, number in written
    ]
    return tuple(sorted(numbers, key=lambda number: number.id))


def _flagged(
    transaction: Transaction, contact: Contact, account: Account, at: datetime, written: Sequence[Written]
) -> ContactView:
    """
    Set and take off the flags that are spoken of, and return the contact as it is then.
    """
    to_flag = {number: draft.dnc_reason for draft, number in written if draft.do_not_call is True}
    if to_flag:
        _flag(transaction, account, to_flag, at)
    for draft, number in written:
        if draft.do_not_call is False:
            delist_number(transaction, account.id, number, list_name=CONTACTS_LIST)
    return _view(transaction, contact, account, at=at)


def _flag(transaction: Transaction, account: Account, numbers: Mapping[PhoneNumber, str | None], at: datetime) -> None:
    """
    List numbers for good; one that is listed so already keeps its date, and its reason when no other one is given.
    """
    flags = list_named(transaction, account.id, CONTACTS_LIST, at=at, source=CONTACTS_LIST)
    entries = transaction.dnc.entries_of_each(account.id, numbers)
    known = {entry.phone_number: entry for entry in entries if entry.list_id == flags.id and entry.is_live(at)}
    alike: dict[tuple[str, datetime], list[str]] = {}
    for number, reason in numbers.items():
        before = known.get(number, DncEntry(list_id=flags.id, phone_number=number, reason="", listed_at=at))
        said = reason if reason is not None else before.reason
        alike.setdefault((said, before.listed_at), []).append(number.e164)
    for (reason, listed_at), listed in alike.items():  # together: their guards are then taken in one order
        transaction.dnc.put_all(flags, listed, reason=reason, listed_at=listed_at)


def _view(reader: Reader | Transaction, contact: Contact, account: Account, *, at: datetime) -> ContactView:
    (view,) = _views(reader, (contact,), account, at=at)
    return view


def _views(
    reader: Reader | Transaction, contacts: Sequence[Contact], account: Account, *, at: datetime
) -> tuple[ContactView, ...]:
    """
    Return contacts with the flags of their numbers, looked up all at once.
    """
    numbers = {number.phone_number for contact in contacts for number in contact.phone_numbers}
    entries: dict[PhoneNumber, list[DncEntry]] = {}
    for entry in reader.dnc.entries_of_each(account.id, numbers):
        entries.setdefault(entry.phone_number, []).append(entry)
    binding = {number: binding_entry(found, at) for number, found in entries.items()}
    flags = {number: entry for number, entry in binding.items() if entry is not None}
    return tuple(
        ContactView(
            contact=contact,
            flags={
                number.phone_number: flags[number.phone_number]
                for number in contact.phone_numbers
                if number.phone_number in flags
            },
        )
        for contact in contacts
    )
