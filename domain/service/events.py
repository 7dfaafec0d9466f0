"""
Reading on in what happened to calls: of an account from now on, of one call from its beginning.

A reader keeps its position. Given again, as the id of the last event that it got, it is where another reader goes on.
"""

from typing import Final

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.identifiers import CallReference, EventId, Position, read_place
from outdial.domain.model.principal import Account
from outdial.domain.model.reason import Reason
from outdial.domain.model.status_change import StatusChange, status_change
from outdial.ports.storage import Reader

LAST_EVENT_ID: Final = "last_event_id"
PAGE_RECORDS: Final = 100
"""Records read at once; each comes with its call, which may be as large as its request was."""


@attrs.frozen(kw_only=True)
class EventPage:
    """
    Further changes, in their order.

    Attributes:
        until: Where to go on.

        is_end: Whether nothing followed when this was read.

        is_over: Whether nothing will ever follow.
    """

    changes: tuple[StatusChange, ...]
    until: Position
    is_end: bool
    is_over: bool = False


def account_position(reader: Reader, account: Account, last_event_id: str | None) -> Position | Refused:
    """
    Return where to begin with an account's changes: behind the last one that was got, or at the end of all so far.
    """
    if last_event_id is None:
        return reader.events.newest()
    place = read_place(last_event_id)
    position = reader.events.position(account.id, place) if place is not None else None
    return position if position is not None else _no_such_event()


def account_changes(reader: Reader, account: Account, after: Position) -> EventPage:
    """
    Return what happened to an account's calls behind a position.
    """
    page = reader.events.page(account.id, after, limit=PAGE_RECORDS)
    changes = (status_change(entry.record, entry.call) for entry in page.entries)
    return EventPage(
        changes=tuple(change for change in changes if change is not None), until=page.until, is_end=page.is_end
    )


def call_position(
    reader: Reader, account: Account, reference: CallReference | None, last_event_id: str | None
) -> Position | Refused:
    """
    Return where to begin with a call's changes: behind the last one that was got, or at its beginning.

    Args:
        reference: `None` when the client's name for it can't be one.
    """
    call = _call(reader, account, reference)
    if call is None:
        return Refused(reason=Reason.NOT_FOUND)
    if last_event_id is None:
        return Position()
    place = read_place(last_event_id)
    if not isinstance(place, EventId) or place.call != call.id or reader.events.position(account.id, place) is None:
        return _no_such_event()
    return Position(number=place.number)


def call_changes(
    reader: Reader, account: Account, after: Position, *, reference: CallReference | None
) -> EventPage | Refused:
    """
    Return what happened to a call behind a position; a call's own records are numbered in their order.
    """
    call = _call(reader, account, reference)
    if call is None:
        return Refused(reason=Reason.NOT_FOUND)
    records = [record for record in reader.calls.records(call.id) if record.number > after.number]
    changes = (status_change(record, call) for record in records)
    return EventPage(
        changes=tuple(change for change in changes if change is not None),
        until=Position(number=records[-1].number) if records else after,
        is_end=True,
        is_over=call.is_terminal,
    )


def _call(reader: Reader, account: Account, reference: CallReference | None) -> Call | None:
    return reader.calls.call(account.id, reference) if reference is not None else None


def _no_such_event() -> Refused:
    problem = FieldProblem(
        field=LAST_EVENT_ID, problem="There is no such event here; leave it out to begin without what was missed."
    )
    return Refused(reason=Reason.VALIDATION_ERROR, problems=(problem,))
