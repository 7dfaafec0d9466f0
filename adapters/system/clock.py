"""
The machine's own clock.
"""

from datetime import UTC, datetime


class SystemClock:
    """
    Wall-clock time as the operating system keeps it.
    """

    def now(self) -> datetime:
        """
        Return the current time, aware, in UTC.
        """
        return datetime.now(UTC)  # noqa: TID251 - the one place that asks the machine
