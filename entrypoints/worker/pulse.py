"""
How workers know of each other that they live: each tells it to the database, and none judges who could not.
"""

import asyncio
import math
from typing import Final

from outdial.ports.storage import Storage

BEAT_S: Final = 3.0
SILENT_S: Final = 15.0
"""A worker that missed this much of its beats is taken for lost; four beats may fail before."""

GAP_S: Final = SILENT_S / 2
"""Between two beats of one worker: after a longer one it may be the database that was away, and all are silent."""

NEVER_S: Final = 1e9
"""A silence of thirty years."""

FORGOTTEN_S: Final = 86_400.0
"""Who was silent for a day is not coming back: each start of a process is a worker of its own."""


class Pulse:
    """
    The pulse of one worker; one that has no rivals tells nothing.

    Attributes:
        worker_id: The worker's name.
    """

    def __init__(self, storage: Storage, worker_id: str, *, has_rivals: bool) -> None:
        self.worker_id = worker_id
        self._storage = storage
        self._has_rivals = has_rivals
        self._beaten_at_s = self._beats_since_s = -math.inf

    async def begin(self) -> None:
        """
        Tell the others of this worker, and forget those that ended long ago without a word.

        Raises:
            StorageError: The database can't be used.
        """
        if self._has_rivals:
            await self._storage.transact(lambda transaction: transaction.workers.forget(silent_s=FORGOTTEN_S))
            await self._beat()

    async def next_beat(self) -> None:
        """
        Tell the others that this worker lives, as soon as it is time to.

        Raises:
            StorageError: Nobody heard of it.
        """
        await asyncio.sleep(BEAT_S)
        await self._beat()

    async def end(self) -> None:
        """
        Tell the others that this worker is gone, so that nobody waits for it.

        Raises:
            StorageError: They will find out by its silence.
        """
        if self._has_rivals:
            await self._storage.transact(lambda transaction: transaction.workers.leave(self.worker_id))
            self._beaten_at_s = self._beats_since_s = -math.inf

    def silence_s(self, now_s: float) -> float:
        """
        Return after which silence other workers are taken for lost.

        Only who could beat all the time may judge: while the database is away nobody beats, and their calls go on.

        Args:
            now_s: The running loop's time.
        """
        if not self._has_rivals:
            return SILENT_S
        is_steady = now_s - self._beats_since_s >= SILENT_S and now_s - self._beaten_at_s <= GAP_S
        return SILENT_S if is_steady else NEVER_S

    async def _beat(self) -> None:
        await self._storage.transact(lambda transaction: transaction.workers.beat(self.worker_id))
        now_s = asyncio.get_running_loop().time()
        if now_s - self._beaten_at_s > GAP_S:
            self._beats_since_s = now_s
        self._beaten_at_s = now_s
