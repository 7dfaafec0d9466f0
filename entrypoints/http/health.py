"""
What load balancers ask.
"""

from http import HTTPStatus

from starlette.requests import Request
from starlette.responses import Response

from outdial.entrypoints.http.problems import RETRY_AFTER_S, json_response
from outdial.entrypoints.library import READY, Dialer
from outdial.entrypoints.wire.health import AliveBody, ReadyBody, unready_body


class HealthRoutes:
    """
    Tells whether the process lives, and whether it can take calls.
    """

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer

    async def live(self, _request: Request) -> Response:
        """
        `GET /healthz`: the process answers.
        """
        return json_response(AliveBody(status="ok"), HTTPStatus.OK)

    async def ready(self, _request: Request) -> Response:
        """
        `GET /readyz`: calls can be accepted and dialled; otherwise 503 and what is wrong.
        """
        checks = await self._dialer.readiness()
        if all(check == READY for check in checks.values()):
            return json_response(ReadyBody(status="ready", checks=dict(checks)), HTTPStatus.OK)
        headers = {"Retry-After": str(RETRY_AFTER_S)}
        return json_response(unready_body(checks), HTTPStatus.SERVICE_UNAVAILABLE, headers)
