"""
Contacts: who is called.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

import click
from rich.console import RenderableType

from outdial.domain.model.contact import Contact
from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import read_row
from outdial.domain.model.listing import Page
from outdial.domain.service.contacts import ContactView
from outdial.entrypoints.cli.answer import Answer, facts, listing, plain, refused, table_of
from outdial.entrypoints.cli.running import acting
from outdial.entrypoints.cli.values import nested, phone_numbers
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.wire.contacts import (
    ContactChangeBody,
    ContactsQuery,
    NewContactBody,
    contact_body,
    contact_page_body,
)
from outdial.entrypoints.wire.reading import read

NumberTexts = Sequence[Mapping[str, object]]


@click.group
def contact() -> None:
    """
    Contacts: who is called.
    """


def _field_options(command: Any) -> Any:
    """
    Add the options of a contact's fields, but for its first name.
    """
    options = (
        click.option("--last-name"),
        click.option("--email"),
        click.option("--company"),
        click.option("--timezone", metavar="ZONE", help="Such as America/New_York."),
        click.option(
            "--phone-number",
            "phone_numbers",
            multiple=True,
            callback=phone_numbers,
            metavar="[TYPE:]NUMBER",
            help="Such as mobile:+15551234567; repeat for more, the primary one first.",
        ),
        click.option(
            "--context",
            "custom_context",
            multiple=True,
            callback=nested,
            metavar="NAME=VALUE",
            help="A value for {{custom_context.NAME}}; dots in the name nest. Repeat for more.",
        ),
        click.option("--do-not-call", "flag", is_flag=True, default=None, help="List all its numbers as not to call."),
        click.option("--may-call", "flag", flag_value=False, help="Take all its numbers off the contacts' own list."),
        click.option("--reason", help="Why they must not be called."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@contact.command("create")
@click.option("--first-name", required=True)
@_field_options
@acting
async def create_contact(client: Client, **options: Any) -> Answer:
    """
    Add a contact; its fields fill {{first_name}}, {{last_name}}, {{email}}, {{company}} and {{timezone}}.
    """
    body = read(NewContactBody, _given(options, ()))
    return _told(body if isinstance(body, Refused) else await client.contacts.create(body))


@contact.command("update")
@click.argument("contact_id")
@click.option("--first-name")
@_field_options
@acting
async def update_contact(client: Client, *, contact_id: str, **options: Any) -> Answer:
    """
    Change the fields that are given; an empty text clears one. Numbers and context are replaced as wholes.
    """
    known: NumberTexts = ()
    if options["flag"] is not None and not options["phone_numbers"]:
        view = await client.contacts.show(read_row(contact_id))
        if isinstance(view, Refused):
            return refused(view)
        known = _written(view.contact)
    body = read(ContactChangeBody, {name: value or None for name, value in _given(options, known).items()})
    return _told(body if isinstance(body, Refused) else await client.contacts.update(read_row(contact_id), body))


@contact.command("list")
@click.option("--page", type=int, help="The page's number.")
@click.option("--limit", type=int, help="Contacts of a page, 25 unless given.")
@click.option("--cursor", type=int, help="Begins where the page before it ended.")
@acting
async def list_contacts(client: Client, **wanted: object) -> Answer:
    """
    List contacts, newest first.
    """
    query = read(ContactsQuery, {name: value for name, value in wanted.items() if value is not None})
    page = query if isinstance(query, Refused) else await client.contacts.list(query)
    return refused(page) if isinstance(page, Refused) else Answer(body=contact_page_body(page), shown=_listed(page))


@contact.command("show")
@click.argument("contact_id")
@acting
async def show_contact(client: Client, *, contact_id: str) -> Answer:
    """
    Show a contact.
    """
    return _told(await client.contacts.show(read_row(contact_id)))


@contact.command("delete")
@click.argument("contact_id")
@acting
async def delete_contact(client: Client, *, contact_id: str) -> Answer:
    """
    Delete a contact. Its calls stay, and its numbers stay on whatever Do-Not-Call list they are.
    """
    refusal = await client.contacts.delete(read_row(contact_id))
    if refusal is not None:
        return refused(refusal)
    return Answer(body={"id": read_row(contact_id), "deleted": True}, shown=plain(f"Contact {contact_id} is deleted."))


def _given(options: Mapping[str, Any], known: NumberTexts) -> dict[str, Any]:
    """
    Return what was said of a contact, in the wire's names.
    """
    said = {name: value for name, value in options.items() if name not in {"flag", "reason"}}
    fields = {name: value for name, value in said.items() if value not in ({}, [], None)}
    numbers: Iterable[Mapping[str, object]] = fields.get("phone_numbers", known)
    if options["flag"] is not None:
        numbers = [{**number, "do_not_call": options["flag"], "dnc_reason": options["reason"]} for number in numbers]
    return {**fields, "phone_numbers": list(numbers)} if numbers else fields


def _written(known: Contact) -> NumberTexts:
    return [
        {"phone_number": number.phone_number.e164, "phone_type": number.phone_type, "primary": number.is_primary}
        for number in known.phone_numbers
    ]


def _told(view: ContactView | Refused) -> Answer:
    return refused(view) if isinstance(view, Refused) else Answer(body=contact_body(view), shown=_shown(view))


def _shown(view: ContactView) -> RenderableType:
    person = view.contact.person
    return facts(
        f"Contact {person.id} of account {person.account_id}",
        ("name", person.name),
        ("email", person.email),
        ("company", person.company),
        ("time zone", person.timezone),
        *(("number", text) for text in _numbers(view)),
        *((f"custom_context.{name}", str(value)) for name, value in person.custom_context.items()),
    )


def _numbers(view: ContactView) -> list[str]:
    """
    Return a contact's numbers, the primary one first, each with what there is to know before calling it.
    """
    numbers = sorted(view.contact.phone_numbers, key=lambda number: not number.is_primary)
    return [
        f"{number.phone_number} ({number.phone_type}{', do not call' if number.phone_number in view.flags else ''})"
        for number in numbers
    ]


def _listed(page: Page[ContactView]) -> RenderableType:
    table = table_of("contact", "name", "company", "email", "numbers")
    for view in page.records:
        person = view.contact.person
        table.add_row(
            plain(str(person.id)),
            plain(person.name),
            plain(person.company or ""),
            plain(person.email or ""),
            plain(", ".join(_numbers(view))),
        )
    return listing(table, page, "contacts")


COMMANDS: Final[tuple[click.Command, ...]] = (contact,)
