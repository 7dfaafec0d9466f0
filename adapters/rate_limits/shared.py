"""
Counting together: several processes over one Redis, and each for itself while Redis is away.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import structlog
from limits.aio.storage import RedisStorage
from redis.asyncio import BlockingConnectionPool
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from outdial.adapters.rate_limits.moving_window import MovingWindow
from outdial.domain.model.rate_limit import Window

WITHIN_S: Final = 0.1
"""A Redis nearby answers in a millisecond; who asked for a call must not wait for one that is gone."""

RETRY_S: Final = 2.0
"""How long to go on alone before one request tries Redis again."""

CONNECTIONS_MAX: Final = 8
"""Requests wait for each other's connection rather than open thousands."""

PREFIX: Final = "outdial"
"""What the names of counters begin with, in a Redis that others may use too."""

PROBLEM: Final = "Redis does not answer: each process counts requests for itself."

_log = structlog.get_logger()


class SharedWindow:
    """
    Counts in Redis, with all processes that do so; in this process alone while it does not answer.
    """

    def __init__(self, url: str, *, now_s: Callable[[], float], alone: MovingWindow) -> None:
        """
        Take a `redis://` address; nothing is connected before the first request.

        Args:
            now_s: The wall clock, which the processes must share to some seconds.

            alone: Counts while Redis is away.
        """
        self._pool = BlockingConnectionPool.from_url(
            url, max_connections=CONNECTIONS_MAX, timeout=WITHIN_S, retry=Retry(NoBackoff(), 1)
        )
        self._storage = RedisStorage(
            url,
            implementation="redispy",
            key_prefix=PREFIX,
            connection_pool=self._pool,  # type: ignore[arg-type] # as its documentation has it
        )
        self._together = MovingWindow(self._storage, now_s)
        self._alone = alone
        self._is_away = False
        self._retry_at_s = 0.0

    async def count(self, key_id: int, quota: int) -> Window:
        """
        Count one request of a key and tell what is left.
        """
        now_s = asyncio.get_running_loop().time()
        if self._is_away:
            if now_s < self._retry_at_s:
                return await self._alone.count(key_id, quota)
            self._retry_at_s = now_s + RETRY_S  # one tries; the others don't wait for it
        try:
            async with asyncio.timeout(WITHIN_S):
                window = await self._together.count(key_id, quota)
        except (TimeoutError, OSError, RedisError) as error:
            self._retry_at_s = now_s + RETRY_S
            self._note(type(error).__name__)
            return await self._alone.count(key_id, quota)
        self._note(None)
        return window

    async def problem(self) -> str | None:
        """
        Ask Redis whether it is there.
        """
        try:
            async with asyncio.timeout(WITHIN_S):
                return None if await self._storage.check() else PROBLEM
        except TimeoutError:
            return PROBLEM

    async def stop(self) -> None:
        """
        Close the connections.
        """
        await self._pool.aclose()

    def _note(self, trouble: str | None) -> None:
        """
        Log when Redis goes and when it is back.
        """
        is_away = trouble is not None
        if is_away and not self._is_away:
            _log.warning("rate_limits_counted_alone", kind=trouble)
        if self._is_away and not is_away:
            _log.info("rate_limits_counted_together")
        self._is_away = is_away
