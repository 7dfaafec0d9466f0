"""
Who dials, in PostgreSQL: any number of processes on any number of machines, by the server's clock.
"""

from typing import Final

import attrs

from outdial.adapters.postgres.guards import LEASING
from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.statements import Statements

SQL: Final = load("workers.sql")


@attrs.frozen
class PostgresWorkers:
    """
    The processes that dial.
    """

    _sql: Statements

    def beat(self, worker_id: str) -> None:
        """
        Note that a worker lives.
        """
        self._sql.write(SQL["beat"], {"worker_id": worker_id})

    def leave(self, worker_id: str) -> None:
        """
        Note that a worker is gone.
        """
        self._sql.write(SQL["leave"], {"worker_id": worker_id})

    def forget(self, *, silent_s: float) -> int:
        """
        Forget workers of whom nothing was heard for long and nothing is left, and return how many.
        """
        return self._sql.write(SQL["forget"], {"silent_s": silent_s})

    def take_turn(self) -> None:
        """
        Let no other transaction past this point until this one ends.
        """
        self._sql.one(SQL["take_turn"], key=LEASING)

    def now_micros(self) -> int:
        """
        Return the server's time.
        """
        return self._number("now_micros")

    def next_start(self, trunk: str) -> int:
        """
        Return when the next call on a trunk may start.
        """
        return self._number("next_start", trunk=trunk)

    def set_next_start(self, trunk: str, at_micros: int) -> None:
        """
        Store when the next call on a trunk may start.
        """
        self._sql.write(SQL["set_next_start"], {"trunk": trunk, "next_at_micros": at_micros})

    def _number(self, name: str, **values: str) -> int:
        row = self._sql.one(SQL[name], **values)
        return 0 if row is None else int(row[0])
