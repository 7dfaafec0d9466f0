"""
What time it is, asked for in one place.
"""

from datetime import datetime
from typing import Protocol


class Clock(Protocol):
    """
    The wall clock. It may jump: durations are measured by the event loop's steady time.
    """

    def now(self) -> datetime:
        """
        Return the current time, aware, in UTC.
        """
