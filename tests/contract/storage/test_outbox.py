"""
The outbox: messages are stored with what they tell of, and go to each webhook in order.
"""

import attrs
import pytest

from outdial.domain.model.delivery import DeliveryState
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.webhook import DisabledReason, EventType
from outdial.domain.service.progress import apply_event
from outdial.domain.service.webhooks import Requeued, replay_message
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, Undo
from tests.contract.storage.mail import (
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
        apply_event(transaction, call, answered(call), patience=builders.PATIENCE)
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


def test_a_message_that_is_sent_again_goes_before_later_ones(database: Database) -> None:
    """
    An end that waits for its next try waits for the answer, when that is asked for again.
    """
    webhook, call = subscribe(database), answer(database, begin_call(database))
    (started,) = taken(database, webhook, at=later(6))
    tell(database, started, at=later(7))
    hang_up(database, call)
    (ended_call,) = taken(database, webhook, at=later(96))
    tell(database, ended_call, status=500, at=later(97))

    replayed = database.transact(
        lambda transaction: replay_message(transaction, webhook, started.delivery.message.id, later(98))
    )
    first = taken(database, webhook, at=later(500))
    tell(database, first[0], at=later(501))
    second = taken(database, webhook, at=later(501))

    assert replayed == Requeued(count=1, has_more=False)
    assert [STARTED] == [sending.delivery.message.event_type for sending in first]
    assert [ENDED] == [sending.delivery.message.event_type for sending in second]
    assert 2 == first[0].delivery.tries


def test_what_is_being_sent_is_not_asked_for_again(database: Database) -> None:
    """
    It goes on as it is.
    """
    webhook = subscribe(database)
    answer(database, begin_call(database))
    (sending,) = taken(database, webhook, at=later(6))

    replayed = database.transact(
        lambda transaction: replay_message(transaction, webhook, sending.delivery.message.id, later(7))
    )

    assert replayed == Requeued(count=0, has_more=False)
    assert [(STARTED, SENDING)] == events(database, webhook)


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


def test_a_failed_call_is_told_of(database: Database) -> None:
    """
    A call that was never answered has the one message that it failed.
    """
    webhook, call = subscribe(database), begin_call(database)
    event = ended(call, talk_s=0, disposition=Disposition.BUSY)

    database.transact(lambda transaction: apply_event(transaction, call, event, patience=builders.PATIENCE))

    assert [(EventType.CALL_FAILED, PENDING)] == events(database, webhook)
