"""
Who dials, in SQLite: one process at a time, so there is never a turn to wait for.
"""

from typing import Final

import attrs

from outdial.adapters.sqlite.statements import Statements

# Days since 4714 BC; 2440587.5 of them end with 1970.
CLOCK: Final = "select cast((julianday('now') - 2440587.5) * 86400 * 1000000 as integer)"
BEAT: Final = (
    "insert into workers (id, seen_at_micros) values (?, ?)"
    " on conflict (id) do update set seen_at_micros = excluded.seen_at_micros"
)
LEAVE: Final = "delete from workers where id = ?"
FORGET: Final = (
    "delete from workers where seen_at_micros <= ? - ? and not exists (select 1 from calls where worker_id = workers.id"
    " and state not in ('settled', 'revealed', 'canceled', 'blocked') and state not in ('queued', 'unknown'))"
)
NEXT_START: Final = "select next_at_micros from pace where trunk = ?"
SET_NEXT_START: Final = (
    "insert into pace (trunk, next_at_micros) values (?, ?)"
    " on conflict (trunk) do update set next_at_micros = excluded.next_at_micros"
)


def read_clock(sql: Statements) -> int:
    """
    Return SQLite's time in microseconds since 1970, exact to a millisecond.
    """
    row = sql.one(CLOCK)
    return 0 if row is None else int(row[0])


@attrs.frozen
class SqliteWorkers:
    """
    The one process that dials.
    """

    _sql: Statements

    def beat(self, worker_id: str) -> None:
        """
        Note that a worker lives.
        """
        self._sql.write(BEAT, worker_id, self.now_micros())

    def leave(self, worker_id: str) -> None:
        """
        Note that a worker is gone.
        """
        self._sql.write(LEAVE, worker_id)

    def forget(self, *, silent_s: float) -> int:
        """
        Forget workers of whom nothing was heard for long and nothing is left, and return how many.
        """
        return self._sql.write(FORGET, self.now_micros(), round(silent_s * 1_000_000))

    def take_turn(self) -> None:
        """
        Do nothing: there is one writing transaction at a time.
        """

    def now_micros(self) -> int:
        """
        Return the machine's time.
        """
        return read_clock(self._sql)

    def next_start(self, trunk: str) -> int:
        """
        Return when the next call on a trunk may start.
        """
        row = self._sql.one(NEXT_START, trunk)
        return 0 if row is None else int(row[0])

    def set_next_start(self, trunk: str, at_micros: int) -> None:
        """
        Store when the next call on a trunk may start.
        """
        self._sql.write(SET_NEXT_START, trunk, at_micros)
