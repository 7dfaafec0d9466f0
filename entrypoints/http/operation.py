"""
One method of one address as a value: what it takes, what it answers, and what the reference says of it.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any, Final, Generic, TypeVar

import attrs
from starlette.requests import Request
from starlette.responses import Response

from outdial.domain.model.decision import Refused
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.http.authentication import KEY_PARAMETER
from outdial.entrypoints.http.bodies import read_object
from outdial.entrypoints.http.problems import json_response, refusal
from outdial.entrypoints.wire.reading import RequestBody, RequestQuery, read, read_query

Q = TypeVar("Q")
B = TypeVar("B")

ANY_REASONS: Final = frozenset(
    {
        Reason.INVALID_HTTP,
        Reason.HEADERS_TOO_LARGE,
        Reason.AUTHENTICATION_REQUIRED,
        Reason.INVALID_KEY,
        Reason.PERMISSION_DENIED,
        Reason.VALIDATION_ERROR,  # nothing stands behind the `?` that an operation does not know
        Reason.RATE_LIMIT_EXCEEDED,
        Reason.UNAVAILABLE,
        Reason.SERVER_ERROR,
    }
)
"""Why any request may be refused."""

BODY_REASONS: Final = frozenset({Reason.PAYLOAD_TOO_LARGE, Reason.UNSUPPORTED_MEDIA_TYPE, Reason.INVALID_JSON})
"""Why any body may be refused."""


class NoQuery(RequestQuery):
    """
    Nothing stands behind the `?`.
    """


@attrs.frozen(kw_only=True)
class Asked(Generic[Q, B]):
    """
    A request that was read.

    Attributes:
        path: The parts of the address that vary, by name.

        body: `None` where none is taken.

        request: For what is read elsewhere, such as headers.
    """

    path: Mapping[str, str]
    query: Q
    body: B
    request: Request


@attrs.frozen(kw_only=True)
class Answered:
    """
    What is answered when all went well.

    Attributes:
        body: A JSON object; `None` for an answer without content.
    """

    body: Mapping[str, Any] | None
    status: HTTPStatus
    headers: Mapping[str, str] = attrs.field(factory=dict)

    def response(self) -> Response:
        """
        Return the answer as it is sent.
        """
        if self.body is None:
            return Response(status_code=self.status, headers=self.headers)
        return json_response(self.body, self.status, self.headers)


Endpoint = Callable[[Client, Asked[Any, Any]], Awaitable[Answered | Response | Refused]]
"""Answers a request that was read; a `Response` of its own only where it is no JSON object."""


@attrs.frozen(kw_only=True)
class Operation:
    """
    One method of one address.

    Attributes:
        path: With `{names}`.

        name: Its name in the reference, `operationId`.

        summary: What it is for, in a line.

        permission: What a key needs for it.

        query: What may stand behind the `?`.

        body: The JSON object that it takes; `None` when it takes none.

        read_body: Reads that object where `body` alone does not say enough.

        judges_body: Whether the endpoint gets a body that can't be read as `Refused`, to judge it in its own order;
            otherwise such a request is refused, once it is known who asks.

        answer: The shape of its answer, a `TypedDict`; `None` for no content.

        media_type: What its answer is written in.

        empty_answers: Statuses that it may answer with instead, without a body, each with a line about when.

        reasons: Why it may refuse, beside what any request may be refused for.

        request_headers: Headers that it reads, each with a line about it; those that it sends are `answer_headers`.
    """

    method: str
    path: str
    name: str
    summary: str
    permission: Permission
    endpoint: Endpoint
    query: type[RequestQuery] = NoQuery
    body: type[RequestBody] | None = None
    read_body: Callable[[Mapping[str, object]], Any] | None = None
    judges_body: bool = False
    status: HTTPStatus = HTTPStatus.OK
    answer: Any = None
    media_type: str = "application/json"
    empty_answers: Mapping[HTTPStatus, str] = attrs.field(factory=dict)
    reasons: tuple[Reason, ...] = ()
    request_headers: Mapping[str, str] = attrs.field(factory=dict)
    answer_headers: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def refusals(self) -> tuple[Reason, ...]:
        """
        Everything that it may refuse for, in order of judgement.
        """
        possible = ANY_REASONS | set(self.reasons) | (BODY_REASONS if self.body is not None else set())
        return tuple(reason for reason in Reason if reason in possible)

    async def serve(self, client: Client, request: Request, *, key_in_query: bool) -> Response:
        """
        Answer one request.

        Args:
            key_in_query: Whether the key may stand behind the `?`.
        """
        pairs = request.query_params.multi_items()
        if key_in_query:
            pairs = [(name, value) for name, value in pairs if name != KEY_PARAMETER]
        query = read_query(self.query, pairs)
        body = await self._read_body(request) if self.body is not None else None
        refused = next((part for part in (body, query) if isinstance(part, Refused)), None)
        if refused is not None and not self.judges_body:
            return refusal(await client.refuse(self.permission, refused))
        asked = Asked(path=request.path_params, query=query, body=refused or body, request=request)
        answered = await self.endpoint(client, asked)
        if isinstance(answered, Refused):
            return refusal(answered)
        return answered.response() if isinstance(answered, Answered) else answered

    async def _read_body(self, request: Request) -> Any:
        body = await read_object(request)
        if isinstance(body, Refused) or self.body is None:
            return body
        return read(self.body, body) if self.read_body is None else self.read_body(body)
