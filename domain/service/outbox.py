"""
The one place that saves a call's progress: nobody can do it without telling those who want to hear of it.
"""

from datetime import datetime

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.delivery import DeliveryState
from outdial.domain.model.webhook import Webhook, event_of, message_of
from outdial.ports.storage import Transaction


def save_call(transaction: Transaction, call: Call, at: datetime) -> None:
    """
    Write a call in its new state and, in the same transaction, the message of it for each webhook that wants one.

    Args:
        at: When it reached the state.

    Raises:
        StorageConflictError: Somebody else wrote the call first.
    """
    transaction.calls.save(call, at)
    event_type = event_of(call)
    if event_type is None:
        return
    wanting = [webhook for webhook in transaction.webhooks.of_account(call.account_id) if webhook.wants(event_type)]
    if not wanting:
        return
    transaction.webhooks.outbox.add(message_of(call, event_type, at), wanting)
    for webhook in wanting:
        let_next_go(transaction, webhook, call.id, at)


def let_next_go(transaction: Transaction, webhook: Webhook, call_id: int, at: datetime) -> None:
    """
    Bring a call's messages to a webhook in order: the first that is open has a next try, all later ones wait for it.

    Args:
        at: When that try may be made; one that has a time already keeps it.
    """
    outbox = transaction.webhooks.outbox
    for place, delivery in enumerate(outbox.line(webhook, call_id)):
        if place == 0 and delivery.next_at is None:
            outbox.save(attrs.evolve(delivery, next_at=at))
        if place > 0 and delivery.next_at is not None and delivery.state is DeliveryState.PENDING:
            outbox.save(attrs.evolve(delivery, next_at=None))
