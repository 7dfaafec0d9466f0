"""
The outbox under forced overlaps: workers that take at once, and calls that end while their answer is delivered.
"""

from collections.abc import Callable

import pytest

from outdial.domain.model.call import Call
from outdial.domain.model.delivery import Try
from outdial.domain.service.delivery import Sending, record, take
from outdial.domain.service.progress import apply_event
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database
from tests.contract.storage.mail import ENDED, answer, begin_call, later, subscribe, taken
from tests.contract.storage.test_overlaps import Race, _running_second
from tests.service.calls import ended


def check_two_workers_take_different_messages(database: Database) -> None:
    """
    Of two workers that take at once, none begins a try that the other has begun, and the endpoint's limit holds.
    """
    webhook, race = subscribe(database), Race()
    for number in range(3):
        answer(database, begin_call(database, number))

    def take_some(transaction: Transaction) -> list[Sending]:
        return [*take(transaction, [webhook], at=later(6), sends_max=2, limit=9)]

    with _running_second(database, race, lambda rival: rival.transact(race.second(take_some))) as second:

        def first_work(transaction: Transaction) -> list[Sending]:
            found = take_some(transaction)
            race.hold_open()
            return found

        first = database.transact(first_work)

    assert (2, 0) == (len(first), len(second.result()))


def check_an_end_is_saved_while_the_answer_is_delivered(database: Database) -> None:
    """
    The end's message waits for nobody in vain, whichever is committed first.
    """
    webhook, race = subscribe(database), Race()
    call = answer(database, begin_call(database))
    (sending,) = taken(database, webhook, at=later(6))

    def end_call(transaction: Transaction) -> Call:
        over = apply_event(transaction, call, ended(call), patience=builders.PATIENCE)
        race.hold_open()
        return over

    with _running_second(database, race, lambda rival: _told(rival, sending, race)) as second:
        database.transact(end_call)
    second.result()

    (last,) = taken(database, webhook, at=later(96))
    assert ENDED is last.delivery.message.event_type


def check_an_answer_is_delivered_while_the_end_is_saved(database: Database) -> None:
    """
    The same with the delivery first.
    """
    webhook, race = subscribe(database), Race()
    call = answer(database, begin_call(database))
    (sending,) = taken(database, webhook, at=later(6))
    end_call = race.second(lambda transaction: apply_event(transaction, call, ended(call), patience=builders.PATIENCE))

    with _running_second(database, race, lambda rival: rival.transact(end_call)) as second:
        _told(database, sending, race, is_first=True)
    second.result()

    (last,) = taken(database, webhook, at=later(96))
    assert ENDED is last.delivery.message.event_type


def _told(database: Database, sending: Sending, race: Race, *, is_first: bool = False) -> None:
    tried = Try(number=sending.delivery.tries, at=later(7), duration_ms=1, status=200)

    def work(transaction: Transaction) -> None:
        record(transaction, sending, tried, at=later(7))
        if is_first:
            race.hold_open()

    database.transact(work if is_first else race.second(work))


CHECKS = (
    check_two_workers_take_different_messages,
    check_an_end_is_saved_while_the_answer_is_delivered,
    check_an_answer_is_delivered_while_the_end_is_saved,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_overlaps_happen_one_after_the_other(database: Database, check: Callable[[Database], None]) -> None:
    """
    However workers and calls meet, no message is lost or begun twice.
    """
    check(database)
