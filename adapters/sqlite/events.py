"""
What happened to calls, in SQLite, where records are numbered in the order of their commits.

An index of each account's records would cost every call; so whoever reads an account's passes over the others', a
bounded number at once.
"""

import json
from typing import Final

import attrs

from outdial.adapters.relational.events import RECORDS_PASSED_MAX, read_page, read_position
from outdial.adapters.sqlite.history import BY_NUMBER
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.identifiers import EventId, Position
from outdial.ports.events import LogPage

NEWEST: Final = "select 0, coalesce(max(number), 0) from call_records"
POSITION: Final = "select 0, number from call_records where number = ? and call_id = ? and account_id = ?"
PAGE: Final = (
    "select 0, number, call_id, account_id, state, disposition, at from call_records"
    " where number > ? and number <= ? and account_id = ? order by number limit ?"
)


@attrs.frozen
class SqliteEvents:
    """
    The records of calls.
    """

    _sql: Statements

    def newest(self) -> Position:
        """
        Return the end of the log.
        """
        (row,) = self._sql.all(NEWEST)
        return read_position(row)

    def position(self, account_id: int, place: EventId | Position) -> Position | None:
        """
        Return the place behind an event of an account, or one that was told before.
        """
        if isinstance(place, Position):
            return place if place <= self.newest() else None
        row = self._sql.one(POSITION, place.number, place.call, account_id)
        return None if row is None else read_position(row)

    def page(self, account_id: int, after: Position, *, limit: int) -> LogPage:
        """
        Return at most `limit` of an account's records behind a position.
        """
        newest = self.newest()
        passed = min(newest, Position(number=after.number + RECORDS_PASSED_MAX))
        records = self._sql.all(PAGE, after.number, passed.number, account_id, limit)
        call_ids = json.dumps(sorted({record[2] for record in records}))
        calls = self._sql.all(BY_NUMBER, call_ids) if records else []
        return read_page(records, calls, passed=passed, is_end=passed == newest, limit=limit)
