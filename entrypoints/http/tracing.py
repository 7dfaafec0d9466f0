"""
Each request as a span, a part of the client's trace if it sent one.
"""

from typing import Final

from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outdial.entrypoints.http.measuring import NO_ROUTE
from outdial.ports.tracer import Tracer

HEADER: Final = "traceparent"


class TracingMiddleware:
    """
    Pure ASGI: follows each request until its answer was sent (W3C Trace Context, 3.2).
    """

    def __init__(self, app: ASGIApp, tracer: Tracer) -> None:
        self._app = app
        self._tracer = tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Handle one request.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        method = scope["method"]
        with self._tracer.request(method, Headers(scope=scope).get(HEADER)) as span:

            async def send_traced(message: Message) -> None:
                if message["type"] == "http.response.start":
                    route = scope.get("route")
                    path = NO_ROUTE if route is None else route.path
                    span.rename(f"{method} {path}")
                    span.tell(
                        http__request__method=method, http__route=path, http__response__status_code=message["status"]
                    )
                await send(message)

            await self._app(scope, receive, send_traced)
