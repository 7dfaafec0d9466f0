"""
Webhooks on the wire, and what is sent to them.
"""

from collections.abc import Iterable
from typing import Annotated, NotRequired

import orjson
from pydantic import Field
from typing_extensions import TypedDict

from outdial.domain.model.call import Call, Status
from outdial.domain.model.delivery import Delivery, DeliveryState, Try
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.webhook import (
    DisabledReason,
    EventType,
    FailureReason,
    Message,
    Webhook,
    as_told,
    failure_of,
)
from outdial.domain.service.webhooks import DeliveriesPage, Requeued
from outdial.entrypoints.wire.calls import OUTBOUND, Callee, CallId, CallNumber, CallType
from outdial.entrypoints.wire.pages import CursorBody, cursor_body
from outdial.entrypoints.wire.values import Time, write_time, write_time_or_null

MessageId = Annotated[
    str, Field(description="The message's name, in `webhook-id`.", examples=["msg_3f9c0b1d7e42a5f68b0c9d1e2f3a4b5c"])
]


class WebhookBody(TypedDict):
    """
    A webhook, without its secret.
    """

    id: Annotated[int, Field(examples=[31])]
    url: Annotated[str, Field(examples=["https://hooks.example.com/outdial"])]
    events: list[EventType]
    description: str
    enabled: bool
    disabled_reason: Annotated[
        DisabledReason | None, Field(description="`gone` when the endpoint answered 410; null while it is enabled.")
    ]
    created_at: Time
    previous_secret_expires_at: Annotated[
        Time | None, Field(description="Until when the secret before the last rotation signs as well.")
    ]


class WebhookSecretBody(WebhookBody):
    """
    A webhook with its secret, which is shown this once.
    """

    secret: Annotated[
        str, Field(description="Verifies signatures; keep it like a password.", examples=["whsec_c2VjcmV0LXNlY3JldA=="])
    ]


class WebhooksBody(TypedDict):
    """
    All of an account's webhooks, oldest first.
    """

    webhooks: list[WebhookBody]


class TryBody(TypedDict):
    """
    A message was sent once.
    """

    number: int
    at: Time
    duration_ms: int
    status: Annotated[int | None, Field(description="What the endpoint answered; null when it did not.")]
    problem: Annotated[str | None, Field(description="Why there was no answer.")]


class DeliveryBody(TypedDict):
    """
    A message on its way to a webhook.
    """

    message_id: MessageId
    event_type: EventType
    call: CallNumber
    timestamp: Annotated[Time, Field(description="When it happened.")]
    state: DeliveryState
    tries: int
    next_try_at: Annotated[
        Time | None, Field(description="Null when it is over, and while it waits for an earlier message of its call.")
    ]
    last_status: int | None
    last_problem: Annotated[str | None, Field(description="Why the last try failed, or why it is parked.")]
    delivered_at: Time | None
    history: Annotated[list[TryBody], Field(description="The last tries, oldest first.")]


class DeliveriesBody(CursorBody):
    """
    Some of a webhook's deliveries, newest first.
    """

    deliveries: list[DeliveryBody]


class ReplayBody(TypedDict):
    """
    What was asked for again.
    """

    queued: Annotated[int, Field(description="Messages that are sent again.")]
    has_more: Annotated[bool, Field(description="Whether another request would queue more.")]


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
    told = as_told(call, message.event_type, message.at)
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


def webhook_body(webhook: Webhook) -> WebhookBody:
    """
    Return a webhook as it may be shown at any time.
    """
    return WebhookBody(
        id=webhook.id,
        url=webhook.url,
        events=sorted(webhook.events),
        description=webhook.description,
        enabled=webhook.is_enabled,
        disabled_reason=webhook.disabled_reason,
        created_at=write_time(webhook.created_at),
        previous_secret_expires_at=write_time_or_null(webhook.previous_secret_expires_at),
    )


def webhook_secret_body(webhook: Webhook) -> WebhookSecretBody:
    """
    Return a webhook whose secret is new.
    """
    return WebhookSecretBody(**webhook_body(webhook), secret=webhook.secret.text)


def webhooks_body(webhooks: Iterable[Webhook]) -> WebhooksBody:
    """
    Return the answer to `GET /api/v1/webhooks`.
    """
    return WebhooksBody(webhooks=[webhook_body(webhook) for webhook in webhooks])


def deliveries_body(page: DeliveriesPage, *, limit: int) -> DeliveriesBody:
    """
    Return the answer to `GET /api/v1/webhooks/{id}/deliveries`.
    """
    return DeliveriesBody(
        deliveries=[_delivery_body(one, page.history.get(one.message.id, ())) for one in page.deliveries],
        **cursor_body(limit=limit, following=page.following),
    )


def replay_body(requeued: Requeued) -> ReplayBody:
    """
    Return the answer to `POST /api/v1/webhooks/{id}/replay`.
    """
    return ReplayBody(queued=requeued.count, has_more=requeued.has_more)


def _delivery_body(delivery: Delivery, tries: Iterable[Try]) -> DeliveryBody:
    message = delivery.message
    return DeliveryBody(
        message_id=message.id,
        event_type=message.event_type,
        call=message.call_id,
        timestamp=write_time(message.at),
        state=delivery.state,
        tries=delivery.tries,
        next_try_at=write_time_or_null(delivery.next_at),
        last_status=delivery.last_status,
        last_problem=delivery.last_problem,
        delivered_at=write_time_or_null(delivery.delivered_at),
        history=[
            TryBody(
                number=one.number,
                at=write_time(one.at),
                duration_ms=one.duration_ms,
                status=one.status,
                problem=one.problem,
            )
            for one in tries
        ],
    )
