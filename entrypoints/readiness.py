"""
Whether a process can do its work: what load balancers ask.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import attrs

from outdial.entrypoints.worker.dialling import Workers
from outdial.ports.dialling_place import DiallingPlace
from outdial.ports.errors import StorageError
from outdial.ports.rate_limiter import RateLimiter
from outdial.ports.storage import Storage, Transaction

READY: Final = "ready"

NEW_PLACE: Final = "The database was restored, copied or promoted: nothing is dialled before its calls are looked at."

READY_WITHIN_S: Final = 0.8
"""Who asks for readiness commonly waits for a second."""


@attrs.frozen
class Readiness:
    """
    Of each part `ready`, or what is wrong with it.

    Attributes:
        needed: Parts without which nothing goes.

        helpful: Parts without which calls are taken and dialled all the same.
    """

    needed: Mapping[str, str]
    helpful: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def is_ready(self) -> bool:
        """
        Tell whether calls are taken and dialled.
        """
        return all(check == READY for check in self.needed.values())

    @property
    def checks(self) -> dict[str, str]:
        """
        All of it.
        """
        return {**self.needed, **self.helpful}


def place_if_writable(transaction: Transaction) -> DiallingPlace:
    """
    Return where the database is, and fail as whoever writes would.

    SQLite lets a transaction begin on a file that can't be written: only a writing statement finds that out. This one
    has nothing to write.
    """
    transaction.workers.leave("")
    return transaction.places.current()


async def readiness_of(
    storage: Storage, limiter: RateLimiter | None, workers: Workers | None, *, dials: bool
) -> Readiness:
    """
    Tell of each part of a process whether it is ready, or what is wrong with it.

    Args:
        limiter: What counts requests together with other processes, if anything does.

        workers: What dials and tells webhooks; absent until it was begun.

        dials: Whether there is to be any.
    """
    database, is_here = await _look(storage)
    needed, helpful = {"database": database}, dict[str, str]()
    if dials:
        needed["worker"] = _of_worker(workers, is_here=is_here)
        is_sending = workers is not None and workers.mail.is_running
        helpful["webhooks"] = READY if is_sending else "Webhooks are told nothing."
    if limiter is not None:
        helpful["rate_limits"] = await limiter.problem() or READY
    return Readiness(needed, helpful)


def _of_worker(workers: Workers | None, *, is_here: bool) -> str:
    if workers is not None and workers.calls.is_stopping:
        return f"Draining: nothing more is dialled, {workers.calls.live_calls} calls go on."
    if workers is None or not workers.calls.is_running:
        return "Nothing is being dialled."
    return READY if is_here else NEW_PLACE


async def _look(storage: Storage) -> tuple[str, bool]:
    """
    Tell whether the database is ready, and whether it still is where it was dialled from.

    Takes the way that an acceptance takes; without any writes it costs the disk nothing.
    """
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            return READY, (await storage.transact(place_if_writable)).is_here
    except StorageError as error:
        return str(error), True
    except TimeoutError:
        return f"Nothing can be written within {READY_WITHIN_S:g} s.", True
