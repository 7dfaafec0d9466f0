"""
The loop that forgets old refusals, some at a time, so that others can write between.
"""

import asyncio
from datetime import timedelta
from typing import Final

import structlog

from outdial.ports.clock import Clock
from outdial.ports.storage import Storage

FORGOTTEN_AT_ONCE: Final = 500
"""Rows of one transaction: a few milliseconds."""

PAUSE_S: Final = 0.2
"""Between two transactions while there is more: five of them take less than a tenth of the time."""

TURN_S: Final = 600.0
"""How often it is looked whether refusals have grown old; after an error, too."""

_log = structlog.get_logger()


class RefusalPruner:
    """
    Forgets refusals that are older than they are kept.
    """

    def __init__(self, *, storage: Storage, clock: Clock, retention: timedelta, turn_s: float = TURN_S) -> None:
        self._storage = storage
        self._clock = clock
        self._retention = retention
        self._turn_s = turn_s
        self._loop: asyncio.Task[None] | None = None

    def start(self) -> None:
        """
        Begin.
        """
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """
        End. Idempotent.
        """
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)

    async def prune(self) -> int:
        """
        Forget all that is old enough, and return how many that was.

        Raises:
            StorageError: The database can't write now.
        """
        older_than = self._clock.now() - self._retention
        forgotten = 0
        while True:
            count = await self._storage.transact(
                lambda transaction: transaction.decisions.prune_refusals(older_than=older_than, limit=FORGOTTEN_AT_ONCE)
            )
            forgotten += count
            if count < FORGOTTEN_AT_ONCE:
                return forgotten
            await asyncio.sleep(PAUSE_S)

    async def _run(self) -> None:
        """
        Forget what is old, for ever; an error costs a turn, never the loop.
        """
        while True:
            try:
                if forgotten := await self.prune():
                    _log.info("refusals_forgotten", count=forgotten)
            except Exception as error:  # noqa: BLE001 - an error costs a turn, never the loop
                _log.warning("refusals_not_forgotten", problem=str(error))
            await asyncio.sleep(self._turn_s)
