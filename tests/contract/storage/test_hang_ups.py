"""
Hanging up in storage: what is asked for is kept beside a call's progress, and nobody overtakes anybody.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import TypeVar

import attrs
import pytest

from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Ended
from outdial.domain.model.decision import Refused
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State, Trigger
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service import dialling, progress
from outdial.domain.service.hanging_up import hang_up
from outdial.ports.storage import Reader, Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of, everything, first_call, furnish_other
from tests.contract.storage.test_overlaps import Race, _leased, _running_second, furnish_for_one_call

T = TypeVar("T")

LATER = builders.NOW + timedelta(seconds=1)


def _accept(database: Database, count: int = 1) -> list[Call]:
    requests = [builders.request(token=builders.token(number)) for number in range(count)]
    return [accepted.call for accepted in accepted_of(database.accept(*requests))]


def _asked(database: Database, *calls: Call) -> frozenset[int]:
    return database.read(lambda reader: reader.calls.to_hang_up([call.id for call in calls]))


def test_only_the_calls_asked_about_are_told(database: Database) -> None:
    """
    A worker hears of its own calls that are to be hung up, and of no others.
    """
    mine, mine_too, others = _accept(database, 3)

    before = _asked(database, mine, mine_too)
    for call in (mine, others):
        database.transact(lambda transaction, call=call: transaction.calls.ask_to_hang_up(call, LATER))  # type: ignore[misc]

    assert (frozenset(), frozenset({mine.id})) == (before, _asked(database, mine, mine_too))
    assert frozenset() == _asked(database)
    assert frozenset() == _asked(database, attrs.evolve(mine, id=99))


def test_asking_changes_nothing_else(database: Database) -> None:
    """
    A wish is no progress: it counts as no write of the call and makes no record.
    """
    (call,) = _accept(database)

    database.transact(lambda transaction: transaction.calls.ask_to_hang_up(call, LATER))

    asked, records = database.read(
        lambda reader: (reader.calls.call(call.account_id, first_call(call.id)), reader.calls.records(call.id))
    )
    assert attrs.evolve(call, hang_up_at=LATER) == asked
    assert 1 == len(records)


def test_progress_keeps_what_was_asked_for(database: Database) -> None:
    """
    Whoever saves a call without having heard of the wish leaves it there.
    """
    (call,) = _accept(database)
    leased = call.after(Trigger.LEASE)
    assert leased is not None

    database.transact(lambda transaction: transaction.calls.ask_to_hang_up(call, LATER))
    database.transact(lambda transaction: transaction.calls.save(leased, LATER))

    stored = database.read(lambda reader: reader.calls.call_of_any_account(first_call(call.id)))
    assert attrs.evolve(leased, hang_up_at=LATER) == stored


def test_nobody_asks_for_another_accounts_call(database: Database) -> None:
    """
    The row alone is not enough.
    """
    database.transact(furnish_other)
    (call,) = _accept(database)
    before = database.read(everything)

    database.transact(lambda transaction: transaction.calls.ask_to_hang_up(attrs.evolve(call, account_id=2), LATER))

    assert before == database.read(everything)


def _hang_up(call: Call) -> Callable[[Transaction], Call | None]:
    def work(transaction: Transaction) -> Call | None:
        view = hang_up(transaction, builders.account(), LATER, reference=first_call(call.id))
        return None if isinstance(view, Refused) else view.call

    return work


def _pass_no_return(call: Call) -> Callable[[Transaction], Call | None]:
    return lambda transaction: dialling.pass_no_return(transaction, call, at=LATER, patience=builders.PATIENCE)


def _first(
    race: Race, look: Callable[[Transaction], object], work: Callable[[Transaction], T]
) -> Callable[[Transaction], T]:
    """
    Hold a work open where it has read the call, and again where it has changed it.
    """

    def held(transaction: Transaction) -> T:
        look(transaction)
        race.hold_open()
        result = work(transaction)
        race.hold_open()
        return result

    return held


def _as_client(call: Call) -> Callable[[Transaction], Call | None]:
    return lambda transaction: transaction.calls.call(call.account_id, first_call(call.id))


def _as_worker(call: Call) -> Callable[[Transaction], Call | None]:
    return lambda transaction: transaction.calls.call_of_any_account(CallReference(number=call.id))


def _money(reader: Reader) -> list[EntryKind]:
    return [entry.kind for entry in reader.wallets.entries(builders.ACCOUNT_ID) if entry.call_id is not None]


def check_dialling_waits_for_canceling(database: Database) -> None:
    """
    A call that is being canceled is not dialled.
    """
    leased, race = _leased(database), Race()
    canceling = _first(race, _as_client(leased), _hang_up(leased))

    with _running_second(database, race, lambda rival: rival.transact(race.second(_pass_no_return(leased)))) as second:
        canceled = database.transact(canceling)

    assert second.result() is None
    assert canceled == database.read(lambda reader: reader.calls.call_of_any_account(first_call(leased.id)))
    assert canceled is not None
    assert (State.CANCELED, 0) == (canceled.state, canceled.attempt)
    assert [EntryKind.HOLD, EntryKind.RELEASE] == database.read(_money)


def check_canceling_waits_for_dialling(database: Database) -> None:
    """
    A call that is being dialled is not canceled but hung up later, by whoever sees it through.
    """
    leased, race = _leased(database), Race()
    sending = _first(race, _as_worker(leased), _pass_no_return(leased))

    with _running_second(database, race, lambda rival: rival.transact(race.second(_hang_up(leased)))) as second:
        sent = database.transact(sending)

    asked = second.result()
    assert sent is not None
    assert asked is not None
    assert (State.SENDING, attrs.evolve(sent, hang_up_at=LATER)) == (asked.state, asked)
    assert [EntryKind.HOLD] == database.read(_money)


def check_hanging_up_waits_for_the_end(database: Database) -> None:
    """
    A call that is ending is left as it ends.
    """
    leased, race = _leased(database), Race()
    sending = database.transact(_pass_no_return(leased))
    assert sending is not None
    ended = Ended(attempt_id=sending.attempt_id, at=LATER, disposition=Disposition.BUSY)
    ending = _first(
        race,
        _as_worker(sending),
        lambda transaction: progress.apply_event(transaction, sending, ended, patience=builders.PATIENCE),
    )

    with _running_second(database, race, lambda rival: rival.transact(race.second(_hang_up(leased)))) as second:
        over = database.transact(ending)

    assert over == second.result()
    assert (State.SETTLED, Disposition.BUSY, None) == (over.state, over.disposition, over.hang_up_at)
    assert [EntryKind.HOLD, EntryKind.RELEASE] == database.read(_money)


def check_two_hang_ups(database: Database) -> None:
    """
    Of two clients that hang up a queued call at once, one gives the hold back.
    """
    leased, race = _leased(database), Race()
    canceling = _first(race, _as_client(leased), _hang_up(leased))

    with _running_second(database, race, lambda rival: rival.transact(race.second(_hang_up(leased)))) as second:
        canceled = database.transact(canceling)

    assert canceled == second.result()
    assert [EntryKind.HOLD, EntryKind.RELEASE] == database.read(_money)


CHECKS = (
    check_dialling_waits_for_canceling,
    check_canceling_waits_for_dialling,
    check_hanging_up_waits_for_the_end,
    check_two_hang_ups,
)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_second_waits_for_the_first(empty: Database, check: Callable[[Database], None]) -> None:
    """
    Canceled or dialled, never both, however a client and a worker meet.
    """
    check(furnish_for_one_call(empty))
