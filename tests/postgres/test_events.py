"""
The log where transactions overlap: what was numbered first may be committed last, and is still read exactly once.
"""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from outdial.adapters.postgres import calls, events
from outdial.domain.model.call import Call
from outdial.domain.model.lifecycle import State, Trigger
from outdial.ports.storage import Transaction
from tests.contract.storage.database import Database
from tests.contract.storage.test_events import read_all, save
from tests.service.calls import accept, after

WAIT_S = 20.0

Step = Callable[[Transaction], object]
Check = Callable[[Database], None]


@contextmanager
def _held_open(database: Database, begin: Step, end: Step) -> Iterator[None]:
    """
    Begin a transaction, run the block beside it, then end it.
    """
    has_begun, may_end = threading.Event(), threading.Event()
    rival = database.rival()

    def work(transaction: Transaction) -> None:
        begin(transaction)
        has_begun.set()
        assert may_end.wait(WAIT_S)
        end(transaction)

    with ThreadPoolExecutor(1) as thread:
        done = thread.submit(rival.transact, work)
        assert has_begun.wait(WAIT_S)
        try:
            yield
        finally:
            may_end.set()
            done.result(WAIT_S)


def _nothing(_transaction: Transaction) -> None:
    pass


def _saving(call: Call, trigger: Trigger) -> Step:
    changed = call.after(trigger)
    assert changed is not None
    return lambda transaction: transaction.calls.save(changed, after(1))


def check_overtaken_record(database: Database) -> None:
    """
    Read while a lower number is not yet committed, and after: each record comes once, the late one first.
    """
    slow, quick = accept(database), accept(database)
    begin = database.read(lambda reader: reader.events.newest())

    with _held_open(database, _saving(slow, Trigger.LEASE), _nothing):
        save(database, quick, Trigger.LEASE)
        meanwhile = database.read(lambda reader: reader.events.page(1, begin, limit=9))
    later = read_all(database, meanwhile.until)

    read = [*(entry.record for entry in meanwhile.entries), *later]
    assert [slow.id, quick.id] == [record.call_id for record in read]
    assert begin == meanwhile.until


def check_waiting_transaction(database: Database) -> None:
    """
    A transaction that began first and reached the call second: the call's records keep their order.
    """
    call = accept(database)
    begin = database.read(lambda reader: reader.events.newest())
    leased = call.after(Trigger.LEASE)
    assert leased is not None

    with _held_open(database, lambda transaction: transaction.workers.beat("first"), _saving(leased, Trigger.SEND)):
        save(database, call, Trigger.LEASE)

    assert [State.LEASED, State.SENDING] == [record.state for record in read_all(database, begin)]


@pytest.mark.parametrize("check", [check_overtaken_record, check_waiting_transaction])
def test_overlapping_transactions_are_read_in_order(database: Database, check: Check) -> None:
    """
    Nothing is skipped, nothing comes twice.
    """
    check(database)


def _without_horizon(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("newest", "passed", "page"):
        text = events.SQL[name]
        assert "transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint" in text
        monkeypatch.setitem(
            events.SQL, name, text.replace("pg_snapshot_xmin(pg_current_snapshot())::text::bigint", "9e18::bigint")
        )


def _without_transactions(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Read in the order of numbers, as far as they are there.
    """
    _without_horizon(monkeypatch)
    for name in ("newest", "passed", "page"):
        text = events.SQL[name]
        changed = text.replace("(transaction_id, number) > (%(transaction_id)s, ", "(0, number) > (0, ")
        monkeypatch.setitem(events.SQL, name, changed.replace("order by transaction_id", "order by 0 * transaction_id"))


def _without_the_record_before(monkeypatch: pytest.MonkeyPatch) -> None:
    text = calls.SQL["save"]
    assert "order by number desc limit 1" in text
    monkeypatch.setitem(calls.SQL, "save", text.replace("limit 1", "limit 0"))


@pytest.mark.parametrize(
    ("break_it", "check"),
    [
        (_without_horizon, check_overtaken_record),
        (_without_transactions, check_overtaken_record),
        (_without_the_record_before, check_waiting_transaction),
    ],
)
def test_without_its_order_an_overlap_is_noticed(
    database: Database, monkeypatch: pytest.MonkeyPatch, break_it: Callable[[pytest.MonkeyPatch], None], check: Check
) -> None:
    """
    A negative control: each part of the order is needed.
    """
    break_it(monkeypatch)

    with pytest.raises(AssertionError):
        check(database)
