"""
Refusals and failures as HTTP answers: one dictionary from reason to status, one shape everywhere.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

import orjson
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response

from outdial.domain.model.decision import Refused
from outdial.domain.model.rate_limit import Limit, Window
from outdial.domain.model.reason import Reason
from outdial.entrypoints.wire.problems import problem_body
from outdial.ports.errors import IntakeFullError, StorageError

RETRY_AFTER_S: Final = 1
"""Long enough for a commit queue to drain."""

STATUS: Final[dict[Reason, HTTPStatus]] = {
    Reason.INVALID_HTTP: HTTPStatus.BAD_REQUEST,
    Reason.HEADERS_TOO_LARGE: HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE,
    Reason.ORIGIN_NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    Reason.AUTHENTICATION_REQUIRED: HTTPStatus.UNAUTHORIZED,
    Reason.INVALID_KEY: HTTPStatus.UNAUTHORIZED,
    Reason.PERMISSION_DENIED: HTTPStatus.FORBIDDEN,
    Reason.PAYLOAD_TOO_LARGE: HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
    Reason.UNSUPPORTED_MEDIA_TYPE: HTTPStatus.UNSUPPORTED_MEDIA_TYPE,
    Reason.INVALID_JSON: HTTPStatus.BAD_REQUEST,
    Reason.MISSING_PHONE_NUMBER: HTTPStatus.BAD_REQUEST,
    Reason.MISSING_AGENT_ID: HTTPStatus.BAD_REQUEST,
    Reason.VALIDATION_ERROR: HTTPStatus.BAD_REQUEST,
    Reason.IDEMPOTENCY_CONFLICT: HTTPStatus.CONFLICT,
    Reason.IDEMPOTENCY_KEY_EXPIRED: HTTPStatus.CONFLICT,
    Reason.RATE_LIMIT_EXCEEDED: HTTPStatus.TOO_MANY_REQUESTS,
    Reason.INVALID_PHONE_NUMBER: HTTPStatus.BAD_REQUEST,
    Reason.AGENT_NOT_FOUND: HTTPStatus.NOT_FOUND,
    Reason.CONTACT_NOT_FOUND: HTTPStatus.NOT_FOUND,
    Reason.NO_PHONE_NUMBER: HTTPStatus.NOT_FOUND,
    Reason.DESTINATION_NOT_ALLOWED: HTTPStatus.FORBIDDEN,
    Reason.DO_NOT_CALL: HTTPStatus.FORBIDDEN,
    Reason.INSUFFICIENT_FUNDS: HTTPStatus.PAYMENT_REQUIRED,
    Reason.NOT_FOUND: HTTPStatus.NOT_FOUND,
    Reason.METHOD_NOT_ALLOWED: HTTPStatus.METHOD_NOT_ALLOWED,
    Reason.UNAVAILABLE: HTTPStatus.SERVICE_UNAVAILABLE,
    Reason.SERVER_ERROR: HTTPStatus.INTERNAL_SERVER_ERROR,
}

_HEADERS: Final[dict[Reason, dict[str, str]]] = {
    Reason.INVALID_HTTP: {"Connection": "close"},
    Reason.HEADERS_TOO_LARGE: {"Connection": "close"},
    Reason.AUTHENTICATION_REQUIRED: {"WWW-Authenticate": "Bearer"},
    Reason.INVALID_KEY: {"WWW-Authenticate": 'Bearer error="invalid_token"'},
    Reason.PAYLOAD_TOO_LARGE: {"Connection": "close"},  # the rest of the body is not read
    Reason.UNAVAILABLE: {"Retry-After": str(RETRY_AFTER_S)},
}

_LIMITS: Final = {Limit.REQUESTS_PER_MINUTE: "minute", Limit.CALLS_PER_DAY: "day"}
"""What the limits are called in `RateLimit` headers."""

_log = structlog.get_logger()


def json_response(body: Mapping[str, Any], status: HTTPStatus, headers: Mapping[str, str] | None = None) -> Response:
    """
    Return a JSON answer.
    """
    return Response(orjson.dumps(body), status, headers, media_type="application/json")


def refusal(refused: Refused) -> Response:
    """
    Return the answer to a refused request.
    """
    return json_response(problem_body(refused), STATUS[refused.reason], headers_of(refused))


def headers_of(refused: Refused) -> dict[str, str]:
    """
    Return what a refusal says in headers.
    """
    headers = dict(_HEADERS.get(refused.reason, {}))
    if refused.window is not None:
        headers["Retry-After"] = str(refused.window.reset_s)
        headers |= limit_headers(refused.window)
    return headers


def limit_headers(window: Window) -> dict[str, str]:
    """
    Return what is told of a limit (draft-ietf-httpapi-ratelimit-headers-10, 3 and 4).
    """
    name = _LIMITS[window.limit]
    return {
        "RateLimit-Policy": f'"{name}";q={window.quota};w={window.limit.window_s}',
        "RateLimit": f'"{name}";r={window.remaining};t={window.reset_s}',
    }


async def on_http_exception(_request: Request, error: Exception) -> Response:
    """
    Answer what Starlette's routing refuses: no such route, or another method.
    """
    if isinstance(error, HTTPException) and error.status_code == HTTPStatus.METHOD_NOT_ALLOWED:
        response = refusal(Refused(reason=Reason.METHOD_NOT_ALLOWED))
        response.headers.update(error.headers or {})
        return response
    return refusal(Refused(reason=Reason.NOT_FOUND))


async def on_unavailable(_request: Request, error: Exception) -> Response:
    """
    Answer when nothing can be committed now.
    """
    _log.warning("unavailable", problem=str(error))
    return refusal(Refused(reason=Reason.UNAVAILABLE))


async def on_disconnect(_request: Request, _error: Exception) -> Response:
    """
    Answer a client that left in the middle of its body: nobody hears it, nothing was asked for, no defect is logged.
    """
    return refusal(Refused(reason=Reason.INVALID_JSON))


async def on_defect(_request: Request, error: Exception) -> Response:
    """
    Answer what nobody foresaw; the server logs its traceback next, which does not know the request's id.
    """
    _log.error("request_failed", kind=type(error).__name__)
    return refusal(Refused(reason=Reason.SERVER_ERROR))


HANDLERS: Final = {
    HTTPException: on_http_exception,
    StorageError: on_unavailable,
    IntakeFullError: on_unavailable,
    ClientDisconnect: on_disconnect,
    Exception: on_defect,
}
