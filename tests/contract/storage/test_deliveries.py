"""
What became of deliveries: their bodies, their history, and lists of them.
"""

from outdial.domain.model.delivery import TRIES_KEPT, DeliveryState, Try
from outdial.domain.model.webhook import Webhook
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database
from tests.contract.storage.mail import (
    AT,
    answer,
    begin_call,
    later,
    mail,
    subscribe,
    taken,
    tell,
)

PENDING, SENDING = DeliveryState.PENDING, DeliveryState.SENDING
DELIVERED, PARKED = DeliveryState.DELIVERED, DeliveryState.PARKED


def test_a_body_is_kept_as_it_was_first(database: Database) -> None:
    """
    Whatever would be written later, each try says the same.
    """
    webhook = subscribe(database)
    answer(database, begin_call(database))
    (sending,) = taken(database, webhook, at=later(6))
    message = sending.delivery.message

    kept = [
        database.transact(lambda transaction, body=body: transaction.webhooks.outbox.keep_body(message, body))  # type: ignore[misc]
        for body in ("{}", '{"other": 1}')
    ]

    assert ["{}", "{}"] == kept
    (delivery,) = database.read(mail(webhook))
    assert "{}" == delivery.message.body


def test_the_history_is_bounded(database: Database) -> None:
    """
    The newest tries are kept.
    """
    webhook = subscribe(database)
    answer(database, begin_call(database))
    (sending,) = taken(database, webhook, at=later(6))

    def work(transaction: Transaction) -> None:
        for number in range(1, 30):
            tried = Try(number=number, at=AT, duration_ms=number, problem="Nobody answered.")
            transaction.webhooks.outbox.save(sending.delivery, tried)

    database.transact(work)

    history = database.read(lambda reader: reader.webhooks.outbox.tries(webhook, [1]))
    assert [*range(30 - TRIES_KEPT, 30)] == [tried.number for tried in history[sending.delivery.message.id]]


def test_deliveries_are_listed_newest_first_and_by_state(database: Database) -> None:
    """
    In portions, each beginning where the last one ended; and one by its message's name.
    """
    webhook = subscribe(database)
    for number in range(3):
        answer(database, begin_call(database, number))
    (first, *_others) = taken(database, webhook, at=later(6), limit=1)
    tell(database, first, at=later(7))
    found = database.read(mail(webhook))

    def listed(state: DeliveryState | None, before: int | None, limit: int) -> list[int]:
        deliveries = database.read(
            lambda reader: reader.webhooks.outbox.deliveries(webhook, state=state, before=before, limit=limit)
        )
        return [delivery.message.number for delivery in deliveries]

    numbers = [delivery.message.number for delivery in found]
    assert sorted(numbers, reverse=True) == numbers
    assert numbers[:2] == listed(None, None, 2)
    assert numbers[2:] == listed(None, numbers[1], 2)
    assert [first.delivery.message.number] == listed(DELIVERED, None, 9)
    assert numbers[1:2] == listed(PENDING, numbers[0], 9)
    other = builders.webhook(account_id=2)
    assert () == database.read(mail(other))

    def is_found(owner: Webhook, name: str) -> bool:
        return database.read(lambda reader: reader.webhooks.outbox.delivery(owner, name)) is not None

    name = first.delivery.message.id
    assert [True, False, False] == [is_found(webhook, name), is_found(other, name), is_found(webhook, "msg_none")]


def test_what_is_parked_is_found_oldest_first(database: Database) -> None:
    """
    From a time on, in portions.
    """
    webhook = subscribe(database)
    for number in range(3):
        answer(database, begin_call(database, number), later(10 * number))
    database.transact(lambda transaction: transaction.webhooks.outbox.park_open(webhook, "Given up."))

    def parked(since: float | None, limit: int) -> list[float]:
        def work(transaction: Transaction) -> list[float]:
            at = None if since is None else later(since)
            found = transaction.webhooks.outbox.parked(webhook, since=at, limit=limit)
            return [(delivery.message.at - AT).total_seconds() for delivery in found]

        return database.transact(work)

    assert [0, 10, 20] == parked(None, 9)
    assert [0, 10] == parked(None, 2)
    assert [10, 20] == parked(10, 9)
