"""
What load balancers ask.
"""

from http import HTTPStatus
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from outdial.entrypoints.http.page import Page
from outdial.entrypoints.http.problems import RETRY_AFTER_S, json_response
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.wire.health import AliveBody, ReadyBody, UnreadyBody, unready_body


async def live(_dialer: Dialer, _request: Request) -> Response:
    """
    Answer as long as the process can.
    """
    return json_response(AliveBody(status="ok"), HTTPStatus.OK)


async def ready(dialer: Dialer, _request: Request) -> Response:
    """
    Tell whether calls can be accepted and dialled, even if some part is not as it should be; otherwise 503.
    """
    readiness = await dialer.readiness()
    if readiness.is_ready:
        return json_response(ReadyBody(status="ready", checks=readiness.checks), HTTPStatus.OK)
    headers = {"Retry-After": str(RETRY_AFTER_S)}
    return json_response(unready_body(readiness.checks), HTTPStatus.SERVICE_UNAVAILABLE, headers)


PAGES: Final = (
    Page(
        path="/healthz",
        name="healthz",
        summary="Tell that the process answers.",
        endpoint=live,
        answers={HTTPStatus.OK: AliveBody},
    ),
    Page(
        path="/readyz",
        name="readyz",
        summary="Tell whether calls can be taken.",
        endpoint=ready,
        answers={HTTPStatus.OK: ReadyBody, HTTPStatus.SERVICE_UNAVAILABLE: UnreadyBody},
    ),
)
