"""
A name for each request, on its answer and on every line that is logged for it; and how many are answered at once.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final

import structlog
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.reason import Reason
from outdial.entrypoints.http.problems import refusal
from outdial.ports.randomness import Randomness

HEADER: Final = "X-Request-Id"
LENGTH: Final = 16

ONCE: Final = {
    name.lower().encode(): name for name in ("Host", "Content-Length", "Content-Type", "Authorization", "X-API-Key")
}
"""Headers that say who asks, whom, and where a body ends."""

REQUESTS_MAX: Final = 2048
"""Eight full batches: who came later would wait for longer than a client does."""

_log = structlog.get_logger()


class RequestIdMiddleware:
    """
    Pure ASGI: sets `X-Request-Id`, binds it to the log, and answers `unavailable` when too many requests are in flight.
    """

    def __init__(self, app: ASGIApp, randomness: Randomness) -> None:
        self._app = app
        self._randomness = randomness
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Handle one request.
        """
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = self._randomness.base62(LENGTH)
        is_waiting = True

        def answered() -> None:
            nonlocal is_waiting
            self._in_flight -= is_waiting
            is_waiting = False

        async def send_named(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[HEADER] = request_id
                answered()  # an answer may be a stream, which takes an hour
            await send(message)

        self._in_flight += 1
        app = self._app_for(scope)
        try:
            with structlog.contextvars.bound_contextvars(request_id=request_id):
                await app(scope, receive, send_named)
        finally:
            answered()

    def _app_for(self, scope: Scope) -> ASGIApp:
        """
        Return what answers a request.
        """
        if self._in_flight > REQUESTS_MAX:
            return _refuse
        twice = sent_twice(scope["headers"])
        if twice:
            problems = tuple(FieldProblem(field=name, problem="It is sent twice.") for name in twice)
            return refusal(Refused(reason=Reason.INVALID_HTTP, problems=problems))
        return self._app


def sent_twice(headers: Iterable[tuple[bytes, bytes]]) -> list[str]:
    """
    Return those headers that two readers could understand differently, because each takes another one of two.
    """
    counts = Counter(name for name, _value in headers if name in ONCE)
    return [ONCE[name] for name, count in counts.items() if count > 1]


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """
    Answer without looking at the request, whose body is not read.
    """
    _log.warning("unavailable", problem="Too many requests are in flight.")
    await refusal(Refused(reason=Reason.UNAVAILABLE))(scope, receive, send)
