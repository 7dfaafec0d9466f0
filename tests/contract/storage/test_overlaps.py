"""
Forced overlaps: one transaction is held open while another, through another handle, tries to overtake it.

The second must wait, and then see what the first did.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import TypeVar

import attrs
import pytest

from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.capacity import Capacity
from outdial.domain.model.decision import Accepted, Decision, Refused
from outdial.domain.model.facts import Facts
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State, Trigger
from outdial.domain.model.policy import Policy
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Decided
from outdial.domain.model.wallet import EntryKind
from outdial.domain.rules.ladder import decide_all
from outdial.domain.service import dialling
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import DecideAll, Reader, Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of, balance_micros, deposit, everything, furnish
from tests.listing import list_callee, listed

T = TypeVar("T")

OVERTAKING_S = 0.2
"""How long the first gives the second to overtake; a storage that keeps the rules uses it up."""

BEGINNING_S = 20.0
ONE_MINUTE = Policy(max_call_duration_s=60)


@attrs.frozen
class Race:
    """
    Where the two meet.
    """

    first_is_open: threading.Event = attrs.field(factory=threading.Event)
    second_is_done: threading.Event = attrs.field(factory=threading.Event)

    def hold_open(self) -> None:
        """
        Let the second try; called where the first has read and is about to write.
        """
        self.first_is_open.set()
        assert not self.second_is_done.wait(OVERTAKING_S), "The second did not wait for the first."

    def first(self, work: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
        """
        Hold a work open after it has read what it is about to change, and again after it has changed it.
        """

        def held(transaction: Transaction) -> T:
            everything(transaction)
            self.hold_open()
            result = work(transaction)
            self.hold_open()
            return result

        return held

    def second(self, work: Callable[[Transaction], T]) -> Callable[[Transaction], T]:
        """
        Tell when a work is done.
        """

        def told(transaction: Transaction) -> T:
            result = work(transaction)
            self.second_is_done.set()
            return result

        return told

    def first_decision(self, requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> Sequence[Decided]:
        """
        Hold an acceptance open after its facts were read.
        """
        self.hold_open()
        return decide_all(requests, snapshot)

    def second_decision(self, requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> Sequence[Decided]:
        """
        Tell when an acceptance was decided.
        """
        self.second_is_done.set()
        return decide_all(requests, snapshot)


@contextmanager
def _running_second(database: Database, race: Race, run: Callable[[Database], T]) -> "Iterator[Future[T]]":
    """
    Run the second in a thread with a handle of its own, as soon as the first is open.
    """
    rival = database.rival()

    def wait_and_run() -> T:
        assert race.first_is_open.wait(BEGINNING_S)
        return run(rival)

    with ThreadPoolExecutor(1) as thread:
        yield thread.submit(wait_and_run)


def _accept_one(database: Database, decide: DecideAll) -> Decision:
    (decision,) = database.accept(builders.request(), policy=ONE_MINUTE, decide=decide)
    return decision


def check_two_acceptances(database: Database) -> None:
    """
    The wallet covers one call; the second request is decided on what the first left.
    """
    race = Race()

    with _running_second(database, race, lambda rival: _accept_one(rival, race.second_decision)) as second:
        first = _accept_one(database, race.first_decision)

    refused = second.result()
    assert isinstance(first, Accepted)
    assert isinstance(refused, Refused)
    assert refused.reason is Reason.INSUFFICIENT_FUNDS


def check_listing_waits_for_acceptance(database: Database, owner: int | None = builders.ACCOUNT_ID) -> None:
    """
    A number that is listed while its call is decided is listed after the call.
    """
    race = Race()
    listing = race.second(partial(list_callee, account_id=owner))

    with _running_second(database, race, lambda rival: rival.transact(listing)) as second:
        first = _accept_one(database, race.first_decision)

    second.result()
    assert isinstance(first, Accepted)
    assert database.read(listed) is not None


def check_acceptance_waits_for_listing(database: Database, owner: int | None = builders.ACCOUNT_ID) -> None:
    """
    A call that is asked for while its number is being listed is refused.
    """
    race = Race()
    listing = race.first(partial(list_callee, account_id=owner))

    with _running_second(database, race, lambda rival: _accept_one(rival, race.second_decision)) as second:
        database.transact(listing)

    assert second.result() == Refused(reason=Reason.DO_NOT_CALL)


def check_two_deposits(database: Database) -> None:
    """
    Neither of two deposits at once is lost.
    """
    race = Race()
    before = database.read(balance_micros)

    with _running_second(database, race, lambda rival: rival.transact(race.second(deposit(2)))) as second:
        first = database.transact(race.first(deposit(1)))

    assert (before + 1, before + 3) == (first, second.result())
    assert database.read(balance_micros) == before + 3


def check_two_leases(database: Database) -> None:
    """
    Of two workers that take one call, one gets it.
    """
    (accepted,) = accepted_of(database.accept(builders.request(), policy=ONE_MINUTE))
    leased = accepted.call.after(Trigger.LEASE)
    assert leased is not None
    race = Race()

    def lease(transaction: Transaction) -> bool:
        try:
            transaction.calls.save(leased, builders.NOW)
        except StorageConflictError:
            return False
        return True

    with _running_second(database, race, lambda rival: rival.transact(race.second(lease))) as second:
        first = database.transact(race.first(lease))

    assert (first, second.result()) == (True, False)
    records = database.read(lambda reader: reader.calls.records(accepted.call.id))
    assert len(records) == 2


def _leased(database: Database) -> Call:
    """
    Accept a call and lease it.
    """
    database.accept(builders.request(), policy=ONE_MINUTE)
    (leased,) = database.transact(
        lambda transaction: dialling.lease(
            transaction, worker_id="one", trunk="trunk", capacity=Capacity(), limit=1, at=builders.NOW
        )
    )
    return leased


def check_listing_waits_for_dialling(database: Database, owner: int | None = builders.ACCOUNT_ID) -> None:
    """
    A number that is listed while its call passes the point of no return is listed after that.
    """
    leased, race = _leased(database), Race()
    listing = race.second(partial(list_callee, account_id=owner))

    def send(transaction: Transaction) -> Call | None:
        sending = dialling.pass_no_return(transaction, leased, at=builders.NOW, patience=builders.PATIENCE)
        race.hold_open()
        return sending

    with _running_second(database, race, lambda rival: rival.transact(listing)) as second:
        first = database.transact(send)

    second.result()
    assert first is not None
    assert first.state is State.SENDING


def check_dialling_waits_for_listing(database: Database, owner: int | None = builders.ACCOUNT_ID) -> None:
    """
    A call whose number is being listed at its point of no return waits, and is not dialled.
    """
    leased, race = _leased(database), Race()

    def list_number(transaction: Transaction) -> None:
        list_callee(transaction, owner)
        race.hold_open()

    def send(rival: Database) -> Call | None:
        return rival.transact(
            race.second(
                lambda transaction: dialling.pass_no_return(
                    transaction, leased, at=builders.NOW, patience=builders.PATIENCE
                )
            )
        )

    with _running_second(database, race, send) as second:
        database.transact(list_number)

    assert second.result() is None
    blocked = database.read(lambda reader: reader.calls.call_of_any_account(CallReference(number=leased.id)))
    assert blocked is not None
    assert blocked.state is State.BLOCKED


LISTING_CHECKS = (
    check_listing_waits_for_acceptance,
    check_acceptance_waits_for_listing,
    check_listing_waits_for_dialling,
    check_dialling_waits_for_listing,
)

DIALLING_CHECKS = (check_listing_waits_for_dialling, check_dialling_waits_for_listing)

CHECKS = (
    check_two_acceptances,
    check_listing_waits_for_acceptance,
    check_acceptance_waits_for_listing,
    check_two_deposits,
    check_two_leases,
)


def furnish_for_one_call(database: Database) -> Database:
    """
    Store money for one call of a minute, not for two.
    """
    database.transact(lambda transaction: furnish(transaction, deposit_micros=99_999))
    return database


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_second_waits_and_sees_the_first(empty: Database, check: Callable[[Database], None]) -> None:
    """
    Two handles on the same data work one after the other, however they meet.
    """
    check(furnish_for_one_call(empty))


@pytest.mark.parametrize("check", DIALLING_CHECKS, ids=lambda check: check.__name__)
def test_dialling_and_listing_happen_one_after_the_other(empty: Database, check: Callable[[Database], None]) -> None:
    """
    No call passes its point of no return on a list that is being changed.
    """
    check(furnish_for_one_call(empty))


@pytest.mark.parametrize("check", LISTING_CHECKS, ids=lambda check: check.__name__)
def test_the_operators_list_is_waited_for_by_every_account(empty: Database, check: Callable[..., None]) -> None:
    """
    What holds for an account's list holds for the one that binds them all.
    """
    check(furnish_for_one_call(empty), None)


def test_a_snapshot_stands_still(database: Database) -> None:
    """
    A read that is held open sees no part of what is committed meanwhile; the next one sees all of it.
    """
    race = Race()

    def read_twice(reader: Reader) -> tuple[int, int]:
        before = balance_micros(reader)
        race.first_is_open.set()
        race.second_is_done.wait(BEGINNING_S)
        return before, balance_micros(reader)

    def write(rival: Database) -> None:
        rival.transact(deposit(1))
        race.second_is_done.set()

    with _running_second(database, race, write) as second:
        seen = database.read(read_twice)

    second.result()
    assert seen == (25_000_000, 25_000_000)
    assert database.read(balance_micros) == 25_000_001


def test_what_is_not_committed_is_not_read(database: Database) -> None:
    """
    Another handle reads the old state while a transaction is open, and never what it undoes.
    """
    rival, seen = database.rival(), []

    def work(transaction: Transaction) -> None:
        transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1))
        with ThreadPoolExecutor(1) as thread:
            seen.append(thread.submit(rival.read, balance_micros).result())

    database.transact(work)

    assert seen == [25_000_000]
    assert rival.read(balance_micros) == 25_000_001
