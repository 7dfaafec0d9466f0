"""
Sending messages to webhooks: which are sent now, and what becomes of them.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import attrs

from outdial.domain.model.delivery import Delivery, DeliveryState, Try
from outdial.domain.model.webhook import DisabledReason, Webhook
from outdial.domain.service.outbox import let_next_go
from outdial.ports.storage import Transaction

LOST_AFTER_S: Final = 60
"""A try takes 15 s at most; one that nobody has told of for this long is made again."""

DISABLED: Final = "The webhook was disabled."


@attrs.frozen(kw_only=True)
class Sending:
    """
    A delivery in its try, and where it goes.
    """

    webhook: Webhook
    delivery: Delivery


def take(
    transaction: Transaction, webhooks: Sequence[Webhook], *, at: datetime, sends_max: int, limit: int
) -> tuple[Sending, ...]:
    """
    Begin at most `limit` tries of what is due to some webhooks; nobody else begins them until they are lost.

    Args:
        sends_max: How much is sent to one webhook at once.
    """
    taken: list[Sending] = []
    outbox = transaction.webhooks.outbox
    # In one order, so that two who take from the same webhooks do not wait for each other in a circle.
    for known in sorted(webhooks, key=lambda webhook: webhook.id):
        webhook = transaction.webhooks.webhook(known.account_id, known.id)
        if webhook is None:
            continue
        if not webhook.is_enabled:  # it was while the call was being saved
            outbox.park_open(webhook, DISABLED)
            continue
        free = min(limit - len(taken), sends_max - outbox.sending(webhook, at))
        for delivery in outbox.due(webhook, at, max(0, free)):
            begun = delivery.begin(at + timedelta(seconds=LOST_AFTER_S))
            outbox.save(begun)
            taken.append(Sending(webhook=webhook, delivery=begun))
    return tuple(taken)


def record(transaction: Transaction, sending: Sending, tried: Try, *, at: datetime) -> None:
    """
    Write down how a try ended.

    A message that arrived is delivered, whatever was decided about it meanwhile; a failure of a try that somebody else
    took for lost changes nothing but the history.
    """
    known, outbox = sending.webhook, transaction.webhooks.outbox
    webhook = transaction.webhooks.webhook(known.account_id, known.id)
    delivery = outbox.delivery(known, sending.delivery.message.id)
    if webhook is None or delivery is None:
        return
    is_ours = delivery.is_in_try(tried.number)
    has_arrived = tried.is_success and delivery.state is not DeliveryState.DELIVERED
    outbox.save(delivery.after(tried, at) if is_ours or has_arrived else delivery, tried)
    if tried.is_final and webhook.is_enabled:
        disable(transaction, webhook, DisabledReason.GONE)
    else:
        let_next_go(transaction, webhook, delivery.message.call_id, at)


def disable(transaction: Transaction, webhook: Webhook, reason: DisabledReason) -> Webhook:
    """
    Let a webhook be told nothing more; what was on its way is parked.
    """
    disabled = attrs.evolve(webhook, disabled_reason=reason)
    transaction.webhooks.update(disabled)
    transaction.webhooks.outbox.park_open(webhook, DISABLED)
    return disabled
