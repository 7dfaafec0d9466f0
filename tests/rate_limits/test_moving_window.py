"""
Laws of counting, in virtual time.
"""

import asyncio
import math

from hypothesis import given
from hypothesis import strategies as st

from outdial.adapters.rate_limits.moving_window import MovingWindow, SteadyMemory
from outdial.domain.model.rate_limit import Limit, Window

KEY = 11
MINUTE_S = 60

arrivals = st.lists(
    st.tuples(st.sampled_from((0.0, 0.0, 0.5, 1.0, 7.25, 59.5, 60.0, 61.0)), st.sampled_from((KEY, 12))), max_size=60
)


class Stage:
    """
    A counter in memory, and the time that it counts by.
    """

    def __init__(self) -> None:
        self.now_s = 1000.0
        self.memory = SteadyMemory(lambda: self.now_s)
        self._window = MovingWindow(self.memory, lambda: self.now_s)

    def count(self, quota: int, key_id: int = KEY) -> Window:
        """
        Count one request now.
        """
        return asyncio.run(self._window.count(key_id, quota))

    def count_all(self, requests: list[tuple[float, int]], quota: int) -> list[tuple[float, int, Window]]:
        """
        Count requests, each some seconds after the one before it, and return them with their times.
        """

        async def play() -> list[tuple[float, int, Window]]:
            counted = []
            for delay_s, key_id in requests:
                self.now_s += delay_s
                counted.append((self.now_s, key_id, await self._window.count(key_id, quota)))
            return counted

        return asyncio.run(play())


@given(requests=arrivals, quota=st.integers(1, 8))
def test_a_request_passes_exactly_when_the_last_minute_has_room(requests: list[tuple[float, int]], quota: int) -> None:
    """
    Whatever the schedule, fewer than the quota in the 60 seconds before it is enough, and only that.
    """
    counted = Stage().count_all(requests, quota)

    passed: list[tuple[float, int]] = []
    for at_s, key_id, window in counted:
        last_minute = [then_s for then_s, other in passed if other == key_id and at_s - MINUTE_S < then_s]
        assert window.is_exceeded is (len(last_minute) >= quota)
        if not window.is_exceeded:
            passed.append((at_s, key_id))


@given(requests=arrivals, quota=st.integers(1, 8))
def test_no_minute_has_more_than_the_quota(requests: list[tuple[float, int]], quota: int) -> None:
    """
    Wherever 60 seconds begin, a key has no more than its quota in them.
    """
    counted = Stage().count_all(requests, quota)

    passed = [(at_s, key_id) for at_s, key_id, window in counted if not window.is_exceeded]
    for begin_s, key_id in passed:
        within = [at_s for at_s, other in passed if other == key_id and begin_s <= at_s < begin_s + MINUTE_S]
        assert len(within) <= quota


@given(requests=arrivals, quota=st.integers(1, 8))
def test_what_is_told_is_kept(requests: list[tuple[float, int]], quota: int) -> None:
    """
    So many further requests pass at once as are told to remain, and one who is refused and waits as told is let in.
    """
    stage = Stage()
    told = stage.count_all([*requests, (0.0, KEY)], quota)[-1][2]

    at_once = [stage.count(quota) for _ in range(told.remaining + 1)]
    stage.now_s += at_once[-1].reset_s
    later = stage.count(quota)

    assert [False] * told.remaining + [True] == [window.is_exceeded for window in at_once]
    assert not later.is_exceeded


def test_a_window_tells_quota_rest_and_time() -> None:
    """
    The time is that until the oldest request no longer counts, in whole seconds, rounded up.
    """
    stage = Stage()

    first = stage.count(2)
    stage.now_s += 10.5
    second = stage.count(2)
    third = stage.count(2)

    limit = Limit.REQUESTS_PER_MINUTE
    assert Window(limit=limit, quota=2, remaining=1, reset_s=60) == first
    assert Window(limit=limit, quota=2, remaining=0, reset_s=math.ceil(49.5)) == second
    assert Window(limit=limit, quota=2, remaining=0, reset_s=50, is_exceeded=True) == third


def test_refused_requests_do_not_count() -> None:
    """
    Who asks again and again in vain is let in as soon as one who waits.
    """
    stage = Stage()
    stage.count(1)
    for _ in range(59):
        stage.now_s += 1
        assert stage.count(1).is_exceeded

    stage.now_s += 1

    assert not stage.count(1).is_exceeded


def test_idle_keys_are_forgotten() -> None:
    """
    Memory holds keys that asked within the last minute, and of each no more requests than its quota.
    """
    stage = Stage()
    for key_id in range(1000):
        stage.count(1, key_id)
    stage.now_s += MINUTE_S

    for _ in range(10):
        stage.count(5)

    assert [5] == [len(requests) for requests in stage.memory._requests.values()]  # noqa: SLF001 - what it holds


def test_a_changed_quota_begins_anew() -> None:
    """
    A key whose limit was raised has all of it at once.
    """
    stage = Stage()
    stage.count(1)

    assert 4 == stage.count(5).remaining
