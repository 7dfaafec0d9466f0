"""
The operations on calls.
"""

from http import HTTPStatus
from typing import Final

from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import Refused, Replayed
from outdial.domain.model.idempotency import HEADER, named
from outdial.domain.model.identifiers import read_call_reference
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.http.operation import Answered, Asked, NoQuery, Operation
from outdial.entrypoints.wire.call_requests import CallBody, CallsQuery, read_fields
from outdial.entrypoints.wire.calls import (
    AcceptedBody,
    CallDetailBody,
    CallPageBody,
    accepted_body,
    call_body,
    call_page_body,
)

CALLS: Final = "/api/v1/calls"
REPLAYED_HEADER: Final = "Idempotent-Replayed"


async def create(client: Client, asked: Asked[NoQuery, CallFields | Refused]) -> Answered | Refused:
    """
    Ask for a call.
    """
    content, key = named(asked.body, asked.request.headers.getlist(HEADER))
    decision = await client.calls.initiate(content, idempotency_key=key)
    if isinstance(decision, Refused):
        return decision
    call = decision.call
    headers = {"Location": f"{CALLS}/{call.call_id}"}
    if isinstance(decision, Replayed):
        headers[REPLAYED_HEADER] = "true"
    return Answered(body=accepted_body(call), status=HTTPStatus.CREATED, headers=headers)


async def show(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Tell what became of a call.
    """
    view = await client.calls.show(read_call_reference(asked.path["call_id"]))
    return view if isinstance(view, Refused) else Answered(body=call_body(view), status=HTTPStatus.OK)


async def hang_up(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    End a call, whatever it does.
    """
    view = await client.calls.hang_up(read_call_reference(asked.path["call_id"]))
    return view if isinstance(view, Refused) else Answered(body=call_body(view), status=HTTPStatus.OK)


async def list_calls(client: Client, asked: Asked[CallsQuery, None]) -> Answered | Refused:
    """
    List calls.
    """
    page = await client.calls.list(asked.query)
    return page if isinstance(page, Refused) else Answered(body=call_page_body(page), status=HTTPStatus.OK)


OPERATIONS: Final = (
    Operation(
        method="POST",
        path=CALLS,
        name="initiate_call",
        summary="Ask for an outbound call from an agent to a phone number.",
        permission=Permission.INITIATE_CALLS,
        endpoint=create,
        body=CallBody,
        read_body=read_fields,
        judges_body=True,
        status=HTTPStatus.CREATED,
        answer=AcceptedBody,
        reasons=(
            Reason.MISSING_PHONE_NUMBER,
            Reason.MISSING_AGENT_ID,
            Reason.IDEMPOTENCY_CONFLICT,
            Reason.IDEMPOTENCY_KEY_EXPIRED,
            Reason.RATE_LIMIT_EXCEEDED,
            Reason.INVALID_PHONE_NUMBER,
            Reason.AGENT_NOT_FOUND,
            Reason.CONTACT_NOT_FOUND,
            Reason.NO_PHONE_NUMBER,
            Reason.DESTINATION_NOT_ALLOWED,
            Reason.DO_NOT_CALL,
            Reason.INSUFFICIENT_FUNDS,
        ),
        request_headers={HEADER: "Names the request: asked again with the same one, no second call is made."},
        answer_headers={
            "Location": "The call's address.",
            REPLAYED_HEADER: "`true` when the same request was accepted before.",
        },
    ),
    Operation(
        method="GET",
        path=CALLS,
        name="list_calls",
        summary="List calls, newest first.",
        permission=Permission.READ_CALLS,
        endpoint=list_calls,
        query=CallsQuery,
        answer=CallPageBody,
    ),
    Operation(
        method="GET",
        path=f"{CALLS}/{{call_id}}",
        name="show_call",
        summary="Show a call, by its database id or its `call_id`.",
        permission=Permission.READ_CALLS,
        endpoint=show,
        answer=CallDetailBody,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="POST",
        path=f"{CALLS}/{{call_id}}/hang-up",
        name="hang_up_call",
        summary="Cancel a call that is queued or rings, hang up one in progress; one that is over stays as it is.",
        permission=Permission.INITIATE_CALLS,
        endpoint=hang_up,
        answer=CallDetailBody,
        reasons=(Reason.NOT_FOUND,),
    ),
)
