"""
The operations of the API, and how requests find them.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from outdial.entrypoints.http import agents, calls, contacts, decisions, do_not_call, events, health, metrics, webhooks
from outdial.entrypoints.http.authentication import presented_key
from outdial.entrypoints.http.operation import Operation
from outdial.entrypoints.http.page import Page
from outdial.entrypoints.http.problems import limit_headers
from outdial.entrypoints.library import Dialer

OPERATIONS: Final[tuple[Operation, ...]] = (
    *calls.OPERATIONS,
    *decisions.OPERATIONS,
    *events.OPERATIONS,
    *agents.OPERATIONS,
    *contacts.OPERATIONS,
    *do_not_call.OPERATIONS,
    *webhooks.OPERATIONS,
)
"""In the order in which they are shown."""

PAGES: Final[tuple[Page, ...]] = (*health.PAGES, *metrics.PAGES)
"""What needs no key."""


def api_routes(dialer: Dialer) -> list[Route]:
    """
    Return the routes of all operations: one for each address, so that 405 names every method that it has.

    Fixed addresses stand before those with a part that varies: the first one that fits is taken.
    """
    by_path: dict[str, dict[str, Operation]] = {}
    for operation in OPERATIONS:
        by_path.setdefault(operation.path, {})[operation.method] = operation
    return [
        Route(path, _dispatcher(dialer, operations), methods=list(operations))
        for path, operations in sorted(by_path.items(), key=lambda item: _varying(item[0]))
    ]


def _varying(path: str) -> list[bool]:
    """
    Tell which parts of an address vary.
    """
    return [part.startswith("{") for part in path.split("/")]


def _dispatcher(dialer: Dialer, operations: Mapping[str, Operation]) -> Callable[[Request], Awaitable[Response]]:
    key_in_query = dialer.settings.api_key_in_query

    async def serve(request: Request) -> Response:
        operation = operations["GET" if request.method == "HEAD" else request.method]
        client = dialer.acting(presented_key(request, in_query=key_in_query))
        response = await operation.serve(client, request, key_in_query=key_in_query)
        if client.window is not None and not client.window.is_exceeded:
            for name, told in limit_headers(client.window).items():
                response.headers.append(name, told)
        return response

    return serve
