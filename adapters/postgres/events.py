"""
What happened to calls, in PostgreSQL, where what was written first may be committed last.

The log is ordered by transactions, and a record is in it once all transactions up to its own have ended: what appears
later stands behind it. See `docs/decisions/events.md`.
"""

from typing import Final

import attrs

from outdial.adapters.postgres.calls import SQL as CALLS
from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.events import RECORDS_PASSED_MAX, read_page, read_position
from outdial.domain.model.identifiers import EventId, Position
from outdial.ports.events import LogPage

SQL: Final = load("events.sql")


@attrs.frozen
class PostgresEvents:
    """
    The records of calls, as far as none can come between them any more.
    """

    _sql: Statements

    def newest(self) -> Position:
        """
        Return the end of the log.
        """
        row = self._sql.one(SQL["newest"])
        return Position() if row is None else read_position(row)

    def position(self, account_id: int, place: EventId | Position) -> Position | None:
        """
        Return the place behind an event of an account, or one that was told before.
        """
        if isinstance(place, Position):
            row = self._sql.one(SQL["place"], transaction_id=place.transaction, number=place.number)
            return place if row is not None or place == Position() else None
        row = self._sql.one(SQL["position"], account_id=account_id, call_id=place.call, number=place.number)
        return None if row is None else read_position(row)

    def page(self, account_id: int, after: Position, *, limit: int) -> LogPage:
        """
        Return at most `limit` of an account's records behind a position.
        """
        following = {"transaction_id": after.transaction, "number": after.number, "passed_max": RECORDS_PASSED_MAX}
        passed, records = self._sql.together(
            [
                (SQL["passed"], following),
                (SQL["page"], {**following, "account_id": account_id, "limit": limit}),
            ]
        )
        if not passed:
            return LogPage(entries=(), until=after, is_end=True)
        call_ids = sorted({record[2] for record in records})
        calls = self._sql.all(CALLS["calls_by_number"], account_id=account_id, numbers=call_ids) if records else []
        is_end = passed[0][2] < RECORDS_PASSED_MAX
        return read_page(records, calls, passed=read_position(passed[0]), is_end=is_end, limit=limit)
