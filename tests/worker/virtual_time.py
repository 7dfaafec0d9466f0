"""
Time that passes as soon as nobody has anything else to do: hours take milliseconds, and always the same ones.
"""

import asyncio
import functools
import selectors
from collections.abc import Callable, Coroutine
from datetime import datetime, timedelta
from typing import Any, Final, ParamSpec

from tests import builders

P = ParamSpec("P")

TIME_MAX_S: Final = 1_000_000.0
"""A test that is not done by then waits for something that will not happen."""


class _Sleepless(selectors.SelectSelector):
    """
    Jumps over the time in which nothing is ready.
    """

    passed_s = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        """
        Return what is ready now; when nothing is, let the time pass at once.
        """
        ready = super().select(0)
        if not ready and timeout != 0:
            if timeout is None or self.passed_s > TIME_MAX_S:
                raise TimeoutError("The test waits for something that will not happen.")
            self.passed_s += timeout
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """
    An event loop whose clock begins at 0 and never waits. Nothing outside the loop may be waited for.
    """

    def __init__(self) -> None:
        self._sleepless = _Sleepless()
        super().__init__(self._sleepless)

    def time(self) -> float:
        """
        Return the seconds that passed.
        """
        return self._sleepless.passed_s


class LoopClock:
    """
    A wall clock that goes with the running loop's time.

    Attributes:
        slept_s: How long the machine was suspended, which the loop's time does not tell.
    """

    slept_s = 0.0

    def now(self) -> datetime:
        """
        Return the builders' time and what has passed since the loop began.
        """
        return builders.NOW + timedelta(seconds=elapsed_s() + self.slept_s)


def elapsed_s() -> float:
    """
    Return the running loop's time.
    """
    return asyncio.get_running_loop().time()


def run_in_virtual_time(test: Coroutine[Any, Any, None]) -> None:
    """
    Run a test on a loop of its own.
    """
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        runner.run(test)


def in_virtual_time(test: Callable[P, Coroutine[Any, Any, None]]) -> Callable[P, None]:
    """
    Make an ordinary test of an asynchronous one.
    """

    @functools.wraps(test)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        run_in_virtual_time(test(*args, **kwargs))

    return run
