"""
Counting the requests of keys.
"""

from typing import Protocol

from outdial.domain.model.rate_limit import Window


class RateLimiter(Protocol):
    """
    Counts the requests that keys make in any 60 seconds.
    """

    async def count(self, key_id: int, quota: int) -> Window:
        """
        Count one request of a key and tell what is left; one too many is told so, and is not counted.

        It always answers, within 0.2 seconds: that nobody can count is no reason not to serve.

        Args:
            quota: The key's requests per minute.
        """

    async def problem(self) -> str | None:
        """
        Return what keeps it from counting together with the other processes, as a sentence; `None` when nothing does.
        """

    async def stop(self) -> None:
        """
        Let go of connections. Idempotent.
        """
