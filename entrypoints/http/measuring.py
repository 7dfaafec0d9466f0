"""
How many requests were answered, how, and after which time.
"""

from collections.abc import Callable
from time import perf_counter
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

NO_ROUTE: Final = "none"
"""Where a request led that found no address."""

Answered = Callable[[str, str, int, float], None]
"""Told the route, the method, the status and the seconds until the answer began."""


class MeasuringMiddleware:
    """
    Pure ASGI: tells of each answer as it begins, by its route's template.
    """

    def __init__(self, app: ASGIApp, on_answered: Answered) -> None:
        self._app = app
        self._on_answered = on_answered

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Handle one request.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        begun_s = perf_counter()

        async def send_measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = scope.get("route")
                path = NO_ROUTE if route is None else route.path
                self._on_answered(path, scope["method"], message["status"], perf_counter() - begun_s)
            await send(message)

        await self._app(scope, receive, send_measured)
