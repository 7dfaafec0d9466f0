"""
The outbox: messages are stored with what they tell of, and go to each webhook in order.
"""

import attrs
import pytest

from outdial.domain.model.delivery import TRIES_KEPT, DeliveryState, Try
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.webhook import DisabledReason, EventType, Webhook
from outdial.domain.service.progress import apply_event
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, Undo
from tests.contract.storage.mail import (
    AT,
    ENDED,
    STARTED,
    answer,
    begin_call,
    events,
    hang_up,
    later,
    mail,
    subscribe,
    taken,
    tell,
)
from tests.service.calls import answered, ended

PENDING, SENDING = DeliveryState.PENDING, DeliveryState.SENDING
DELIVERED, PARKED = DeliveryState.DELIVERED, DeliveryState.PARKED


def test_each_event_of_a_call_is_a_message(database: Database) -> None:
    """
    To be answered and to be over; each message has a name of its own, always the same one.
    """
    webhook = subscribe(database)

    hang_up(database, answer(database, begin_call(database)))

    assert [(STARTED, PENDING), (ENDED, PENDING)] == events(database, webhook)
    second, first = [delivery.message for delivery in database.read(mail(webhook))]
    assert (later(5), later(95)) == (first.at, second.at)
    assert first.number < second.number
    assert first.id != second.id
    assert {True} == {message.id.startswith("msg_") for message in (first, second)}


def test_a_change_that_is_undone_leaves_no_message(database: Database) -> None:
    """
    The message is stored if the call is, and only then.
    """
    webhook, call = subscribe(database), begin_call(database)

    def work(transaction: Transaction) -> None:
        apply_event(transaction, call, answered(call))
        raise Undo

    with pytest.raises(Undo):
        database.transact(work)

    assert [] == events(database, webhook)
    assert () == database.read(lambda reader: reader.webhooks.outbox.due_webhooks(later(99), sends_max=8, limit=9))


def test_only_webhooks_that_want_an_event_get_it(database: Database) -> None:
    """
    Not the disabled ones, nor those of another account.
    """
    all_events = builders.webhook()
    disabled = builders.webhook(id=32, disabled_reason=DisabledReason.GONE)
    ends = builders.webhook(id=33, events=frozenset({ENDED}))
    subscribe(database, all_events, disabled, ends)

    hang_up(database, answer(database, begin_call(database)))

    assert [2, 0, 1] == [len(events(database, webhook)) for webhook in (all_events, disabled, ends)]
    (message,) = {delivery.message for delivery in database.read(mail(ends))}
    assert message in {delivery.message for delivery in database.read(mail(all_events))}


def test_a_message_is_added_once(database: Database) -> None:
    """
    Adding it again leaves what became of it as it is.
    """
    webhook, call = subscribe(database), answer(database, begin_call(database))
    (sending,) = taken(database, webhook, at=later(6))
    tell(database, sending, at=later(7))
    again = attrs.evolve(sending.delivery.message, number=0, at=later(50))

    database.transact(lambda transaction: transaction.webhooks.outbox.add(again, [webhook]))

    assert [(STARTED, DELIVERED)] == events(database, webhook)
    hang_up(database, call)
    assert [(STARTED, DELIVERED), (ENDED, PENDING)] == events(database, webhook)


def test_what_is_taken_is_not_taken_again_until_it_is_lost(database: Database) -> None:
    """
    A try of which nothing is heard for a minute is made again, and counts.
    """
    webhook = subscribe(database)
    answer(database, begin_call(database))

    assert [] == taken(database, webhook, at=later(4))
    (first,) = taken(database, webhook, at=later(5))
    assert [] == taken(database, webhook, at=later(64))
    (again,) = taken(database, webhook, at=later(65))

    assert (1, 2) == (first.delivery.tries, again.delivery.tries)
    assert first.delivery.message == again.delivery.message


def test_the_messages_of_a_call_go_one_after_the_other(database: Database) -> None:
    """
    The second waits until the first has arrived, however long that takes; other calls do not wait.
    """
    webhook, call = subscribe(database), answer(database, begin_call(database))
    hang_up(database, call)
    answer(database, begin_call(database, 1), later(96))

    first, other = taken(database, webhook, at=later(100))
    assert (STARTED, STARTED) == (first.delivery.message.event_type, other.delivery.message.event_type)
    tell(database, first, status=500, at=later(101))
    assert [] == taken(database, webhook, at=later(103))
    (retried,) = taken(database, webhook, at=later(108))
    tell(database, retried, at=later(109))
    (second,) = taken(database, webhook, at=later(109))

    assert call.id == second.delivery.message.call_id
    assert ENDED is second.delivery.message.event_type


@pytest.mark.parametrize("is_parked", [False, True])
def test_a_message_does_not_wait_for_what_is_over(database: Database, is_parked: bool) -> None:  # noqa: FBT001 - of a table
    """
    After one that arrived, or that was given up, the next goes at once.
    """
    webhook, call = subscribe(database), answer(database, begin_call(database))
    (first,) = taken(database, webhook, at=later(6))
    if is_parked:
        database.transact(lambda transaction: transaction.webhooks.outbox.park_open(webhook, "Given up."))
    else:
        tell(database, first, at=later(7))
    hang_up(database, call)

    (second,) = taken(database, webhook, at=later(96))

    assert ENDED is second.delivery.message.event_type


def test_an_endpoint_has_its_own_limit(database: Database) -> None:
    """
    What is being sent counts until it is told of or lost.
    """
    webhook = subscribe(database)
    for number in range(3):
        answer(database, begin_call(database, number))

    first, second = taken(database, webhook, at=later(6), sends_max=2)
    assert [] == taken(database, webhook, at=later(7), sends_max=2)
    tell(database, first, at=later(8))
    (third,) = taken(database, webhook, at=later(8), sends_max=2)

    assert 3 == len({sending.delivery.message.id for sending in (first, second, third)})


def test_webhooks_that_something_is_due_to_are_found(database: Database) -> None:
    """
    Those to which least is being sent come first, then those that wait longest; those at their limit are left out.
    """
    one, two, three = (builders.webhook(id=number) for number in (1, 2, 3))
    subscribe(database, one, two)
    answer(database, begin_call(database), later(5))
    subscribe(database, three)
    answer(database, begin_call(database, 1), later(6))

    def due(sends_max: int = 8, limit: int = 9, at: float = 10) -> list[int]:
        webhooks = database.read(
            lambda reader: reader.webhooks.outbox.due_webhooks(later(at), sends_max=sends_max, limit=limit)
        )
        return [webhook.id for webhook in webhooks]

    assert [] == due(at=4)
    assert [1, 2] == due(at=5)
    assert {1, 2, 3} == set(due())
    taken(database, one, at=later(10), limit=1)
    assert [2, 3, 1] == due()
    assert [2, 3] == due(sends_max=1)
    assert [2] == due(limit=1)
    assert [1, 2, 3] == sorted(due(sends_max=1, at=71))


def test_a_webhook_that_was_disabled_meanwhile_gets_nothing(database: Database) -> None:
    """
    What was stored for it while it was still enabled is parked with a reason.
    """
    webhook = subscribe(database)
    answer(database, begin_call(database))
    off = attrs.evolve(webhook, disabled_reason=DisabledReason.REQUESTED)
    database.transact(lambda transaction: transaction.webhooks.update(off))

    assert [] == taken(database, webhook, at=later(6))

    (parked,) = database.read(mail(webhook))
    assert (PARKED, "The webhook was disabled.") == (parked.state, parked.last_problem)
    assert [] == taken(database, builders.webhook(id=99), at=later(6))


def test_gone_is_gone(database: Database) -> None:
    """
    An endpoint that answers 410 gets nothing more: it is disabled, and all that was on its way is parked.
    """
    webhook = subscribe(database)
    calls = [answer(database, begin_call(database, number)) for number in range(2)]
    hang_up(database, calls[0])
    (sending,) = taken(database, webhook, at=later(100), limit=1)

    tell(database, sending, status=410, at=later(101))

    stored = database.read(lambda reader: reader.webhooks.webhook(1, webhook.id))
    assert stored is not None
    assert DisabledReason.GONE is stored.disabled_reason
    assert {PARKED} == {delivery.state for delivery in database.read(mail(webhook))}
    assert {410, None} == {delivery.last_status for delivery in database.read(mail(webhook))}
    assert {"The endpoint answered 410. It wants no more messages.", "The webhook was disabled."} == {
        delivery.last_problem for delivery in database.read(mail(webhook))
    }
    hang_up(database, calls[1])
    assert 3 == len(database.read(mail(webhook)))


def test_a_late_word_counts_only_if_it_is_good(database: Database) -> None:
    """
    Who took a try for lost goes on; a message that arrived all the same is delivered.
    """
    webhook = subscribe(database)
    answer(database, begin_call(database))
    (lost,) = taken(database, webhook, at=later(6))
    (again,) = taken(database, webhook, at=later(70))

    tell(database, lost, status=500, at=later(71))
    assert [(STARTED, SENDING)] == events(database, webhook)
    tell(database, lost, status=200, at=later(72))
    assert [(STARTED, DELIVERED)] == events(database, webhook)
    tell(database, again, status=500, at=later(73))

    assert [(STARTED, DELIVERED)] == events(database, webhook)
    history = database.read(lambda reader: reader.webhooks.outbox.tries(webhook, [again.delivery.message.number]))
    assert {again.delivery.message.id: [(1, 200), (2, 500)]} == {
        name: [(tried.number, tried.status) for tried in tries] for name, tries in history.items()
    }


def test_a_word_of_what_was_forgotten_is_dropped(database: Database) -> None:
    """
    A webhook may be removed while something is being sent to it.
    """
    webhook = subscribe(database)
    answer(database, begin_call(database))
    (sending,) = taken(database, webhook, at=later(6))
    database.transact(lambda transaction: transaction.webhooks.remove(webhook))

    tell(database, sending, at=later(7))

    assert () == database.read(mail(webhook))


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


def test_a_failed_call_is_told_of(database: Database) -> None:
    """
    A call that was never answered has the one message that it failed.
    """
    webhook, call = subscribe(database), begin_call(database)
    event = ended(call, talk_s=0, disposition=Disposition.BUSY)

    database.transact(lambda transaction: apply_event(transaction, call, event))

    assert [(EventType.CALL_FAILED, PENDING)] == events(database, webhook)
