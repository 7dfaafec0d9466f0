"""
What Prometheus asks.
"""

from hmac import compare_digest
from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from outdial.domain.model.decision import Refused
from outdial.domain.model.reason import Reason
from outdial.entrypoints.http.authentication import presented_key
from outdial.entrypoints.http.page import Page
from outdial.entrypoints.http.problems import refusal
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.metrics import MEDIA_TYPE
from outdial.entrypoints.wire.problems import ProblemBody


async def metrics(dialer: Dialer, request: Request) -> Response:
    """
    Tell what this process did and what its database holds, to whoever has the token if there is one.
    """
    refused = _refuse(dialer, request)
    if refused is not None:
        return refusal(refused)
    return Response(await dialer.scrape(), HTTPStatus.OK, media_type=MEDIA_TYPE)


def _refuse(dialer: Dialer, request: Request) -> Refused | None:
    settings = dialer.settings
    if settings.metrics == "off":
        return Refused(reason=Reason.NOT_FOUND)
    if not settings.metrics_token:
        return None
    token = presented_key(request, in_query=False).text
    if not token:
        return Refused(reason=Reason.AUTHENTICATION_REQUIRED)
    is_right = compare_digest(token.encode(), settings.metrics_token.encode())
    return None if is_right else Refused(reason=Reason.INVALID_KEY)


PAGES: Final = (
    Page(
        path="/metrics",
        name="metrics",
        summary="Tell numbers to Prometheus, where `OUTDIAL_METRICS` allows it.",
        endpoint=metrics,
        answers={HTTPStatus.OK: str, HTTPStatus.UNAUTHORIZED: ProblemBody, HTTPStatus.NOT_FOUND: ProblemBody},
        media_type=MEDIA_TYPE,
    ),
)
