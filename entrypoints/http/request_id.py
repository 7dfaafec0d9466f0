"""
A name for each request, on its answer and on every line that is logged for it.
"""

from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outdial.ports.randomness import Randomness

HEADER: Final = "X-Request-Id"
LENGTH: Final = 16


class RequestIdMiddleware:
    """
    Pure ASGI: sets `X-Request-Id` and binds it to the log.
    """

    def __init__(self, app: ASGIApp, randomness: Randomness) -> None:
        self._app = app
        self._randomness = randomness

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Handle one request.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._randomness.base62(LENGTH)

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
            await send(message)

        with structlog.contextvars.bound_contextvars(request_id=request_id):
            await self._app(scope, receive, send_named)
