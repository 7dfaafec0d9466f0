"""
The SDK's own client beside the interface under test: in memory, or over HTTP without a network.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar

import attrs
import httpx2
from mcp import Client
from mcp.client.streamable_http import streamable_http_client
from mcp.types import CallToolResult

from outdial.domain.model.principal import PresentedKey
from outdial.entrypoints.mcp.server import mcp_server
from tests.entrypoints.clinic import KEY
from tests.http.api import BODY, MEMORY, Api

T = TypeVar("T")

OVER_HTTP: Final = attrs.evolve(MEMORY, mcp="on")
URL: Final = "http://outdial.test/mcp"
WAYS: Final = ("memory", "http")
MODES: Final = ("auto", "legacy")
"""The protocol without a handshake, and as it was with one."""

ASKED: Final = {**BODY, "idempotency_key": "one"}
"""The least that is dialled."""

NOTHING: Final[Mapping[str, Any]] = {}


@asynccontextmanager
async def talking(api: Api, *, key: str | None = KEY, way: str = "memory", mode: str = "auto") -> AsyncIterator[Client]:
    """
    Connect a client with a key.
    """
    if way == "memory":
        server = mcp_server(lambda _context: api.dialer.acting(PresentedKey(text=key)))
        async with Client(server, mode=mode) as client:
            yield client
        return
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    async with (
        httpx2.AsyncClient(transport=httpx2.ASGITransport(app=api.app), headers=headers) as http,
        Client(streamable_http_client(URL, http_client=http), mode=mode) as client,
    ):
        yield client


def use(api: Api, work: Callable[[Client], Awaitable[T]], **how: Any) -> T:
    """
    Return what `work` does with a connected client.
    """

    async def main() -> T:
        async with talking(api, **how) as client:
            return await work(client)

    return api.run(main())


def call(api: Api, tool: str, arguments: Mapping[str, Any] = NOTHING, **how: Any) -> CallToolResult:
    """
    Call one tool.
    """
    return use(api, lambda client: client.call_tool(tool, dict(arguments)), **how)


def body_of(result: CallToolResult) -> dict[str, Any]:
    """
    Return a result's body, once it is sure that models that read text alone see the same.
    """
    *notes, text = [block.text for block in result.content if block.type == "text"]
    body: dict[str, Any] = result.structured_content
    assert json.loads(text) == body
    assert result.is_error == ("error" in body and "decision" not in body)
    assert all(note.endswith(".") for note in notes)
    return body


def note_of(result: CallToolResult) -> str:
    """
    Return the sentences that a model reads before a result's body; empty for none.
    """
    return " ".join(block.text for block in result.content[:-1] if block.type == "text")
