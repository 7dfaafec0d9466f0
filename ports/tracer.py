"""
Following one request through everything that is done for it, from its arrival to the hang-up.
"""

from contextlib import AbstractContextManager
from datetime import datetime
from typing import Protocol

from outdial.domain.model.call import Call


class Span(Protocol):
    """
    One thing that is being done.
    """

    @property
    def trace_parent(self) -> str | None:
        """
        Its place in its trace, as W3C Trace Context writes it; `None` when nobody traces.
        """

    def rename(self, name: str) -> None:
        """
        Give it a better name, once that is known.
        """

    def tell(self, **facts: str | int) -> None:
        """
        Add what became known of it; never a phone number, a variable or a secret.
        """


class Tracer(Protocol):
    """
    Notes what is done, as spans of traces.
    """

    @property
    def is_on(self) -> bool:
        """
        Whether anybody traces.
        """

    def request(self, name: str, trace_parent: str | None) -> AbstractContextManager[Span]:
        """
        Follow a request that comes from elsewhere.

        Args:
            trace_parent: Its place in the client's trace, as it was sent, whatever it is.
        """

    def step(self, name: str) -> AbstractContextManager[Span]:
        """
        Follow a step of what is being done.
        """

    def moved(self, call: Call, at: datetime) -> None:
        """
        Note that this process brought a call into another state: an attempt is followed until it is over.
        """

    async def stop(self) -> None:
        """
        Send what was noted. Idempotent.
        """
