"""
What workers share: the queue, whose calls they see through, who is heard of, and the pace.
"""

from datetime import timedelta

import pytest

from outdial.domain.model.call import Call
from outdial.domain.model.lifecycle import BEGUN, TERMINAL, State, Trigger
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of
from tests.contract.storage.test_overlaps import Race, _running_second

LATER = builders.NOW + timedelta(seconds=1)
OTHER_CALLER_ID = builders.agent(id=124, assistant_id="assistant_second", phone_number=builders.CALLEE)
LONG_S = 3600.0


def accept(database: Database, *agent_ids: int) -> list[Call]:
    """
    Accept a call of each agent, in their order.
    """
    requests = [
        builders.request(token=builders.token(place), content=builders.fields(agent_id=agent_id))
        for place, agent_id in enumerate(agent_ids)
    ]
    return [accepted.call for accepted in accepted_of(database.accept(*requests))]


def lease(database: Database, call: Call, worker_id: str) -> Call:
    """
    Give a call to a worker.
    """
    leased = call.after(Trigger.LEASE, fence=call.fence + 1, worker_id=worker_id)
    assert leased is not None
    database.transact(lambda transaction: transaction.calls.save(leased, LATER))
    return leased


def queued(transaction: Transaction, limit: int = 10) -> list[int]:
    """
    Return the rows of the queue.
    """
    calls = transaction.calls.queued(limit, at=LATER, except_accounts=frozenset(), except_caller_ids=frozenset())
    return [call.id for call in calls]


def test_the_queue_comes_oldest_first_and_in_portions(database: Database) -> None:
    """
    Calls that were leased are no longer in it.
    """
    first, second, third = accept(database, *[builders.AGENT_ID] * 3)
    lease(database, first, "one")

    assert [second.id, third.id] == database.transact(queued)
    assert [second.id] == database.transact(lambda transaction: queued(transaction, 1))


def test_the_queue_leaves_out_who_is_at_a_cap(database: Database) -> None:
    """
    A full account or caller ID holds up nobody behind it.
    """
    database.transact(lambda transaction: transaction.directory.add(OTHER_CALLER_ID))
    first, second = accept(database, builders.AGENT_ID, OTHER_CALLER_ID.id)

    def left(transaction: Transaction, account_id: int, call: Call) -> list[int]:
        calls = transaction.calls.queued(
            10, at=LATER, except_accounts=frozenset({account_id}), except_caller_ids=frozenset({call.caller_id})
        )
        return [call.id for call in calls]

    assert [second.id] == database.transact(lambda transaction: left(transaction, 99, first))
    assert [first.id] == database.transact(lambda transaction: left(transaction, 99, second))
    assert [] == database.transact(lambda transaction: left(transaction, builders.ACCOUNT_ID, first))


def test_live_calls_are_counted(database: Database) -> None:
    """
    What was begun and is not over counts for its account and its caller ID; what is queued does not.
    """
    database.transact(lambda transaction: transaction.directory.add(OTHER_CALLER_ID))
    calls = accept(database, builders.AGENT_ID, builders.AGENT_ID, OTHER_CALLER_ID.id, OTHER_CALLER_ID.id)
    for call in calls[:3]:
        lease(database, call, "one")

    live = database.transact(lambda transaction: transaction.calls.live())

    assert {builders.ACCOUNT_ID: 3} == dict(live.by_account)
    assert {calls[0].caller_id: 2, calls[2].caller_id: 1} == dict(live.by_caller_id)


def test_begun_states_are_all_that_a_worker_can_hold() -> None:
    """
    A new state has to be told apart as queued, begun or terminal.
    """
    assert set(State) == {State.QUEUED} | BEGUN | TERMINAL


def test_calls_of_silent_workers_are_unattended(database: Database) -> None:
    """
    A worker's calls are left to it while it is heard of; its own are always told, the queue's and ended ones never.
    """
    mine, heard, silent, over, _queued = accept(database, *[builders.AGENT_ID] * 5)
    lease(database, mine, "me")
    lease(database, heard, "heard")
    lease(database, silent, "silent")
    blocked = lease(database, over, "silent").after(Trigger.BLOCK)
    assert blocked is not None
    database.transact(lambda transaction: transaction.calls.save(blocked, LATER))
    database.transact(lambda transaction: transaction.workers.beat("heard"))

    unattended = database.transact(lambda transaction: transaction.calls.unattended("me", silent_s=LONG_S, limit=10))

    assert [mine.id, silent.id] == [call.id for call in unattended]


def test_a_worker_may_beat_again_and_again(database: Database) -> None:
    """
    The last beat counts; with no patience at all, nobody is heard of.
    """
    (call,) = accept(database, builders.AGENT_ID)
    lease(database, call, "other")
    for _ in range(2):
        database.transact(lambda transaction: transaction.workers.beat("other"))

    def unattended(silent_s: float, limit: int) -> int:
        return len(
            database.transact(lambda transaction: transaction.calls.unattended("me", silent_s=silent_s, limit=limit))
        )

    assert (0, 1, 0) == (unattended(LONG_S, 9), unattended(-LONG_S, 9), unattended(-LONG_S, 0))


def test_the_pace_is_kept_by_trunk(database: Database) -> None:
    """
    A trunk that was never used may start at once; each has a time of its own.
    """

    def paces(transaction: Transaction) -> list[int]:
        return [transaction.workers.next_start(trunk) for trunk in ("one", "two")]

    assert [0, 0] == database.transact(paces)
    for at_micros in (1, 2**62):
        database.transact(lambda transaction, at=at_micros: transaction.workers.set_next_start("one", at))  # type: ignore[misc]
        assert [at_micros, 0] == database.transact(paces)


def test_the_shared_clock_goes_on(database: Database) -> None:
    """
    Later transactions read no earlier time.
    """
    times = [database.transact(lambda transaction: transaction.workers.now_micros()) for _ in range(3)]

    assert sorted(times) == times
    assert times[0] > 0


def test_turns_are_taken_one_by_one(database: Database) -> None:
    """
    Who waits for its turn reads what the one before wrote.
    """
    race = Race()

    def first(transaction: Transaction) -> None:
        transaction.workers.take_turn()
        race.hold_open()
        transaction.workers.set_next_start("trunk", 7)

    def second(transaction: Transaction) -> int:
        transaction.workers.take_turn()
        return transaction.workers.next_start("trunk")

    with _running_second(database, race, lambda rival: rival.transact(race.second(second))) as told:
        database.transact(first)

    assert 7 == told.result()


@pytest.mark.parametrize("worker_id", ["w", "Ω" * 40, "a b'c\"d"])
def test_a_calls_worker_comes_back(database: Database, worker_id: str) -> None:
    """
    Whoever leased a call is stored with it.
    """
    (call,) = accept(database, builders.AGENT_ID)

    leased = lease(database, call, worker_id)

    assert (leased,) == database.transact(
        lambda transaction: transaction.calls.unattended(worker_id, silent_s=LONG_S, limit=1)
    )


def test_a_worker_that_left_is_not_waited_for(database: Database) -> None:
    """
    Its calls are left behind from then on; others' are not, and leaving twice is fine.
    """
    left, stayed = accept(database, *[builders.AGENT_ID] * 2)
    for call, worker_id in ((left, "gone"), (stayed, "here")):
        lease(database, call, worker_id)
        database.transact(lambda transaction, name=worker_id: transaction.workers.beat(name))  # type: ignore[misc]

    for _ in range(2):
        database.transact(lambda transaction: transaction.workers.leave("gone"))

    unattended = database.transact(lambda transaction: transaction.calls.unattended("me", silent_s=LONG_S, limit=9))
    assert [left.id] == [call.id for call in unattended]


def test_workers_are_forgotten_that_were_silent_for_long_and_hold_nothing(database: Database) -> None:
    """
    One that was heard of lately is kept; so is one with a call that was begun, but not for those over or unknown.
    """
    held, over, unknown = accept(database, *[builders.AGENT_ID] * 3)
    lease(database, held, "holds")
    follow(database, lease(database, over, "done"), Trigger.BLOCK)
    follow(database, lease(database, unknown, "done"), Trigger.SEND, Trigger.DOUBT)
    for worker_id in ("holds", "done", "idle"):
        database.transact(lambda transaction, name=worker_id: transaction.workers.beat(name))  # type: ignore[misc]

    def forgotten(silent_s: float) -> int:
        return database.transact(lambda transaction: transaction.workers.forget(silent_s=silent_s))

    assert (0, 2, 0) == (forgotten(LONG_S), forgotten(-LONG_S), forgotten(-LONG_S))
    assert () == database.transact(lambda transaction: transaction.calls.unattended("me", silent_s=LONG_S, limit=9))


def follow(database: Database, call: Call, *triggers: Trigger) -> None:
    """
    Let things happen to a call.
    """
    for trigger in triggers:
        after = call.after(trigger)
        assert after is not None
        database.transact(lambda transaction, call=after: transaction.calls.save(call, LATER))  # type: ignore[misc]
        call = after
