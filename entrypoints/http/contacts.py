"""
The operations on contacts.
"""

from http import HTTPStatus
from typing import Final

from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import read_row
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.http.operation import Answered, Asked, NoQuery, Operation
from outdial.entrypoints.wire.contacts import (
    ContactBody,
    ContactChangeBody,
    ContactPageBody,
    ContactsQuery,
    NewContactBody,
    contact_body,
    contact_page_body,
)

CONTACTS: Final = "/api/v1/contacts"
ONE: Final = f"{CONTACTS}/{{contact_id}}"


async def list_contacts(client: Client, asked: Asked[ContactsQuery, None]) -> Answered | Refused:
    """
    List contacts.
    """
    page = await client.contacts.list(asked.query)
    return page if isinstance(page, Refused) else Answered(body=contact_page_body(page), status=HTTPStatus.OK)


async def show(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Tell of a contact.
    """
    view = await client.contacts.show(read_row(asked.path["contact_id"]))
    return view if isinstance(view, Refused) else Answered(body=contact_body(view), status=HTTPStatus.OK)


async def create(client: Client, asked: Asked[NoQuery, NewContactBody]) -> Answered | Refused:
    """
    Add a contact.
    """
    view = await client.contacts.create(asked.body)
    if isinstance(view, Refused):
        return view
    headers = {"Location": f"{CONTACTS}/{view.contact.id}"}
    return Answered(body=contact_body(view), status=HTTPStatus.CREATED, headers=headers)


async def update(client: Client, asked: Asked[NoQuery, ContactChangeBody]) -> Answered | Refused:
    """
    Change a contact.
    """
    view = await client.contacts.update(read_row(asked.path["contact_id"]), asked.body)
    return view if isinstance(view, Refused) else Answered(body=contact_body(view), status=HTTPStatus.OK)


async def delete(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Delete a contact.
    """
    refused = await client.contacts.delete(read_row(asked.path["contact_id"]))
    return refused or Answered(body=None, status=HTTPStatus.NO_CONTENT)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=CONTACTS,
        name="list_contacts",
        summary="List contacts, newest first.",
        permission=Permission.READ_CONTACTS,
        endpoint=list_contacts,
        query=ContactsQuery,
        answer=ContactPageBody,
    ),
    Operation(
        method="POST",
        path=CONTACTS,
        name="create_contact",
        summary="Add a contact, whose fields agents' texts may name.",
        permission=Permission.WRITE_CONTACTS,
        endpoint=create,
        body=NewContactBody,
        status=HTTPStatus.CREATED,
        answer=ContactBody,
        answer_headers={"Location": "The contact's address."},
    ),
    Operation(
        method="GET",
        path=ONE,
        name="show_contact",
        summary="Show a contact.",
        permission=Permission.READ_CONTACTS,
        endpoint=show,
        answer=ContactBody,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="PATCH",
        path=ONE,
        name="update_contact",
        summary="Change the fields of a contact that are given.",
        permission=Permission.WRITE_CONTACTS,
        endpoint=update,
        body=ContactChangeBody,
        answer=ContactBody,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="DELETE",
        path=ONE,
        name="delete_contact",
        summary="Delete a contact; its calls stay, and its numbers stay on whatever Do-Not-Call list they are.",
        permission=Permission.WRITE_CONTACTS,
        endpoint=delete,
        status=HTTPStatus.NO_CONTENT,
        reasons=(Reason.NOT_FOUND,),
    ),
)
