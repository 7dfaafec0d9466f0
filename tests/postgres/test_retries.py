"""
What the server undoes is run again, three times at most; what nobody knows is never run again.
"""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from outdial.domain.model.wallet import EntryKind
from outdial.ports.errors import StorageConflictError, StorageError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of, balance_micros, deposit, furnish_other
from tests.listing import list_callee, listed
from tests.postgres.conftest import Run

FAIL_SOMETIMES = """
    create sequence attempts;
    create function fail_sometimes() returns trigger language plpgsql as $$ begin
        if nextval('attempts') <= {count} then raise exception 'made to fail' using errcode = '{code}'; end if;
        return new;
    end $$;
    create trigger fail_sometimes before insert on {table} for each row execute function fail_sometimes();
"""
END_CONNECTION = """
    create function end_connection() returns trigger language plpgsql as $$ begin
        perform pg_terminate_backend(pg_backend_pid());
        return null;
    end $$;
    create constraint trigger end_connection after insert on ledger deferrable initially deferred
        for each row execute function end_connection();
"""
END_OTHERS = """
    select pg_terminate_backend(pid) from pg_stat_activity
    where datname = current_database() and application_name = 'outdial'
"""


class Counted:
    """
    A deposit that counts how often it ran.
    """

    def __init__(self, before: Callable[[int], None] = lambda _times: None) -> None:
        self.times = 0
        self._before = before

    def __call__(self, transaction: Transaction) -> int:
        """
        Deposit a micro.
        """
        self.times += 1
        self._before(self.times)
        return deposit(1)(transaction)


@pytest.mark.parametrize("code", ["40001", "40P01"])
def test_a_transaction_that_was_undone_is_run_again(database: Database, run: Run, code: str) -> None:
    """
    After three serialization failures or deadlocks the fourth run is stored, once.
    """
    run(FAIL_SOMETIMES.format(count=3, code=code, table="ledger"))
    work = Counted()

    balance = database.transact(work)

    assert (4, 25_000_001) == (work.times, balance)
    assert 25_000_001 == database.read(balance_micros)


def test_four_failures_are_enough(database: Database, run: Run) -> None:
    """
    The caller hears that it was tried four times, and that nothing was written; it is no conflict of theirs.
    """
    run(FAIL_SOMETIMES.format(count=99, code="40001", table="ledger"))
    work = Counted()

    with pytest.raises(StorageError, match="tried 4 times") as caught:
        database.transact(work)

    assert str(caught.value).startswith("Other transactions were in the way. Nothing was written.")
    assert not isinstance(caught.value, StorageConflictError)
    assert 4 == work.times
    assert 25_000_000 == database.read(balance_micros)


def test_an_acceptance_that_was_undone_is_run_again(database: Database, run: Run) -> None:
    """
    The batch is decided anew, and its call and hold are there once.
    """
    run(FAIL_SOMETIMES.format(count=2, code="40001", table="calls"))

    (accepted,) = accepted_of(database.accept(builders.request()))

    wallet = database.read(lambda reader: reader.wallets.wallet(builders.ACCOUNT_ID))
    assert wallet == builders.wallet(held_micros=accepted.hold.micros)


def test_a_broken_rule_is_told_at_once(database: Database, run: Run) -> None:
    """
    What breaks a constraint would break it again.
    """
    run(FAIL_SOMETIMES.format(count=99, code="23505", table="ledger"))
    work = Counted()

    with pytest.raises(StorageConflictError):
        database.transact(work)

    assert 1 == work.times


def test_two_that_wait_for_each_other_both_succeed(database: Database) -> None:
    """
    A deadlock between two wallets undoes one of the works, which then runs again.
    """
    database.transact(furnish_other)
    rival, meeting, runs = database.rival(), threading.Barrier(2), []

    def transfer(first: int, second: int) -> Callable[[Transaction], None]:
        has_met = False

        def work(transaction: Transaction) -> None:
            nonlocal has_met
            runs.append(first)
            transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1, account_id=first))
            if not has_met:
                has_met = True
                meeting.wait(10)
            transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1, account_id=second))

        return work

    with ThreadPoolExecutor(1) as thread:
        other = thread.submit(rival.transact, transfer(2, 1))
        database.transact(transfer(1, 2))
        other.result()

    wallets = database.read(lambda reader: [reader.wallets.wallet(number) for number in (1, 2)])
    assert [25_000_002, 2] == [wallet.balance_micros for wallet in wallets if wallet is not None]
    assert 3 == len(runs)


def test_a_connection_lost_before_the_commit_is_replaced(database: Database, run: Run) -> None:
    """
    The server closed the connection while the work ran: nothing was written, so it runs again on another one.
    """

    def lose(times: int) -> None:
        if times == 1:
            run(END_OTHERS)

    work = Counted(lose)

    assert 25_000_001 == database.transact(work)
    assert 2 == work.times


def test_idle_connections_that_were_lost_are_replaced(database: Database, run: Run) -> None:
    """
    Whatever the server closed while nothing was done, the next works find out and succeed.
    """
    for balance in range(25_000_001, 25_000_006):
        run(END_OTHERS)

        assert balance == database.transact(deposit(1))
        assert balance == database.read(balance_micros)


def test_a_connection_lost_during_the_commit_is_said_so(database: Database, run: Run) -> None:
    """
    Nobody knows whether it was written, so it is not run again.
    """
    run(END_CONNECTION)
    work = Counted()

    with pytest.raises(StorageError, match="Nobody knows whether it was written"):
        database.transact(work)

    assert 1 == work.times


def test_a_commit_that_the_server_refuses_wrote_nothing(database: Database, run: Run) -> None:
    """
    A rule that is looked at only in the end is a conflict like any other.
    """
    run("alter table ledger drop constraint ledger_call_id_fkey")
    run("alter table ledger add foreign key (call_id) references calls (id) deferrable initially deferred")
    run("create function forget() returns trigger language plpgsql as $$ begin new.call_id = 99; return new; end $$")
    run("create trigger forget before insert on ledger for each row execute function forget()")

    with pytest.raises(StorageConflictError):
        database.transact(deposit(1))

    assert 25_000_000 == database.read(balance_micros)


def test_a_work_that_hides_a_failure_stores_nothing(database: Database, run: Run) -> None:
    """
    Once a statement failed the transaction is lost, whoever caught the error.
    """
    run(FAIL_SOMETIMES.format(count=99, code="22000", table="ledger"))

    def work(transaction: Transaction) -> None:
        list_callee(transaction)
        with pytest.raises(StorageError, match="22000"):
            transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 1))
        with pytest.raises(StorageError, match="given up"):
            list_callee(transaction)

    with pytest.raises(StorageError, match="given up"):
        database.transact(work)

    assert database.read(listed) is None
