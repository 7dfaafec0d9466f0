"""
Counting together over a Redis, and alone while it is away.
"""

import asyncio
import socket
from collections.abc import Callable, Coroutine
from time import monotonic
from typing import Any

import pytest
from structlog.testing import capture_logs

from outdial.adapters.rate_limits import shared
from outdial.adapters.rate_limits.moving_window import MovingWindow, SteadyMemory
from outdial.adapters.rate_limits.shared import PROBLEM, WITHIN_S, SharedWindow
from outdial.adapters.system.clock import SystemClock
from tests.rate_limits.redis_server import RedisServer
from tests.telephony.ports import free_port

pytestmark = pytest.mark.redis

KEY = 11
SLACK_S = 1.0
"""What a busy machine may take besides."""


def run(url: str, scenario: Callable[[SharedWindow, SharedWindow], Coroutine[Any, Any, None]]) -> None:
    """
    Run a scenario with the counters of two processes.
    """

    async def with_two() -> None:
        one, other = (
            SharedWindow(
                url,
                now_s=lambda: SystemClock().now().timestamp(),
                alone=MovingWindow(SteadyMemory(monotonic), monotonic),
            )
            for _ in range(2)
        )
        try:
            await scenario(one, other)
        finally:
            await one.stop()
            await other.stop()

    asyncio.run(with_two())


def test_two_processes_share_a_quota(redis: RedisServer) -> None:
    """
    However many ask at once, wherever: the quota passes in sum, and each key has its own.
    """

    async def scenario(one: SharedWindow, other: SharedWindow) -> None:
        windows = await asyncio.gather(*((one, other)[turn % 2].count(KEY, 10) for turn in range(60)))
        neighbour = await other.count(12, 10)

        assert 10 == sum(not window.is_exceeded for window in windows)
        assert all(1 <= window.reset_s <= 60 for window in windows)
        assert (9, 60, False) == (neighbour.remaining, neighbour.reset_s, neighbour.is_exceeded)

    run(redis.url, scenario)


def test_counters_end_with_their_minute(redis: RedisServer) -> None:
    """
    Redis forgets idle keys by itself, and what it keeps of a key is bounded by its quota.
    """

    async def scenario(one: SharedWindow, _other: SharedWindow) -> None:
        for _ in range(5):
            await one.count(KEY, 3)
        connection = one._storage.bridge.get_connection()  # type: ignore[attr-defined]  # noqa: SLF001 - what it holds
        (name,) = await connection.keys("*")

        assert b"outdial:requests/11/3/1/minute" == name
        assert 3 == await connection.llen(name)
        assert 0 < await connection.ttl(name) <= 60

    run(redis.url, scenario)


def test_requests_are_counted_alone_while_redis_is_away(redis: RedisServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Each process has the quota then; they count together again when Redis is back, and both turns are logged once.
    """
    monkeypatch.setattr(shared, "RETRY_S", 0.0)

    async def scenario(one: SharedWindow, other: SharedWindow) -> None:
        await one.count(KEY, 5)
        before = await one.problem()
        redis.stop()
        away = [await process.count(KEY, 5) for process in (one, other) for _ in range(6)]
        during = await one.problem()
        redis.start()
        first, second = await one.count(KEY, 5), await other.count(KEY, 5)

        assert (None, PROBLEM, None) == (before, during, await one.problem())
        assert ([False] * 5 + [True]) * 2 == [window.is_exceeded for window in away]
        assert (4, 3) == (first.remaining, second.remaining)

    with capture_logs() as lines:
        run(redis.url, scenario)

    events = [line["event"] for line in lines]
    assert ["rate_limits_counted_alone"] * 2 + ["rate_limits_counted_together"] * 2 == events


def test_a_redis_that_hangs_holds_nobody_up_for_long() -> None:
    """
    One request waits for a tenth of a second; those behind it go on at once.
    """
    with socket.create_server(("127.0.0.1", free_port())) as deaf:

        async def scenario(one: SharedWindow, _other: SharedWindow) -> None:
            begin_s = asyncio.get_running_loop().time()
            windows = [await one.count(KEY, 60) for _ in range(50)]
            counted_s = asyncio.get_running_loop().time() - begin_s

            assert list(range(59, 9, -1)) == [window.remaining for window in windows]
            assert WITHIN_S <= counted_s < WITHIN_S + SLACK_S
            assert PROBLEM == await one.problem()

        run(f"redis://127.0.0.1:{deaf.getsockname()[1]}/0", scenario)
