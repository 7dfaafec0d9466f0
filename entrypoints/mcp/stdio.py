"""
The protocol on standard input and output, for a client that starts this process.
"""

from mcp.server.stdio import stdio_server

from outdial.entrypoints.client.client import Client
from outdial.entrypoints.mcp.server import mcp_server


async def serve_stdio(client: Client) -> None:
    """
    Serve one client, which acts with one credential, until it closes standard input.
    """
    server = mcp_server(lambda _context: client)
    async with stdio_server() as (requests, answers):
        await server.run(requests, answers, server.create_initialization_options())
