"""
Hearing at once that calls were queued, on whichever machine.

A signal can be lost, as when the server restarts: whoever waits for one also looks by itself now and then.
"""

import asyncio
import contextlib
import random
from collections.abc import Callable
from typing import Final

import psycopg
import structlog

from outdial.adapters.postgres.connection import SQL, Limits, parameters
from outdial.adapters.postgres.errors import check_url

PAUSE_S_MIN: Final = 0.1
PAUSE_S_MAX: Final = 5.0
"""The longest pause before the next attempt to connect; it doubles up to this."""

_RANDOM: Final = random.SystemRandom()
_log = structlog.get_logger()


class QueueSignal:
    """
    A connection that listens, and comes back by itself.

    `on_signal` is called on the event loop: often for no new call, and whenever the connection was made anew.
    """

    def __init__(self, url: str, on_signal: Callable[[], None], *, pause_s_max: float = PAUSE_S_MAX) -> None:
        self._url = url
        self._on_signal = on_signal
        self._pause_s_max = pause_s_max
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """
        Begin to listen; that the database can't be reached now is no error.

        Raises:
            StorageError: Its address can't be read.
        """
        check_url(self._url)
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen_for_ever())

    async def stop(self) -> None:
        """
        Hear no more. Idempotent.
        """
        listening, self._listening = self._listening, None
        if listening is not None:
            listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await listening

    async def _listen_for_ever(self) -> None:
        pause_s = PAUSE_S_MIN
        while True:
            try:
                async with await psycopg.AsyncConnection.connect(self._url, **parameters(Limits())) as connection:
                    await connection.execute(SQL["listen"].encode())
                    pause_s = PAUSE_S_MIN
                    # Calls may have been queued while nobody listened.
                    self._on_signal()
                    async for _notification in connection.notifies():
                        self._on_signal()
            except psycopg.Error as error:
                _log.warning("queue_signal_lost", error=type(error).__name__)
            await asyncio.sleep(_RANDOM.uniform(pause_s / 2, pause_s))
            pause_s = min(2 * pause_s, self._pause_s_max)
