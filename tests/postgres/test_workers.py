"""
Many workers on one queue: side by side, and never two on one call.
"""

import contextlib
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from outdial.domain.model.call import Call
from outdial.domain.model.capacity import Capacity
from outdial.domain.model.lifecycle import State
from outdial.domain.service import dialling
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of

FREE = builders.policy(default_rate_micros=0)
MEETING_S = 1.0


def _lease(limit: int) -> Callable[[Transaction], tuple[Call, ...]]:
    return lambda transaction: dialling.lease(
        transaction, worker_id="one", trunk="trunk", capacity=Capacity(), limit=limit, at=builders.NOW
    )


def _accept(database: Database, count: int) -> None:
    requests = [builders.request(token=builders.token(number)) for number in range(count)]
    assert len(accepted_of(database.accept(*requests, policy=FREE))) == count


def check_two_workers_lease_side_by_side(database: Database) -> None:
    """
    While one worker's lease is not committed, another leases the next call without waiting.
    """
    _accept(database, 2)
    rival = database.rival()

    def lease_and_wait(transaction: Transaction) -> tuple[Call, ...]:
        first = _lease(1)(transaction)
        with ThreadPoolExecutor(1) as thread:
            second = thread.submit(rival.transact, _lease(1))
            meeting = threading.Event()
            second.add_done_callback(lambda _done: meeting.set())
            assert meeting.wait(MEETING_S), "The second worker waited for the first."
            return first + second.result()

    leased = database.transact(lease_and_wait)

    assert {1, 2} == {call.id for call in leased}
    assert [State.LEASED] * 2 == [call.state for call in leased]


def test_two_workers_lease_side_by_side(database: Database) -> None:
    """
    The queue is no place to wait in line.
    """
    check_two_workers_lease_side_by_side(database)


def test_many_workers_lease_each_call_once(database: Database) -> None:
    """
    Eight workers that lease three calls at a time from 200 get each once.
    """
    _accept(database, 200)
    workers = [database.rival() for _ in range(8)]

    def work(worker: Database) -> list[int]:
        mine: list[int] = []
        while leased := worker.transact(_lease(3)):
            mine += [call.id for call in leased]
        return mine

    with ThreadPoolExecutor(len(workers)) as threads:
        shares = list(threads.map(work, workers))

    assert list(range(1, 201)) == sorted(number for share in shares for number in share)


def test_a_lease_that_is_undone_gives_its_call_back(database: Database) -> None:
    """
    A worker that fails before its commit leaves the call queued for others.
    """
    _accept(database, 1)

    class Lost(Exception):  # noqa: N818 - it is no error but an end
        """
        The worker died.
        """

    def lease_and_die(transaction: Transaction) -> None:
        _lease(1)(transaction)
        raise Lost

    with contextlib.suppress(Lost):
        database.transact(lease_and_die)

    (leased,) = database.transact(_lease(1))
    assert (1, 1) == (leased.id, leased.fence)
