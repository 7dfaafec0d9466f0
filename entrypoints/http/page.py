"""
Addresses that need no key, such as those that load balancers ask.
"""

from collections.abc import Awaitable, Callable, Mapping
from http import HTTPStatus
from typing import Any

import attrs
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from outdial.entrypoints.library import Dialer


@attrs.frozen(kw_only=True)
class Page:
    """
    What anybody may get at an address, and what the reference says of it.

    Attributes:
        name: Its name in the reference, `operationId`.

        summary: What it is for, in a line.

        answers: The shape of each answer by its status; `str` for text.

        media_type: What the answers are written in, but for refusals.
    """

    path: str
    name: str
    summary: str
    endpoint: Callable[[Dialer, Request], Awaitable[Response]]
    answers: Mapping[HTTPStatus, Any]
    media_type: str = "application/json"

    def route(self, dialer: Dialer) -> Route:
        """
        Return its route for a dialer.
        """

        async def serve(request: Request) -> Response:
            return await self.endpoint(dialer, request)

        return Route(self.path, serve, methods=["GET"])
