"""
Webhooks on the wire, and what is sent to them.
"""

from typing import Annotated, NotRequired

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.webhook import EventType, FailureReason, Message, as_told, failure_of
from outdial.entrypoints.wire.calls import OUTBOUND, Callee, CallId, CallNumber, CallType
from outdial.entrypoints.wire.values import Time, write_time, write_time_or_null


class ToldCallBody(TypedDict):
    """
    A call as a webhook is told of it.
    """

    id: CallNumber
    call_id: CallId
    agent_id: Annotated[str, Field(description="The agent's `assistant_id`.", examples=["assistant_abc123"])]
    agent_name: str
    status: Status
    type: CallType
    phone_number: Callee
    contact_id: int | None
    created_at: Time
    started_at: Annotated[Time | None, Field(description="When it was answered.")]
    ended_at: Time | None
    duration_seconds: int | None
    ended_reason: Disposition | None


class MessageBody(TypedDict):
    """
    What a webhook gets.
    """

    event_type: EventType
    call: ToldCallBody
    timestamp: Annotated[Time, Field(description="When it happened, however late it is told.")]
    reason: NotRequired[Annotated[FailureReason, Field(description="Of `call.failed` alone: why.")]]


def message_body(message: Message, call: Call) -> MessageBody:
    """
    Return what a message says, with the call as it was then.
    """
    told = as_told(call, message.event_type)
    body = MessageBody(
        event_type=message.event_type,
        call=_told_call_body(told),
        timestamp=write_time(message.at),
    )
    if message.event_type is EventType.CALL_FAILED:
        body["reason"] = failure_of(told)
    return body


def message_text(message: Message, call: Call) -> str:
    """
    Return a message as it is signed and sent.
    """
    return orjson.dumps(message_body(message, call)).decode()


def _told_call_body(call: Call) -> ToldCallBody:
    return ToldCallBody(
        id=call.id,
        call_id=call.call_id,
        agent_id=call.assistant_id,
        agent_name=call.agent_name,
        status=call.status,
        type=OUTBOUND,
        phone_number=call.phone_number.e164,
        contact_id=call.contact_id,
        created_at=write_time(call.created_at),
        started_at=write_time_or_null(call.answered_at),
        ended_at=write_time_or_null(call.ended_at),
        duration_seconds=call.talk_s if call.is_terminal else None,
        ended_reason=call.disposition,
    )
