"""
The operations on Do-Not-Call lists.
"""

from http import HTTPStatus
from typing import Final
from urllib.parse import quote

from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import read_row
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.http.operation import Answered, Asked, NoQuery, Operation
from outdial.entrypoints.wire.do_not_call import (
    DncListBody,
    DncListsBody,
    ListDraft,
    ListedNumberBody,
    NumberDraft,
    NumbersBody,
    NumbersQuery,
    RemovalQuery,
    StandingBody,
    list_body,
    lists_body,
    number_body,
    numbers_body,
    standing_body,
)

LISTS: Final = "/api/v1/dnc/lists"
NUMBERS: Final = "/api/v1/dnc/numbers"


async def list_lists(client: Client, _asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Show the account's lists.
    """
    lists = await client.dnc.lists()
    return lists if isinstance(lists, Refused) else Answered(body=lists_body(lists), status=HTTPStatus.OK)


async def create_list(client: Client, asked: Asked[NoQuery, ListDraft]) -> Answered | Refused:
    """
    Make a list.
    """
    made = await client.dnc.create_list(asked.body.name, source=asked.body.source)
    if isinstance(made, Refused):
        return made
    return Answered(body=list_body(made), status=HTTPStatus.CREATED, headers={"Location": f"{LISTS}/{made.id}"})


async def show_list(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Show a list.
    """
    found = await client.dnc.show_list(read_row(asked.path["list_id"]))
    return found if isinstance(found, Refused) else Answered(body=list_body(found), status=HTTPStatus.OK)


async def remove_list(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Remove a list.
    """
    removed = await client.dnc.remove_list(read_row(asked.path["list_id"]))
    return removed if isinstance(removed, Refused) else Answered(body=None, status=HTTPStatus.NO_CONTENT)


async def list_numbers(client: Client, asked: Asked[NumbersQuery, None]) -> Answered | Refused:
    """
    Show a page of numbers.
    """
    page = await client.dnc.numbers(asked.query)
    if isinstance(page, Refused):
        return page
    return Answered(body=numbers_body(page, limit=asked.query.limit), status=HTTPStatus.OK)


async def add_number(client: Client, asked: Asked[NoQuery, NumberDraft]) -> Answered | Refused:
    """
    List a number.
    """
    draft = asked.body
    listed = await client.dnc.add(
        draft.phone_number, list_id=draft.list_id, reason=draft.reason, expires_at=draft.expires_at
    )
    if isinstance(listed, Refused):
        return listed
    location = f"{NUMBERS}/{quote(listed.entry.phone_number.e164)}"
    return Answered(body=number_body(listed), status=HTTPStatus.CREATED, headers={"Location": location})


async def show_number(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Tell whether a number is listed.
    """
    standing = await client.dnc.show(asked.path["number"])
    return standing if isinstance(standing, Refused) else Answered(body=standing_body(standing), status=HTTPStatus.OK)


async def remove_number(client: Client, asked: Asked[RemovalQuery, None]) -> Answered | Refused:
    """
    Take a number off.
    """
    removed = await client.dnc.remove(asked.path["number"], list_id=asked.query.list_id)
    return removed if isinstance(removed, Refused) else Answered(body=None, status=HTTPStatus.NO_CONTENT)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=LISTS,
        name="list_dnc_lists",
        summary="List the account's Do-Not-Call lists.",
        permission=Permission.MANAGE_DNC,
        endpoint=list_lists,
        answer=DncListsBody,
    ),
    Operation(
        method="POST",
        path=LISTS,
        name="create_dnc_list",
        summary="Make a Do-Not-Call list; one that has the name already is answered as it is.",
        permission=Permission.MANAGE_DNC,
        endpoint=create_list,
        body=ListDraft,
        status=HTTPStatus.CREATED,
        answer=DncListBody,
        answer_headers={"Location": "The list's address."},
    ),
    Operation(
        method="GET",
        path=f"{LISTS}/{{list_id}}",
        name="show_dnc_list",
        summary="Show a Do-Not-Call list.",
        permission=Permission.MANAGE_DNC,
        endpoint=show_list,
        answer=DncListBody,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="DELETE",
        path=f"{LISTS}/{{list_id}}",
        name="remove_dnc_list",
        summary="Remove a Do-Not-Call list with all its numbers.",
        permission=Permission.MANAGE_DNC,
        endpoint=remove_list,
        status=HTTPStatus.NO_CONTENT,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="GET",
        path=NUMBERS,
        name="list_dnc_numbers",
        summary="List the numbers on the account's Do-Not-Call lists, by list and number.",
        permission=Permission.MANAGE_DNC,
        endpoint=list_numbers,
        query=NumbersQuery,
        answer=NumbersBody,
        reasons=(Reason.INVALID_PHONE_NUMBER, Reason.NOT_FOUND),
    ),
    Operation(
        method="POST",
        path=NUMBERS,
        name="add_dnc_number",
        summary="Put a number on a Do-Not-Call list, or replace its entry: it is not dialled from now on.",
        permission=Permission.MANAGE_DNC,
        endpoint=add_number,
        body=NumberDraft,
        status=HTTPStatus.CREATED,
        answer=ListedNumberBody,
        reasons=(Reason.INVALID_PHONE_NUMBER, Reason.NOT_FOUND),
        answer_headers={"Location": "Where to see which lists name the number."},
    ),
    Operation(
        method="GET",
        path=f"{NUMBERS}/{{number}}",
        name="show_dnc_number",
        summary="Tell whether a number may be called, and which lists say what of it, the operator's included.",
        permission=Permission.MANAGE_DNC,
        endpoint=show_number,
        answer=StandingBody,
        reasons=(Reason.INVALID_PHONE_NUMBER,),
    ),
    Operation(
        method="DELETE",
        path=f"{NUMBERS}/{{number}}",
        name="remove_dnc_number",
        summary="Take a number off all of the account's Do-Not-Call lists, or off one of them.",
        permission=Permission.MANAGE_DNC,
        endpoint=remove_number,
        query=RemovalQuery,
        status=HTTPStatus.NO_CONTENT,
        reasons=(Reason.INVALID_PHONE_NUMBER, Reason.NOT_FOUND),
    ),
)
