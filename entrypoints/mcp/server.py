"""
The Model Context Protocol, whatever carries it: which tools there are, and calling them.
"""

from collections.abc import Callable
from typing import Any, Final

from mcp.server import Server
from mcp.server.context import ServerRequestContext
from mcp.shared.exceptions import MCPError
from mcp.types import (
    INVALID_PARAMS,
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
)

from outdial.entrypoints.client.client import Client
from outdial.entrypoints.mcp.tools import TOOLS
from outdial.version import VERSION

INSTRUCTIONS: Final = """
outdial makes phone calls: an agent of the account rings a person and talks to them. Calls are real and cost money.
Preflight a call before you initiate it, never invent a phone number, and give each call an idempotency_key of its own.
A refusal is final unless it names a time to wait: tell the user its reason, don't work around it.
""".strip()

Context = ServerRequestContext[Any, Any]


def mcp_server(client_of: Callable[[Context], Client]) -> Server[Any]:
    """
    Return a server of the protocol.

    Args:
        client_of: Tells whom a request acts for.
    """
    tools = {tool.name: tool for tool in TOOLS}
    listed = ListToolsResult(tools=[tool.described() for tool in TOOLS])

    async def list_tools(_context: Context, _params: PaginatedRequestParams | None) -> ListToolsResult:
        return listed

    async def call_tool(context: Context, params: CallToolRequestParams) -> CallToolResult:
        tool = tools.get(params.name)
        if tool is None:
            raise MCPError(code=INVALID_PARAMS, message="There is no such tool.")
        return await tool.call(client_of(context), params.arguments or {})

    return Server(
        "outdial",
        version=VERSION,
        title="outdial",
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )
