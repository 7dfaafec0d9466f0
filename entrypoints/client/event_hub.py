"""
One look at the log for all who follow it in this process, and how many may.
"""

import asyncio
from collections import Counter
from typing import Final

import structlog

from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import Position
from outdial.domain.model.reason import Reason
from outdial.ports.errors import StorageError
from outdial.ports.storage import Storage

POLL_S: Final = 0.2
"""How often the log is looked at while somebody follows it; that takes about a millisecond."""

STREAMS_MAX: Final = 256
"""Of a process. When all accounts are busy each reads five times a second, which takes some tenths of a processor."""

STREAMS_OF_KEY_MAX: Final = 16
"""So that one key, on some screens and in some programs, leaves room for the others."""

_log = structlog.get_logger()


class EventHub:
    """
    Tells its followers when the log has grown. It holds no events: each follower reads its own, in its own time.

    Attributes:
        growths: Counts how often the log was found grown.
    """

    def __init__(self, storage: Storage) -> None:
        self.growths = 0
        self._storage = storage
        self._followers: Counter[int | None] = Counter()
        self._newest: Position | None = None
        self._grown = asyncio.Event()
        self._is_open = True
        self._poll: asyncio.Task[None] | None = None

    @property
    def is_open(self) -> bool:
        """
        Whether the log may be followed; once it is not, all streams end.
        """
        return self._is_open

    def join(self, key_id: int | None) -> Refused | None:
        """
        Add a follower, or say that there are too many.

        Args:
            key_id: Whose it is; `None` for the operator's, who may have any number of those that a process has.
        """
        of_key = self._followers[key_id] if key_id is not None else 0
        if not self._is_open or self._followers.total() >= STREAMS_MAX or of_key >= STREAMS_OF_KEY_MAX:
            return Refused(reason=Reason.UNAVAILABLE)
        self._followers[key_id] += 1
        if self._poll is None or self._poll.done():
            self._poll = asyncio.create_task(self._follow())
        return None

    def leave(self, key_id: int | None) -> None:
        """
        Take a follower away.
        """
        self._followers -= Counter({key_id: 1})

    async def growth(self, seen: int, timeout_s: float) -> None:
        """
        Wait until the log has grown since a number of `growths`, no more may follow it, or time is up.
        """
        if self.growths == seen and self._is_open:
            try:
                async with asyncio.timeout(timeout_s):
                    await self._grown.wait()
            except TimeoutError:
                pass

    def close(self) -> None:
        """
        End all streams.
        """
        self._is_open = False
        self._grown.set()

    async def stop(self) -> None:
        """
        End all streams and look no more. Idempotent.
        """
        self.close()
        if self._poll is not None:
            self._poll.cancel()
            await asyncio.wait([self._poll])

    async def _follow(self) -> None:
        is_failing = False
        while self._followers.total():
            try:
                newest = await self._storage.read(lambda reader: reader.events.newest())
            except StorageError as error:
                if not is_failing:
                    _log.warning("events_delayed", problem=str(error))
                is_failing = True
            else:
                is_failing = False
                self._note(newest)
            await asyncio.sleep(POLL_S)

    def _note(self, newest: Position) -> None:
        if newest != self._newest:
            self._newest = newest
            self.growths += 1
            self._grown.set()
            self._grown = asyncio.Event()
