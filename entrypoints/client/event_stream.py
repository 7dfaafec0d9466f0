"""
Events as they happen, for one who asked.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Final, Self

from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import Position
from outdial.domain.model.status_change import StatusChange
from outdial.domain.service.events import EventPage
from outdial.entrypoints.client.event_hub import EventHub
from outdial.ports.errors import StorageError

CHECK_S: Final = 5.0
"""How long nothing may happen before it is asked again whether the credential still may listen."""

HEARTBEAT_S: Final = 15.0
"""Proxies and clients commonly give up on a connection that was silent for 30 s or more."""

ReadOn = Callable[[Position], Awaitable[EventPage | Refused]]


class EventStream:
    """
    Changes of calls, in their order, each once; it ends with the call, or when the credential may not listen any more.

    It takes one of few places until it has ended or was closed: use it in a `with` block. While the database can't be
    read it waits.

    Attributes:
        last_event_id: Where to go on later; `None` for the beginning of a call.

        refused: Why it ended too early; `None` when it did not.
    """

    def __init__(
        self,
        hub: EventHub,
        first: EventPage,
        read_on: ReadOn,
        *,
        seen: int,
        key_id: int | None,
        last_event_id: str | None,
    ) -> None:
        """
        Begin with a first page.

        Args:
            read_on: Reads the page behind a position.

            seen: The log's `growths` before the first page was read.

            key_id: Whose place it takes.
        """
        self.last_event_id = last_event_id
        self.refused: Refused | None = None
        self._hub = hub
        self._page = first
        self._read_on = read_on
        self._seen = seen
        self._key_id = key_id
        self._is_open = True

    @property
    def is_over(self) -> bool:
        """
        Whether there is nothing to tell and never will be.
        """
        return self._page.is_over and not self._page.changes

    def close(self) -> None:
        """
        Leave the place to others. Idempotent.
        """
        if self._is_open:
            self._is_open = False
            self._hub.leave(self._key_id)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    async def __aiter__(self) -> AsyncIterator[StatusChange]:
        async for changes in self.pages():
            for change in changes:
                self.last_event_id = str(change.id)
                yield change

    async def pages(self) -> AsyncIterator[tuple[StatusChange, ...]]:
        """
        Yield what happened, several changes at once; none after each `HEARTBEAT_S` of silence.
        """
        now = asyncio.get_running_loop().time
        told_s = now()
        while self._is_open and self._hub.is_open:
            if self._page.changes or now() - told_s >= HEARTBEAT_S:
                yield self._page.changes
                told_s = now()
            if self._page.is_over:
                return
            if self._page.is_end:
                await self._hub.growth(self._seen, CHECK_S)
            if not await self._turn():
                return

    async def _turn(self) -> bool:
        """
        Read the next page; `False` when it may not be read.
        """
        self._seen = self._hub.growths
        try:
            page = await self._read_on(self._page.until)
        except StorageError:
            page = EventPage(changes=(), until=self._page.until, is_end=True)
        if isinstance(page, Refused):
            self.refused = page
            return False
        self._page = page
        return True
