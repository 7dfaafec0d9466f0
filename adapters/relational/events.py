"""
Pages of the log of calls, put together of rows.

Each record comes behind the number of its transaction; where records are numbered in the order of their commits, that
is 0.
"""

from collections.abc import Sequence
from typing import Final

from outdial.adapters.relational.values import Row, read_call, read_record
from outdial.domain.model.identifiers import Position
from outdial.ports.events import LogEntry, LogPage

RECORDS_PASSED_MAX: Final = 10_000
"""Records of all accounts that one page may pass over: some milliseconds of reading."""


def read_position(row: Row) -> Position:
    """
    Read a place in the log: a transaction, a record.
    """
    return Position(int(row[0]), int(row[1]))


def read_page(records: Sequence[Row], calls: Sequence[Row], *, passed: Position, is_end: bool, limit: int) -> LogPage:
    """
    Put a page together.

    Args:
        records: The account's, `limit` at most.

        calls: Those of the records.

        passed: Up to where records were passed over, whoever they belong to, unless the limit was reached before.

        is_end: Whether nothing stands behind that.
    """
    by_row = {call.id: call for call in map(read_call, calls)}
    read = [read_record(row[1:]) for row in records]
    entries = tuple(LogEntry(record=record, call=by_row[record.call_id]) for record in read)
    if len(entries) == limit:
        return LogPage(entries=entries, until=read_position(records[-1]), is_end=False)
    return LogPage(entries=entries, until=passed, is_end=is_end)
