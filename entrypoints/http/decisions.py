"""
The operations on decisions: asking what would be decided, and why something was.
"""

from http import HTTPStatus
from typing import Final

from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import Refused
from outdial.domain.model.idempotency import HEADER, named
from outdial.domain.model.identifiers import read_call_reference, read_row
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.http.calls import CALLS
from outdial.entrypoints.http.operation import Answered, Asked, NoQuery, Operation
from outdial.entrypoints.wire.call_requests import CallBody, read_fields
from outdial.entrypoints.wire.decisions import (
    CallDecisionBody,
    PreflightBody,
    RefusalBody,
    RefusalsBody,
    RefusalsQuery,
    call_decision_body,
    preflight_body,
    refusal_body,
    refusals_body,
)

REFUSALS: Final = "/api/v1/refusals"


async def preflight(client: Client, asked: Asked[NoQuery, CallFields]) -> Answered | Refused:
    """
    Tell what would be decided about a call.
    """
    content, key = named(asked.body, asked.request.headers.getlist(HEADER))
    previewed = await client.calls.preflight(content, idempotency_key=key)
    if isinstance(previewed, Refused):
        return previewed
    return Answered(body=preflight_body(previewed), status=HTTPStatus.OK)


async def show_decision(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Tell why a call was accepted.
    """
    decided = await client.calls.decision(read_call_reference(asked.path["call_id"]))
    if isinstance(decided, Refused):
        return decided
    return Answered(body=call_decision_body(decided), status=HTTPStatus.OK)


async def list_refusals(client: Client, asked: Asked[RefusalsQuery, None]) -> Answered | Refused:
    """
    List what was refused.
    """
    query = asked.query
    page = await client.calls.refusals(reason=query.reason, before=query.cursor, limit=query.limit)
    if isinstance(page, Refused):
        return page
    return Answered(body=refusals_body(page, limit=query.limit), status=HTTPStatus.OK)


async def show_refusal(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Tell why a request was refused.
    """
    refusal = await client.calls.refusal(read_row(asked.path["refusal_id"]))
    return refusal if isinstance(refusal, Refused) else Answered(body=refusal_body(refusal), status=HTTPStatus.OK)


OPERATIONS: Final = (
    Operation(
        method="POST",
        path=f"{CALLS}/preflight",
        name="preflight_call",
        summary="Tell what would be decided about a call, rule by rule; nothing is stored, held or dialled.",
        permission=Permission.INITIATE_CALLS,
        endpoint=preflight,
        body=CallBody,
        read_body=read_fields,
        answer=PreflightBody,
        reasons=(Reason.MISSING_PHONE_NUMBER, Reason.MISSING_AGENT_ID),
        request_headers={HEADER: "Judged as that of a call would be, and left unused."},
    ),
    Operation(
        method="GET",
        path=f"{CALLS}/{{call_id}}/decision",
        name="show_decision",
        summary="Show why a call was accepted: the policy and the facts that its decision rested on.",
        permission=Permission.READ_CALLS,
        endpoint=show_decision,
        answer=CallDecisionBody,
        reasons=(Reason.NOT_FOUND,),
    ),
    Operation(
        method="GET",
        path=REFUSALS,
        name="list_refusals",
        summary="List the calls that were refused, newest first; they are kept for a while.",
        permission=Permission.READ_CALLS,
        endpoint=list_refusals,
        query=RefusalsQuery,
        answer=RefusalsBody,
    ),
    Operation(
        method="GET",
        path=f"{REFUSALS}/{{refusal_id}}",
        name="show_refusal",
        summary="Show why a call was refused.",
        permission=Permission.READ_CALLS,
        endpoint=show_refusal,
        answer=RefusalBody,
        reasons=(Reason.NOT_FOUND,),
    ),
)
