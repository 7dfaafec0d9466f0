"""
The routes of calls.
"""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from outdial.domain.model.call_request import CallFields, read_fields
from outdial.domain.model.decision import Refused, Replayed
from outdial.domain.model.idempotency import HEADER, named
from outdial.domain.model.identifiers import read_call_reference
from outdial.domain.model.reason import Reason
from outdial.entrypoints.http.authentication import presented_key
from outdial.entrypoints.http.problems import json_response, refusal
from outdial.entrypoints.http.strict_json import InvalidJsonError, decode_object
from outdial.entrypoints.http.wire import accepted_body, call_body
from outdial.entrypoints.library import Dialer

BODY_BYTES_MAX: Final = 64 * 1024
REPLAYED_HEADER: Final = "Idempotent-Replayed"

LENGTH_DIGITS: Final = 9
"""More digits of a length need not be read: it is too large already, and Python refuses to read thousands of them."""


class CallRoutes:
    """
    Answers requests about calls by asking a dialer.
    """

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._in_query = dialer.settings.api_key_in_query

    async def create(self, request: Request) -> Response:
        """
        `POST /api/v1/calls`: ask for a call.
        """
        credential = presented_key(request, in_query=self._in_query)
        content, key = named(await _read_content(request), request.headers.getlist(HEADER))
        decision = await self._dialer.submit(credential, content, idempotency_key=key)
        if isinstance(decision, Refused):
            return refusal(decision)
        call = decision.call
        headers = {"Location": f"/api/v1/calls/{call.call_id}"}
        if isinstance(decision, Replayed):
            headers[REPLAYED_HEADER] = "true"
        return json_response(accepted_body(call), HTTPStatus.CREATED, headers)

    async def show(self, request: Request) -> Response:
        """
        `GET /api/v1/calls/{id}`: what became of a call, by its row or its `call_...` id.
        """
        credential = presented_key(request, in_query=self._in_query)
        view = await self._dialer.view(credential, read_call_reference(request.path_params["call_id"]))
        if isinstance(view, Refused):
            return refusal(view)
        return json_response(call_body(view), HTTPStatus.OK)


async def _read_content(request: Request) -> CallFields | Refused:
    """
    Read a call's fields from the body, or why they can't be read; the ladder says when that counts.
    """
    body = await _read_body(request)
    if body is None:
        return Refused(reason=Reason.PAYLOAD_TOO_LARGE)
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return Refused(reason=Reason.UNSUPPORTED_MEDIA_TYPE)
    try:
        return read_fields(decode_object(body))
    except InvalidJsonError:
        return Refused(reason=Reason.INVALID_JSON)


async def _read_body(request: Request) -> bytes | None:
    """
    Read a body of at most 64 KiB; `None` as soon as it is known to be larger.
    """
    length = request.headers.get("content-length", "")
    if length.isdecimal() and int(length.lstrip("0")[:LENGTH_DIGITS] or "0") > BODY_BYTES_MAX:
        return None
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > BODY_BYTES_MAX:
            return None
    return bytes(body)
