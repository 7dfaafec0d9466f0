"""
Serving HTTP with uvicorn: httptools parses, uvloop runs.
"""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final

import uvicorn

from outdial.entrypoints import composition
from outdial.entrypoints.http.app import create_app
from outdial.entrypoints.http.connections import ImpatientProtocol
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.stopping import Stop

BACKLOG: Final = 2048
KEEP_ALIVE_S: Final = 30
SHUTDOWN_S: Final = 3
"""Answers take milliseconds; the carrier and the last writes need the rest of the 30 s that a stop may take."""


class _Server(uvicorn.Server):
    """
    Tells when it listens, and when it ends.
    """

    def __init__(
        self, config: uvicorn.Config, on_listening: Callable[[str], None], on_ending: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._on_listening = on_listening
        self._on_ending = on_ending

    async def startup(self, sockets: object = None) -> None:
        """
        Listen, then say where.
        """
        await super().startup(sockets=sockets)  # type: ignore[arg-type]
        if self.started:
            host, port = self.servers[0].sockets[0].getsockname()[:2]
            self._on_listening(f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}")

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """
        Leave signals to the process, which has calls to end before.
        """
        yield

    async def shutdown(self, sockets: Any = None) -> None:
        """
        Tell, then finish what is being answered.
        """
        self._on_ending()
        await super().shutdown(sockets=sockets)


async def serve(dialer: Dialer, stop: Stop, *, on_listening: Callable[[str], None]) -> None:
    """
    Serve a dialer's HTTP until it is to stop, and until its live calls are over.

    Args:
        on_listening: Told the base URL once requests are taken.
    """
    config = uvicorn.Config(
        create_app(dialer),
        host=dialer.settings.host,
        port=dialer.settings.port,
        http=partial(ImpatientProtocol, randomness=composition.randomness()),  # type: ignore[arg-type]
        loop="uvloop",
        lifespan="off",
        access_log=False,
        log_config=None,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=SHUTDOWN_S,
    )
    server = _Server(config, on_listening, dialer.end_streams)
    ending = asyncio.create_task(_end(server, dialer, stop))
    try:
        await server.serve()
    finally:
        ending.cancel()
        await asyncio.gather(ending, return_exceptions=True)


async def _end(server: _Server, dialer: Dialer, stop: Stop) -> None:
    """
    End a server when its process is to end; requests are answered until the calls are over.
    """
    await stop.wanted.wait()
    draining = asyncio.create_task(dialer.drain())
    hurrying = asyncio.create_task(stop.at_once.wait())
    try:
        await asyncio.wait({draining, hurrying}, return_when=asyncio.FIRST_COMPLETED)
        if not draining.done():
            await dialer.drain(within_s=0)
        await draining
    finally:
        hurrying.cancel()
        server.should_exit = True
