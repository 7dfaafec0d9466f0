"""
Webhooks and what is on its way to them: values to rows and back, for all relational databases.

Rows that are read have the column order of `WEBHOOK`, `DELIVERY` and `TRY`; columns to be written come by name, in
the order of the tables.
"""

from typing import Any, Final

from outdial.adapters.relational.columns import read_json, read_time, read_time_or_none, write_json, write_time
from outdial.adapters.relational.columns import write_time_or_none as written
from outdial.adapters.relational.values import Row
from outdial.domain.model.delivery import Delivery, DeliveryState, Try
from outdial.domain.model.webhook import DisabledReason, EventType, Message, Webhook
from outdial.domain.model.webhook_signature import Secret

Columns = dict[str, int | str | None]

WEBHOOK: Final = (
    "webhooks.id, webhooks.account_id, url, events, description, secret, previous_secret, previous_secret_expires_at,"
    " disabled_reason, created_at"
)
DELIVERY: Final = (
    "webhook_messages.number, webhook_messages.id, webhook_messages.account_id, webhook_messages.call_id, event_type,"
    " at, body, webhook_id, state, tries, tries_before, next_at, last_status, last_problem, delivered_at"
)
TRY: Final = "webhook_tries.number, webhook_tries.at, duration_ms, status, problem"


def read_webhook(row: Row) -> Webhook:
    """
    Read a webhook.
    """
    number, account_id, url, events, description, secret, previous, expires_at, disabled_reason, created_at = row
    return Webhook(
        id=number,
        account_id=account_id,
        url=url,
        events=read_json(events, frozenset[EventType]),
        description=description,
        secret=Secret(secret),
        previous_secret=None if previous is None else Secret(previous),
        previous_secret_expires_at=read_time_or_none(expires_at),
        disabled_reason=None if disabled_reason is None else DisabledReason(disabled_reason),
        created_at=read_time(created_at),
    )


def webhook_columns(webhook: Webhook) -> Columns:
    """
    Write a webhook.
    """
    return {
        "id": webhook.id,
        "account_id": webhook.account_id,
        "url": webhook.url,
        "events": write_json(webhook.events),
        "description": webhook.description,
        "secret": webhook.secret.text,
        "previous_secret": None if webhook.previous_secret is None else webhook.previous_secret.text,
        "previous_secret_expires_at": written(webhook.previous_secret_expires_at),
        "disabled_reason": None if webhook.disabled_reason is None else webhook.disabled_reason.value,
        "created_at": write_time(webhook.created_at),
    }


def message_columns(message: Message) -> Columns:
    """
    Write a message; it gets its number when it is stored.
    """
    return {
        "id": message.id,
        "account_id": message.account_id,
        "call_id": message.call_id,
        "event_type": message.event_type.value,
        "at": write_time(message.at),
        "body": message.body,
    }


def read_delivery(row: Row) -> Delivery:
    """
    Read a delivery with its message.
    """
    number, name, account_id, call_id, event_type, at, body = row[:7]
    webhook_id, state, tries, tries_before, next_at, last_status, last_problem, delivered_at = row[7:]
    return Delivery(
        webhook_id=webhook_id,
        message=Message(
            number=number,
            id=name,
            account_id=account_id,
            call_id=call_id,
            event_type=EventType(event_type),
            at=read_time(at),
            body=body,
        ),
        state=DeliveryState(state),
        tries=tries,
        tries_before=tries_before,
        next_at=read_time_or_none(next_at),
        last_status=last_status,
        last_problem=last_problem,
        delivered_at=read_time_or_none(delivered_at),
    )


def delivery_key(delivery: Delivery) -> Columns:
    """
    Write what names a delivery.
    """
    return {
        "account_id": delivery.message.account_id,
        "webhook_id": delivery.webhook_id,
        "message_number": delivery.message.number,
    }


def progress_columns(delivery: Delivery) -> Columns:
    """
    Write how far a delivery came.
    """
    return {
        "state": delivery.state.value,
        "tries": delivery.tries,
        "tries_before": delivery.tries_before,
        "next_at": written(delivery.next_at),
        "last_status": delivery.last_status,
        "last_problem": delivery.last_problem,
        "delivered_at": written(delivery.delivered_at),
    }


def read_try(row: tuple[Any, ...]) -> Try:
    """
    Read a try.
    """
    number, at, duration_ms, status, problem = row
    return Try(number=number, at=read_time(at), duration_ms=duration_ms, status=status, problem=problem)


def try_columns(tried: Try) -> Columns:
    """
    Write a try.
    """
    return {
        "number": tried.number,
        "at": write_time(tried.at),
        "duration_ms": tried.duration_ms,
        "status": tried.status,
        "problem": tried.problem,
    }
