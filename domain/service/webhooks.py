"""
What an account does with its webhooks: makes and changes them, and asks for what they missed.
"""

from datetime import datetime, timedelta
from typing import Final

import attrs

from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.delivery import Delivery, DeliveryState, History
from outdial.domain.model.principal import Account
from outdial.domain.model.reason import Reason
from outdial.domain.model.webhook import WEBHOOKS_MAX, DisabledReason, Webhook
from outdial.domain.model.webhook_signature import Secret
from outdial.domain.service.delivery import disable
from outdial.domain.service.outbox import let_next_go
from outdial.ports.storage import Reader, Transaction

ROTATION: Final = timedelta(hours=24)
"""How long a secret that was replaced signs as well, so that receivers may change over one by one."""

REPLAYED_MAX: Final = 500
"""Deliveries that one request lets start anew: more would hold up others that write."""


@attrs.frozen(kw_only=True)
class DeliveriesPage:
    """
    Some of a webhook's deliveries, newest first.

    Attributes:
        history: Their tries.

        following: Where the next page begins; `None` on the last one.
    """

    deliveries: tuple[Delivery, ...]
    history: History
    following: int | None


@attrs.frozen(kw_only=True)
class Requeued:
    """
    What was asked for again.

    Attributes:
        count: Deliveries that start anew.

        has_more: Whether there are more, which take another request.
    """

    count: int
    has_more: bool


def find_webhook(reader: Reader, account: Account, webhook_id: int | None) -> Webhook | Refused:
    """
    Return one of the account's webhooks.

    Args:
        webhook_id: `None` when the client's name for it can't be one.
    """
    webhook = reader.webhooks.webhook(account.id, webhook_id) if webhook_id is not None else None
    return webhook if webhook is not None else Refused(reason=Reason.NOT_FOUND)


def create_webhook(transaction: Transaction, draft: Webhook) -> Webhook | Refused:
    """
    Store a new webhook; its row number is chosen here.
    """
    if len(transaction.webhooks.of_account(draft.account_id)) >= WEBHOOKS_MAX:
        return _invalid("url", f"There are {WEBHOOKS_MAX} webhooks already; delete one that is not needed.")
    webhook = attrs.evolve(draft, id=transaction.webhooks.next_id())
    transaction.webhooks.add(webhook)
    return webhook


def change_webhook(transaction: Transaction, webhook: Webhook, *, is_enabled: bool | None) -> Webhook:
    """
    Store a changed webhook.

    Args:
        is_enabled: Whether it is to be told anything; `None` leaves that as it is.
    """
    if is_enabled is False and webhook.is_enabled:
        return disable(transaction, webhook, DisabledReason.REQUESTED)
    if is_enabled:
        webhook = attrs.evolve(webhook, disabled_reason=None)
    transaction.webhooks.update(webhook)
    return webhook


def rotate_secret(transaction: Transaction, webhook: Webhook, secret: Secret, now: datetime) -> Webhook:
    """
    Give a webhook a new secret; the one before signs as well for a day.
    """
    rotated = attrs.evolve(
        webhook, secret=secret, previous_secret=webhook.secret, previous_secret_expires_at=now + ROTATION
    )
    transaction.webhooks.update(rotated)
    return rotated


def page_of_deliveries(
    reader: Reader, webhook: Webhook, *, state: DeliveryState | None, before: int | None, limit: int
) -> DeliveriesPage:
    """
    Return a page of what was sent to a webhook, or is to be.

    Args:
        before: The `following` of the page before; `None` for the first.
    """
    outbox = reader.webhooks.outbox
    found = outbox.deliveries(webhook, state=state, before=before, limit=limit + 1)
    page = found[:limit]
    return DeliveriesPage(
        deliveries=page,
        history=outbox.tries(webhook, [delivery.message.number for delivery in page]),
        following=page[-1].message.number if len(found) > limit else None,
    )


def replay_message(transaction: Transaction, webhook: Webhook, message_id: str, now: datetime) -> Requeued | Refused:
    """
    Let one message start anew, whatever became of it; one that is being sent goes on.
    """
    delivery = transaction.webhooks.outbox.delivery(webhook, message_id)
    if delivery is None:
        return Refused(reason=Reason.NOT_FOUND)
    return _requeue(transaction, webhook, (delivery,), now)


def replay_parked(
    transaction: Transaction, webhook: Webhook, since: datetime | None, now: datetime
) -> Requeued | Refused:
    """
    Let what was parked start anew, the oldest first.

    Args:
        since: Only messages from then on.
    """
    found = transaction.webhooks.outbox.parked(webhook, since=since, limit=REPLAYED_MAX + 1)
    requeued = _requeue(transaction, webhook, found[:REPLAYED_MAX], now)
    if isinstance(requeued, Refused):
        return requeued
    return attrs.evolve(requeued, has_more=len(found) > REPLAYED_MAX)


def _requeue(
    transaction: Transaction, webhook: Webhook, deliveries: tuple[Delivery, ...], now: datetime
) -> Requeued | Refused:
    if not webhook.is_enabled:
        return _invalid("webhook_id", "The webhook is disabled; enable it first.")
    waiting = [delivery for delivery in deliveries if delivery.state is not DeliveryState.SENDING]
    for delivery in waiting:
        transaction.webhooks.outbox.save(delivery.anew())
    for call_id in dict.fromkeys(delivery.message.call_id for delivery in waiting):
        let_next_go(transaction, webhook, call_id, now)
    return Requeued(count=len(waiting), has_more=False)


def _invalid(field: str, problem: str) -> Refused:
    return Refused(reason=Reason.VALIDATION_ERROR, problems=(FieldProblem(field=field, problem=problem),))
