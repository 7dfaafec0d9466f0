"""
Following nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from outdial.domain.model.call import Call


class SilentSpan:
    """
    Notes nothing.
    """

    trace_parent: str | None = None

    def rename(self, name: str) -> None:
        """
        Do nothing.
        """

    def tell(self, **facts: str | int) -> None:
        """
        Do nothing.
        """


class SilentTracer:
    """
    Notes nothing, at next to no cost.
    """

    is_on = False

    @contextmanager
    def request(self, _name: str, _trace_parent: str | None) -> Iterator[SilentSpan]:
        """
        Follow nothing.
        """
        yield SilentSpan()

    @contextmanager
    def step(self, _name: str) -> Iterator[SilentSpan]:
        """
        Follow nothing.
        """
        yield SilentSpan()

    def moved(self, call: Call, at: datetime) -> None:
        """
        Do nothing.
        """

    async def stop(self) -> None:
        """
        Do nothing.
        """
