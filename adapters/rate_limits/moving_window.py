"""
Exact counting: never more than the quota in any 60 seconds, by the moving window of `limits`.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Callable
from typing import Final

from limits import RateLimitItemPerMinute
from limits.aio.storage import MemoryStorage, Storage
from limits.aio.strategies import MovingWindowRateLimiter

from outdial.domain.model.rate_limit import Limit, Window

NAMESPACE: Final = "requests"
"""What the names of counters begin with."""


class MovingWindow:
    """
    Counts in a storage of `limits`.
    """

    def __init__(self, storage: Storage, now_s: Callable[[], float]) -> None:
        """
        Take a storage, and the clock by which it counts, in seconds.
        """
        self._strategy = MovingWindowRateLimiter(storage)
        self._now_s = now_s

    async def count(self, key_id: int, quota: int) -> Window:
        """
        Count one request of a key and tell what is left.
        """
        item, name = RateLimitItemPerMinute(quota, namespace=NAMESPACE), str(key_id)
        is_exceeded = not await self._strategy.hit(item, name)
        reset_at_s, remaining = await self._strategy.get_window_stats(item, name)
        return Window(
            limit=Limit.REQUESTS_PER_MINUTE,
            quota=quota,
            remaining=0 if is_exceeded else max(0, remaining),
            reset_s=max(1, math.ceil(reset_at_s - self._now_s())),
            is_exceeded=is_exceeded,
        )

    async def problem(self) -> str | None:
        """
        Return `None`.
        """
        return None

    async def stop(self) -> None:
        """
        Do nothing: there are no connections.
        """


class SteadyMemory(MemoryStorage):
    """
    The requests of the last minute in memory, by steady time: 8 bytes and a float for each, the quota at most.

    The library's own storage goes by the wall clock, which locks keys out when it is set back, and looks through all
    keys at each request.
    """

    def __init__(self, now_s: Callable[[], float]) -> None:
        super().__init__()
        self._now_s = now_s
        self._requests: OrderedDict[str, deque[float]] = OrderedDict()

    async def acquire_entry(self, key: str, limit: int, expiry: int, amount: int = 1) -> bool:
        """
        Count so many requests at once, or none when they would be too many.
        """
        now_s = self._now_s()
        self._forget_before(now_s - expiry)
        requests = self._requests.setdefault(key, deque())
        _drop_before(now_s - expiry, requests)
        if len(requests) + amount > limit:
            return False
        requests.extend([now_s] * amount)
        self._requests.move_to_end(key)
        return True

    async def get_moving_window(self, key: str, limit: int, expiry: int) -> tuple[float, int]:  # noqa: ARG002 - theirs
        """
        Return when the oldest request that still counts was made, now if there is none; and how many count.
        """
        now_s = self._now_s()
        requests = self._requests.get(key, deque())
        _drop_before(now_s - expiry, requests)
        return (requests[0] if requests else now_s), len(requests)

    def _forget_before(self, time_s: float) -> None:
        """
        Drop keys that have been idle; those that were counted last stand last.
        """
        while self._requests:
            requests = next(iter(self._requests.values()))
            if requests and requests[-1] > time_s:
                return
            self._requests.popitem(last=False)


def _drop_before(time_s: float, requests: deque[float]) -> None:
    """
    Drop what was counted at a time or before.
    """
    while requests and requests[0] <= time_s:
        requests.popleft()
