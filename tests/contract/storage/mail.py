"""
Webhooks of the builders' account, and calls whose messages go to them.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.delivery import Delivery, DeliveryState, Try
from outdial.domain.model.webhook import EventType, Webhook
from outdial.domain.service.delivery import Sending, record, take
from outdial.domain.service.dialling import pass_no_return
from outdial.domain.service.progress import apply_event
from outdial.ports.storage import Reader, Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of
from tests.service.calls import answered, ended
from tests.service.calls import take as lease

AT: Final = builders.NOW
SENDS_MAX: Final = 8
STARTED, ENDED = EventType.CALL_STARTED, EventType.CALL_ENDED


def later(seconds: float) -> datetime:
    """
    Return a time after the calls were accepted.
    """
    return AT + timedelta(seconds=seconds)


def subscribe(database: Database, *webhooks: Webhook) -> Webhook:
    """
    Store webhooks, by default the builders'; the first is returned.
    """
    chosen = webhooks or (builders.webhook(),)

    def work(transaction: Transaction) -> None:
        for webhook in chosen:
            transaction.webhooks.add(webhook)

    database.transact(work)
    return chosen[0]


def begin_call(database: Database, number: int = 0) -> Call:
    """
    Have a call accepted and dialled.
    """
    (accepted,) = accepted_of(database.accept(builders.request(token=builders.token(number))))

    def work(transaction: Transaction) -> Call | None:
        lease(transaction, limit=10, at=later(1))
        leased = attrs.evolve(accepted.call, fence=1)
        return pass_no_return(transaction, leased, at=later(2), patience=builders.PATIENCE)

    sending = database.transact(work)
    assert sending is not None
    return sending


def answer(database: Database, call: Call, at: datetime | None = None) -> Call:
    """
    Have a call's callee answer.
    """
    event = answered(call, at=at or later(5))
    return database.transact(lambda transaction: apply_event(transaction, call, event, patience=builders.PATIENCE))


def hang_up(database: Database, call: Call) -> Call:
    """
    Have a call's callee hang up.
    """
    return database.transact(
        lambda transaction: apply_event(transaction, call, ended(call), patience=builders.PATIENCE)
    )


def mail(webhook: Webhook) -> Callable[[Reader], tuple[Delivery, ...]]:
    """
    Return a work that reads all deliveries to a webhook, newest first.
    """
    return lambda reader: reader.webhooks.outbox.deliveries(webhook, state=None, before=None, limit=1000)


def events(database: Database, webhook: Webhook) -> list[tuple[EventType, DeliveryState]]:
    """
    Return what is on its way to a webhook or was, oldest first.
    """
    found = reversed(database.read(mail(webhook)))
    return [(delivery.message.event_type, delivery.state) for delivery in found]


def taken(
    database: Database, *webhooks: Webhook, at: datetime, sends_max: int = SENDS_MAX, limit: int = 100
) -> list[Sending]:
    """
    Begin to send what is due to some webhooks.
    """
    return [
        *database.transact(lambda transaction: take(transaction, webhooks, at=at, sends_max=sends_max, limit=limit))
    ]


def tell(database: Database, sending: Sending, *, status: int | None = 200, at: datetime) -> None:
    """
    Write down how a try ended.
    """
    problem = "Nobody answered." if status is None else None
    tried = Try(number=sending.delivery.tries, at=at, duration_ms=12, status=status, problem=problem)
    database.transact(lambda transaction: record(transaction, sending, tried, at=at))
