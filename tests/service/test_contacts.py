"""
The address book: fields, numbers and flags, the account's own and nobody else's.
"""

from functools import partial
from typing import Any

import attrs
import pytest

from outdial.domain.model.contact import NUMBERS_MAX, PhoneType
from outdial.domain.model.decision import Accepted, FieldProblem, Refused
from outdial.domain.model.do_not_call import CONTACTS_LIST, DncEntry
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.listing import PageRange
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.reason import Reason
from outdial.domain.service.contacts import (
    ContactFields,
    ContactView,
    NumberDraft,
    change_contact,
    create_contact,
    delete_contact,
    list_contacts,
    view_contact,
)
from outdial.domain.service.dialling import pass_no_return
from outdial.domain.service.do_not_call import delist_number, own_lists
from outdial.domain.service.reading import CallView, view_call
from tests import builders
from tests.contract.storage.database import Database, furnish_other
from tests.listing import list_callee, listed
from tests.service.calls import after, in_state, now

ACCOUNT = builders.account(default_region="GB")
LONDON = "020 7946 0018"
LONDON_NUMBER = PhoneNumber("+442079460018")
CALLEE = builders.CALLEE.e164
NOT_FOUND = Refused(reason=Reason.NOT_FOUND)


def _create(database: Database, *, seconds: float = 0, **fields: Any) -> ContactView:
    said = ContactFields(**{"first_name": "Ada", **fields})  # type: ignore[typeddict-item]
    view = database.transact(partial(create_contact, account=ACCOUNT, at=after(seconds), fields=said))
    assert isinstance(view, ContactView)
    return view


def _change(database: Database, contact_id: int | None, *, seconds: float = 0, **fields: Any) -> ContactView | Refused:
    said = ContactFields(**fields)  # type: ignore[typeddict-item]
    return database.transact(
        partial(change_contact, account=ACCOUNT, at=after(seconds), contact_id=contact_id, fields=said)
    )


def _view(database: Database, contact_id: int | None, *, seconds: float = 0) -> ContactView | Refused:
    return database.read(partial(view_contact, account=ACCOUNT, contact_id=contact_id, at=after(seconds)))


def _numbers(*drafts: str | NumberDraft) -> tuple[NumberDraft, ...]:
    return tuple(NumberDraft(phone_number=draft) if isinstance(draft, str) else draft for draft in drafts)


def _flag(view: ContactView | Refused, number: PhoneNumber = builders.CALLEE) -> DncEntry | None:
    assert isinstance(view, ContactView)
    return view.flags.get(number)


def test_a_new_contact_is_numbered_and_shown(database: Database) -> None:
    """
    Its numbers are read as the account's people write them; the first one is the primary one.
    """
    context = {"plan": {"seats": 3}}

    view = _create(
        database,
        last_name="Lovelace",
        timezone="Europe/London",
        custom_context=context,
        phone_numbers=_numbers(LONDON, CALLEE),
    )

    person, numbers = view.contact.person, view.contact.phone_numbers
    assert (builders.CONTACT_ID + 1, builders.ACCOUNT_ID, "Ada Lovelace") == (person.id, person.account_id, person.name)
    assert ("Europe/London", context) == (person.timezone, person.custom_context)
    assert [(LONDON_NUMBER, True), (builders.CALLEE, False)] == [(one.phone_number, one.is_primary) for one in numbers]
    assert len({number.id for number in numbers}) == len(numbers)
    assert {} == view.flags
    assert view == _view(database, person.id)


def test_a_change_leaves_alone_what_it_does_not_name(database: Database) -> None:
    """
    A field that is null is cleared, numbers and context are replaced as wholes.
    """
    before = _create(database, last_name="L", email="a@b", custom_context={"a": 1}, phone_numbers=_numbers(LONDON))
    contact = before.contact

    renamed = _change(database, contact.id, first_name="Augusta", last_name=None)
    replaced = _change(database, contact.id, custom_context={"b": 2})

    changed = attrs.evolve(contact, person=attrs.evolve(contact.person, first_name="Augusta", last_name=None))
    assert attrs.evolve(before, contact=changed) == renamed
    again = attrs.evolve(changed, person=attrs.evolve(changed.person, custom_context={"b": 2}))
    assert attrs.evolve(before, contact=again) == replaced == _view(database, contact.id)


def test_a_number_that_stays_keeps_its_row(database: Database) -> None:
    """
    Also when its kind changes and another one becomes the primary one; one that goes and comes back gets a new row.
    """
    first = _create(database, phone_numbers=_numbers(LONDON, CALLEE)).contact
    home = NumberDraft(phone_number=CALLEE, phone_type=PhoneType.HOME, is_primary=True)

    second = _change(database, first.id, phone_numbers=_numbers(home))
    third = _change(database, first.id, phone_numbers=_numbers(LONDON, CALLEE))

    assert isinstance(second, ContactView)
    assert isinstance(third, ContactView)
    (kept,) = second.contact.phone_numbers
    assert (first.phone_numbers[1].id, PhoneType.HOME, True) == (kept.id, kept.phone_type, kept.is_primary)
    assert [kept.id, kept.id + 1] == [number.id for number in third.contact.phone_numbers]
    assert [builders.CALLEE, LONDON_NUMBER] == [number.phone_number for number in third.contact.phone_numbers]


def test_a_flagged_number_is_not_called(database: Database) -> None:
    """
    It is on the account's list of its contacts, with date and reason, and refused to everybody who asks for it.
    """
    draft = NumberDraft(phone_number=CALLEE, do_not_call=True, dnc_reason="asked")

    view = _create(database, seconds=-60, phone_numbers=_numbers(draft, LONDON))

    flag = _flag(view)
    (made,) = database.read(lambda reader: own_lists(reader, builders.ACCOUNT_ID))
    assert flag == DncEntry(list_id=made.id, phone_number=builders.CALLEE, reason="asked", listed_at=after(-60))
    assert (CONTACTS_LIST, CONTACTS_LIST) == (made.name, made.source)
    assert _flag(view, LONDON_NUMBER) is None
    assert [Refused(reason=Reason.DO_NOT_CALL)] == [*database.accept(builders.request())]


def test_a_call_that_waits_is_not_dialled_once_its_number_is_flagged(database: Database) -> None:
    """
    The flag counts at the point of no return as well.
    """
    view = _create(database, phone_numbers=_numbers(CALLEE))
    call = in_state(database, State.LEASED)

    _change(database, view.contact.id, phone_numbers=_numbers(NumberDraft(phone_number=CALLEE, do_not_call=True)))

    assert database.transact(partial(pass_no_return, leased=call, at=after(2), patience=builders.PATIENCE)) is None
    assert State.BLOCKED is now(database, call).state


def test_a_flag_keeps_its_date_and_its_reason(database: Database) -> None:
    """
    Setting it again changes only what is said anew, and saying nothing changes nothing.
    """
    flagged = NumberDraft(phone_number=CALLEE, do_not_call=True, dnc_reason="asked")
    contact = _create(database, phone_numbers=_numbers(flagged)).contact

    def changed(seconds: float, **said: Any) -> tuple[str, Any] | None:
        drafts = _numbers(NumberDraft(phone_number=CALLEE, **said))
        flag = _flag(_change(database, contact.id, seconds=seconds, phone_numbers=drafts))
        return None if flag is None else (flag.reason, flag.listed_at)

    assert ("asked", after(0)) == changed(1)
    assert ("asked", after(0)) == changed(2, do_not_call=True)
    assert ("asked twice", after(0)) == changed(3, do_not_call=True, dnc_reason="asked twice")
    assert changed(4, do_not_call=False) is None
    assert ("", after(5)) == changed(5, do_not_call=True)


def test_taking_a_flag_off_leaves_other_lists_alone(database: Database) -> None:
    """
    A number that somebody else listed is shown with that entry and stays uncallable.
    """
    database.transact(list_callee)
    contact = _create(database, phone_numbers=_numbers(NumberDraft(phone_number=CALLEE, do_not_call=True))).contact
    unflagged = _numbers(NumberDraft(phone_number=CALLEE, do_not_call=False))

    view = _change(database, contact.id, phone_numbers=unflagged)

    flag = _flag(view)
    assert flag is not None
    assert builders.dnc_entry().reason == flag.reason
    database.transact(partial(delist_number, account_id=builders.ACCOUNT_ID, number=builders.CALLEE))
    assert _flag(_view(database, contact.id)) is None


def test_the_operators_list_is_shown_as_well(database: Database) -> None:
    """
    Whatever binds the account counts, until it expires.
    """
    database.transact(partial(list_callee, account_id=None, reason="never", expires_at=after(60)))

    contact = _create(database, phone_numbers=_numbers(CALLEE)).contact

    flag = _flag(_view(database, contact.id))
    assert flag is not None
    assert "never" == flag.reason
    assert _flag(_view(database, contact.id, seconds=60)) is None


def test_a_number_stays_listed_when_its_contact_goes(database: Database) -> None:
    """
    Neither dropping the number nor deleting the contact makes it callable again.
    """
    flagged = [NumberDraft(phone_number=text, do_not_call=True) for text in (CALLEE, LONDON)]
    contact = _create(database, phone_numbers=flagged).contact

    _change(database, contact.id, phone_numbers=_numbers(LONDON))
    deleted = database.transact(partial(delete_contact, account=ACCOUNT, _at=after(0), contact_id=contact.id))

    assert deleted is None
    assert NOT_FOUND == _view(database, contact.id)
    found = database.read(lambda reader: [listed(reader, number=number) for number in (builders.CALLEE, LONDON_NUMBER)])
    assert None not in found


def test_a_deleted_contacts_calls_stay(database: Database) -> None:
    """
    They show no contact, and no later contact takes its place.
    """
    request = builders.request(content=builders.fields(contact_id=builders.CONTACT_ID))
    (accepted,) = database.accept(request)
    assert isinstance(accepted, Accepted)
    work = partial(delete_contact, account=ACCOUNT, _at=after(0), contact_id=builders.CONTACT_ID)
    outcomes = [database.transact(work) for _ in range(2)]
    _create(database)

    view = database.read(partial(view_call, account=ACCOUNT, reference=CallReference(number=accepted.call.id)))

    assert [None, NOT_FOUND] == outcomes
    assert isinstance(view, CallView)
    assert (builders.CONTACT_ID, None) == (view.call.contact_id, view.contact)


@pytest.mark.parametrize("contact_id", [2222, 999, None])
def test_another_accounts_contact_is_answered_like_none(database: Database, contact_id: int | None) -> None:
    """
    Nobody learns of it, changes it or deletes it.
    """
    database.transact(furnish_other)

    assert NOT_FOUND == _view(database, contact_id)
    assert NOT_FOUND == _change(database, contact_id, first_name="Eve")
    assert NOT_FOUND == database.transact(partial(delete_contact, account=ACCOUNT, _at=after(0), contact_id=contact_id))
    assert builders.contact(id=2222, account_id=2) == database.read(lambda reader: reader.contacts.contact(2, 2222))


@pytest.mark.parametrize(
    ("drafts", "problems"),
    [
        (
            _numbers("911", CALLEE, "tomorrow"),
            [
                ("phone_numbers.0.phone_number", "It is not a phone number such as +15551234567."),
                ("phone_numbers.2.phone_number", "It is not a phone number such as +15551234567."),
            ],
        ),
        (
            _numbers(LONDON, "+44 20 7946 0018"),
            [(f"phone_numbers.{place}.phone_number", "It is given more than once.") for place in (0, 1)],
        ),
        (
            [NumberDraft(phone_number=text, is_primary=True) for text in (LONDON, CALLEE)],
            [("phone_numbers", "At most one of them is the primary one.")],
        ),
        ([NumberDraft(phone_number=CALLEE)] * (NUMBERS_MAX + 1), [("phone_numbers", "There are at most 20 numbers.")]),
    ],
)
def test_numbers_that_can_not_be_kept_are_told(
    database: Database, drafts: tuple[NumberDraft, ...], problems: list[tuple[str, str]]
) -> None:
    """
    Each with what is wrong with it; nothing is stored.
    """
    found = tuple(FieldProblem(field=field, problem=problem) for field, problem in problems)
    refused = Refused(reason=Reason.VALIDATION_ERROR, problems=found)
    fields = ContactFields(first_name="Ada", phone_numbers=drafts)
    before = database.read(lambda reader: reader.contacts.page(builders.ACCOUNT_ID, PageRange(limit=10)))

    created = database.transact(partial(create_contact, account=ACCOUNT, at=after(0), fields=fields))
    changed = _change(database, builders.CONTACT_ID, first_name="Ada", phone_numbers=drafts)

    assert refused == created == changed
    assert before == database.read(lambda reader: reader.contacts.page(builders.ACCOUNT_ID, PageRange(limit=10)))


def test_contacts_are_listed_page_by_page(database: Database) -> None:
    """
    The newest first, each with the flags of its own numbers.
    """
    database.transact(furnish_other)
    flagged = NumberDraft(phone_number=LONDON, do_not_call=True)
    new = [_create(database, phone_numbers=_numbers(CALLEE)), _create(database, phone_numbers=_numbers(flagged))]

    first = database.read(partial(list_contacts, account=ACCOUNT, page=PageRange(limit=2), at=after(0)))
    rest = PageRange(limit=2, before=first.following)
    second = database.read(partial(list_contacts, account=ACCOUNT, page=rest, at=after(0)))

    assert (*reversed(new), ContactView(contact=builders.contact(), flags={})) == first.records + second.records
    assert (3, 3, None) == (first.count, second.count, second.following)


def test_a_calls_texts_name_the_contacts_context(database: Database) -> None:
    """
    The request's own context is laid over it.
    """
    database.transact(
        lambda transaction: transaction.directory.add(
            builders.agent(
                id=7,
                assistant_id="assistant_seven",
                greeting="{{first_name}} {{custom_context.plan}} {{custom_context.status}} {{timezone}}",
            )
        )
    )
    contact = _create(database, timezone="UTC", custom_context={"plan": "Basic", "status": "Active"}).contact
    content = builders.fields(agent_id=7, contact_id=contact.id, variables={"custom_context": {"plan": "Premium"}})

    (accepted,) = database.accept(builders.request(content=content))

    assert isinstance(accepted, Accepted)
    assert "Ada Premium Active UTC" == accepted.call.script.greeting
