"""
The processes that dial, in storage.
"""

from typing import Protocol


class Workers(Protocol):
    """
    The processes that dial, by the database's own clock.
    """

    def beat(self, worker_id: str) -> None:
        """
        Note that a worker lives.
        """

    def leave(self, worker_id: str) -> None:
        """
        Note that a worker is gone: from now on its calls are left behind. One that never was is fine.
        """

    def forget(self, *, silent_s: float) -> int:
        """
        Forget workers that have not been heard of for this long and have no calls to see through; return how many.
        """

    def take_turn(self) -> None:
        """
        Let no other transaction past this point until this one ends.
        """

    def now_micros(self) -> int:
        """
        Return the time in microseconds by a clock that all workers share.
        """

    def next_start(self, trunk: str) -> int:
        """
        Return when the next call on a trunk may start, by that clock; 0 when none has yet.
        """

    def set_next_start(self, trunk: str, at_micros: int) -> None:
        """
        Store when the next call on a trunk may start.
        """
