"""
A process that serves: uvloop, an orderly end on SIGINT and SIGTERM, HTTP.
"""

import asyncio
import errno
import gc
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, Final, TypeVar

import uvloop

from outdial.entrypoints.http import server
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.mcp.extra import need_mcp
from outdial.entrypoints.settings import Settings
from outdial.entrypoints.stopping import STOP_S, Stop, end_within
from outdial.ports.errors import OutdialError

T = TypeVar("T")

STOP_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)

COLLECTOR_THRESHOLDS: Final = (50_000, 20, 20)
"""
With many waiting requests the collector's default thresholds cost 15 % of the throughput and a p99 of 45 ms.
"""


class AddressError(OutdialError):
    """
    HTTP can't be served where the settings say; nothing was started.
    """


def run(work: Callable[[Stop], Coroutine[Any, Any, T]], *, drain_s: int) -> T:
    """
    Run a coroutine on uvloop. SIGINT and SIGTERM tell it to end, and that the process will end in any case.

    Args:
        drain_s: How long it may let live calls go on after the first signal.
    """
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        loop = runner.get_loop()
        stop = Stop()

        def ask() -> None:
            end_within(STOP_S if stop.wanted.is_set() else drain_s + STOP_S)
            stop.ask()

        def on_signal(_number: int, _frame: object) -> None:
            loop.call_soon_threadsafe(ask)

        with _handled(on_signal):
            return runner.run(work(stop))


def check_serving(settings: Settings) -> None:
    """
    Raise when nobody could serve what the settings say where they say it, before anything is opened.

    Raises:
        AddressError: Says what to change.

        McpMissingError: Says what to install.
    """
    if settings.mcp == "on":
        need_mcp()
    try:
        found = socket.getaddrinfo(settings.host, settings.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        family, *_, address = found[0]
        with socket.create_server((address[0], address[1]), family=family):
            pass
    except OSError as error:
        raise _address_error(settings, _words_of(error)) from error


async def serve(dialer: Dialer, stop: Stop, *, on_listening: Callable[[str], None]) -> None:
    """
    Serve HTTP until SIGINT or SIGTERM, and until the live calls are over.

    Raises:
        AddressError: Somebody else listens there since it was checked.
    """

    def listening(url: str) -> None:
        gc.collect()
        gc.freeze()
        gc.set_threshold(*COLLECTOR_THRESHOLDS)
        on_listening(url)

    try:
        await server.serve(dialer, stop, on_listening=listening)
    except SystemExit as error:  # uvicorn's way to say that it can't listen
        raise _address_error(dialer.settings, os.strerror(errno.EADDRINUSE)) from error


def _words_of(error: OSError) -> str:
    """
    Return the system's words alone; `create_server` adds the address to them.
    """
    is_of_name = isinstance(error, socket.gaierror)
    return os.strerror(error.errno) if error.errno is not None and not is_of_name else str(error.strerror)


def _address_error(settings: Settings, problem: str) -> AddressError:
    return AddressError(
        f"HTTP can't be served on {settings.host}:{settings.port} ({problem}):"
        f" free it, or set another port such as OUTDIAL_PORT={settings.port + 1 if settings.port else 8081}."
    )


@contextmanager
def _handled(handler: Callable[[int, object], None]) -> Iterator[None]:
    before = {number: signal.signal(number, handler) for number in STOP_SIGNALS}
    try:
        yield
    finally:
        for number, previous in before.items():
            signal.signal(number, previous)
