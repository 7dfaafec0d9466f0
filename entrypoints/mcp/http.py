"""
The protocol over HTTP: streamable HTTP without sessions, each request with its key and answered with JSON.
"""

import json
from typing import Final, cast

from mcp.server.streamable_http_manager import StreamableHTTPSessionManager
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Message, Receive, Scope, Send

from outdial.domain.model.decision import Refused
from outdial.domain.model.reason import Reason
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.http.authentication import presented_key
from outdial.entrypoints.http.bodies import read_object
from outdial.entrypoints.http.problems import limit_headers, refusal
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.mcp.server import mcp_server

PATH: Final = "/mcp"


def mcp_route(dialer: Dialer) -> Route:
    """
    Return the route of the protocol.

    Only requests come in (POST): there are no streams from the server (GET), and no sessions to end (DELETE).
    """
    return Route(PATH, McpOverHttp(dialer), methods=["POST"])


class McpOverHttp:
    """
    ASGI: admits a request as every other one is admitted, then leaves it to the SDK.
    """

    def __init__(self, dialer: Dialer) -> None:
        self._dialer = dialer
        self._server = mcp_server(lambda context: _client_of(cast("Request", context.request)))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer one request.
        """
        request = Request(scope, receive)
        client = self._dialer.acting(presented_key(request, in_query=False))
        body = await read_object(request)
        refused = await _refuse(request, client) or (body if isinstance(body, Refused) else None)
        if refused is not None:
            await refusal(refused)(scope, receive, send)
            return
        request.state.client = client
        messages = iter([{"type": "http.request", "body": json.dumps(body).encode()}])

        async def receive_read() -> Message:
            return next(messages, None) or await receive()

        async def send_with_limits(message: Message) -> None:
            if message["type"] == "http.response.start" and client.window is not None:
                MutableHeaders(scope=message).update(limit_headers(client.window))
            await send(message)

        # One for each request: nothing of a request outlives it, so there is nothing to start or stop with the server.
        manager = StreamableHTTPSessionManager(self._server, json_response=True, stateless=True)
        async with manager.run():
            await manager.handle_request(scope, receive_read, send_with_limits)


async def _refuse(request: Request, client: Client) -> Refused | None:
    """
    Refuse web pages, then strangers.

    "Servers MUST validate the Origin header on all incoming connections to prevent DNS rebinding attacks" (Model
    Context Protocol 2025-11-25, transports): browsers send one with every POST, and programs none.
    """
    if "origin" in request.headers:
        return Refused(reason=Reason.ORIGIN_NOT_ALLOWED)
    return await client.identify()


def _client_of(request: Request) -> Client:
    client: Client = request.state.client
    return client
