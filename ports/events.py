"""
What happened to an account's calls, read on and on: the log of their states in one order.

Whoever has read up to a position and goes on from there gets every record exactly once, whatever was being written
meanwhile; a call's records come in the order in which it reached their states.
"""

from typing import Protocol

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.identifiers import EventId, Position


@attrs.frozen(kw_only=True)
class LogEntry:
    """
    A record, and its call as it is now.
    """

    record: CallRecord
    call: Call


@attrs.frozen(kw_only=True)
class LogPage:
    """
    Further entries of a log.

    Attributes:
        until: Where to go on.

        is_end: Whether nothing stood behind it.
    """

    entries: tuple[LogEntry, ...]
    until: Position
    is_end: bool


class EventsReader(Protocol):
    """
    The log of what happened to calls. A record is in it as soon as none can come before it any more.
    """

    def newest(self) -> Position:
        """
        Return the end of the log, over all accounts.
        """

    def position(self, account_id: int, place: EventId | Position) -> Position | None:
        """
        Return the place behind an event of an account, or a place that was told before.

        `None` when the account has no such event, or this database's log no such place.
        """

    def page(self, account_id: int, after: Position, *, limit: int) -> LogPage:
        """
        Return at most `limit` of an account's records behind a position; a page may be empty and not yet the end.
        """
