"""
Events of calls on the wire, as server-sent events.
"""

from typing import Annotated, Final, Literal, get_args

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.status_change import StatusChange
from outdial.entrypoints.wire.calls import OUTBOUND, Callee, CallId, CallNumber, CallType
from outdial.entrypoints.wire.reading import RequestQuery
from outdial.entrypoints.wire.values import Time, write_time, write_time_or_null

LAST_EVENT_ID: Final = "Last-Event-ID"

EventType = Literal["call.queued", "call.dialing", "call.ringing", "call.in-progress", "call.completed", "call.failed"]
EVENT_TYPES: Final[dict[Status, EventType]] = dict(zip(Status, get_args(EventType), strict=True))
"""What a call's new status is told as."""

RETRY_MS: Final = 2000
"""How long a client waits before it connects again."""


class EventsQuery(RequestQuery):
    """
    Where to go on.
    """

    last_event_id: Annotated[
        str | None,
        Field(description=f"As the header `{LAST_EVENT_ID}`, which counts if both are sent.", examples=["789-31415"]),
    ] = None


class EventCallBody(TypedDict):
    """
    A call as it was at an event.
    """

    id: CallNumber
    call_id: CallId
    agent_id: Annotated[str, Field(description="The agent's `assistant_id`.", examples=["assistant_abc123"])]
    agent_name: str
    status: Status
    type: CallType
    phone_number: Callee
    created_at: Time
    started_at: Annotated[Time | None, Field(description="When it was answered.")]
    ended_at: Time | None
    duration_seconds: int | None
    ended_reason: Disposition | None


class CallEventBody(TypedDict):
    """
    A call's status became another one.
    """

    event_type: EventType
    call: EventCallBody
    timestamp: Annotated[Time, Field(description="When it did.")]


def call_event_body(change: StatusChange) -> CallEventBody:
    """
    Return the `data` of an event.
    """
    return CallEventBody(
        event_type=EVENT_TYPES[change.status],
        call=event_call_body(change.call),
        timestamp=write_time(change.record.at),
    )


def event_call_body(call: Call) -> EventCallBody:
    """
    Return a call in an event.

    Args:
        call: As it was then.
    """
    return EventCallBody(
        id=call.id,
        call_id=call.call_id,
        agent_id=call.assistant_id,
        agent_name=call.agent_name,
        status=call.status,
        type=OUTBOUND,
        phone_number=call.phone_number.e164,
        created_at=write_time(call.created_at),
        started_at=write_time_or_null(call.answered_at),
        ended_at=write_time_or_null(call.ended_at),
        duration_seconds=call.talk_s if call.is_terminal else None,
        ended_reason=call.disposition,
    )


def write_event(change: StatusChange) -> bytes:
    """
    Write an event as it is sent (HTML, 9.2.5).
    """
    body = call_event_body(change)
    return b"event: %b\nid: %b\ndata: %b\n\n" % (
        body["event_type"].encode(),
        str(change.id).encode(),
        orjson.dumps(body),
    )


def write_beginning(last_event_id: str | None) -> bytes:
    """
    Write what a client is to remember, which is no event: when to connect again, and where to go on then.
    """
    place = f"id: {last_event_id}\n" if last_event_id is not None else ""
    return f"retry: {RETRY_MS}\n{place}\n".encode()


HEARTBEAT: Final = b":\n\n"
"""A comment, which clients pass over."""
