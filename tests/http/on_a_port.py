"""
An application on a free port of this process, behind the protocol of `outdial serve`.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvicorn
from starlette.types import ASGIApp
from uvicorn.server import ServerState

from outdial.adapters.system.randomness import SystemRandomness
from outdial.entrypoints.http.connections import ImpatientProtocol

KEEP_ALIVE_S = 30


@asynccontextmanager
async def on_a_port(app: ASGIApp, state: ServerState) -> AsyncIterator[int]:
    """
    Serve until the block ends, and yield the port.

    Args:
        state: uvicorn's own count of connections and requests.
    """
    config = uvicorn.Config(app, lifespan="off", log_config=None, timeout_keep_alive=KEEP_ALIVE_S)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: ImpatientProtocol(config, state, {}, randomness=SystemRandomness()), "127.0.0.1", 0
    )
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        for connection in list(state.connections):
            connection.transport.abort()
        await asyncio.gather(*state.tasks, return_exceptions=True)
