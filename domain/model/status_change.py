"""
What clients are told of a call: each change of its status, but for those that only say that nobody knows.
"""

from typing import Final

import attrs

from outdial.domain.model.call import Call, Status
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.identifiers import EventId
from outdial.domain.model.lifecycle import State

NEW_STATUS: Final = frozenset(
    {State.SENDING, State.RINGING, State.IN_PROGRESS, State.ENDED, State.CANCELED, State.BLOCKED}
)
"""States that always show as another status than the state before; `queued` and `revealed` do only at times."""


@attrs.frozen(kw_only=True)
class StatusChange:
    """
    A call's status became another one.

    Attributes:
        record: The state that it reached by that.

        call: The call as it was then.
    """

    record: CallRecord
    call: Call

    @property
    def id(self) -> EventId:
        """
        The change's name, the same whenever and wherever it is told.
        """
        return EventId(call=self.record.call_id, number=self.record.number)

    @property
    def status(self) -> Status:
        """
        What it became.
        """
        return self.call.status


def status_change(record: CallRecord, call: Call) -> StatusChange | None:
    """
    Return the change that a record tells of; `None` when the status stayed as it was.

    Args:
        call: The call as it is now.
    """
    if record.state in NEW_STATUS or _is_queued_anew(record, call) or _is_late_success(record, call):
        return StatusChange(record=record, call=call.as_of(record.state, record.at))
    return None


def _is_queued_anew(record: CallRecord, call: Call) -> bool:
    """
    Tell acceptance and waiting for a next attempt from the return of a call that a worker had leased.
    """
    return record.state is State.QUEUED and (record.at == call.created_at or record.disposition is not None)


def _is_late_success(record: CallRecord, call: Call) -> bool:
    """
    Tell whether a call turned out to have taken place that had failed for all anybody knew.
    """
    return record.state is State.REVEALED and call.status is Status.COMPLETED
