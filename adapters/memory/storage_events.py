"""
What happened to calls, in memory.
"""

from itertools import islice

import attrs

from outdial.adapters.memory.storage_tables import Tables
from outdial.domain.model.identifiers import EventId, Position
from outdial.ports.events import LogEntry, LogPage


@attrs.frozen
class MemoryEvents:
    """
    The records of calls, which are numbered without gaps.
    """

    _tables: Tables

    def newest(self) -> Position:
        """
        Return the end of the log.
        """
        return Position(number=len(self._tables.call_records))

    def position(self, account_id: int, place: EventId | Position) -> Position | None:
        """
        Return the place behind an event of an account, or one that was told before.
        """
        if isinstance(place, Position):
            return place if place <= self.newest() else None
        record = next((record for record in self._tables.call_records if record.number == place.number), None)
        if record is None or (record.account_id, record.call_id) != (account_id, place.call):
            return None
        return Position(number=record.number)

    def page(self, account_id: int, after: Position, *, limit: int) -> LogPage:
        """
        Return at most `limit` of an account's records behind a position.
        """
        following = islice(self._tables.call_records, after.number, None)
        mine = (record for record in following if record.account_id == account_id)
        entries = tuple(
            LogEntry(record=record, call=self._tables.calls[record.call_id]) for record in islice(mine, limit)
        )
        is_end = next(mine, None) is None
        until = self.newest() if is_end else Position(number=entries[-1].record.number)
        return LogPage(entries=entries, until=until, is_end=is_end)
