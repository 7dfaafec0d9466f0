"""
How often a key may ask: its limits, and what is left of them.
"""

from enum import StrEnum
from typing import Final

import attrs
from attrs.validators import ge

REQUESTS_PER_MINUTE: Final = 60
"""The published reference's limit of a new key."""

CALLS_PER_DAY: Final = 100
"""The published reference's limit of a new key."""

REQUESTS_PER_MINUTE_MAX: Final = 60_000
"""A thousand a second; each request is remembered for a minute, which bounds the memory that a key takes."""


class Limit(StrEnum):
    """
    A key's limits, by the names that they have in the key and in a refusal.
    """

    REQUESTS_PER_MINUTE = "requests_per_minute"
    CALLS_PER_DAY = "calls_per_day"

    @property
    def window_s(self) -> int:
        """
        The time that it is about, in seconds.
        """
        return 60 if self is Limit.REQUESTS_PER_MINUTE else 86_400


@attrs.frozen(kw_only=True)
class Window:
    """
    What one of a key's limits says about one request.

    Attributes:
        limit: Which one.

        quota: How much the key may do in its time.

        remaining: How much of that is left after this request.

        reset_s: Seconds until there is more again, rounded up.

        is_exceeded: Whether this request is one too many; it was not counted then.
    """

    limit: Limit
    quota: int = attrs.field(validator=ge(0))
    remaining: int = attrs.field(validator=ge(0))
    reset_s: int = attrs.field(validator=ge(0))
    is_exceeded: bool = False
