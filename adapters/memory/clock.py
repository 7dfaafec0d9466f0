"""
A clock that stands still until a test moves it.
"""

from datetime import datetime, timedelta


class ManualClock:
    """
    Time under a test's control.
    """

    def __init__(self, start: datetime) -> None:
        self._now = start

    def now(self) -> datetime:
        """
        Return the time it was set to, in UTC.
        """
        return self._now

    def advance(self, seconds: float) -> None:
        """
        Move on by some seconds; a negative number moves back, as real clocks do.
        """
        self._now += timedelta(seconds=seconds)
