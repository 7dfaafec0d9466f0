"""
SQLite: every statement on the way of a call finds its rows by an index, however many calls there are.
"""

import contextlib
import re
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from outdial.domain.model.agent import Agent
from outdial.domain.model.call import Call
from outdial.domain.model.contact import Contact, ContactNumber
from outdial.domain.model.delivery import DeliveryState, Try
from outdial.domain.model.identifiers import CallReference, EventId, Position
from outdial.domain.model.lifecycle import TERMINAL, State, Trigger
from outdial.domain.model.listing import CallFilter, PageRange
from outdial.domain.model.principal import Account, ApiKey
from outdial.domain.model.reason import Reason
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.delivery import record, take
from outdial.domain.service.do_not_call import list_named
from outdial.domain.service.progress import apply_event
from outdial.ports.storage import Reader, Storage, Transaction
from tests import builders
from tests.contract.storage.database import FILE_NAME, Database, accepted_of, furnish, open_sqlite
from tests.contract.storage.mail import begin_call, later, subscribe
from tests.listing import delist_callee, list_callee, listed
from tests.service.calls import answered, ended

STATISTICS = (
    "analyze",
    "insert into sqlite_stat1 (tbl, idx, stat) values ('calls', 'calls_live', '10000 2000')",
    "insert into sqlite_stat1 (tbl, idx, stat) values ('calls', null, '10000000')",
)
"""Those of a database with many settled calls, which must not lead the planner to read them all."""

SMALL = re.compile(r"json_each|\(subquery|busy|CONSTANT ROW")
"""What may be read whole: lists of look-ups, and the webhooks that something is on its way to."""


def use_everything(database: Database) -> None:
    """
    Run each statement that the way of a call and of its messages takes.
    """
    _use_calls(database)
    _use_webhooks(database)


def _use_calls(database: Database) -> None:
    database.transact(furnish)
    content = builders.fields(contact_id=builders.CONTACT_ID)
    named = builders.fields(agent_id="assistant_abc123")
    accepted = accepted_of(database.accept(builders.request(content=content), builders.request(content=named)))
    database.accept(builders.request(content=builders.fields(agent_id=999)))
    call = accepted[0].call

    def write(transaction: Transaction) -> None:
        leased = call.after(Trigger.LEASE)
        assert leased is not None
        transaction.calls.save(leased, builders.NOW)
        transaction.calls.ask_to_hang_up(leased, builders.NOW)
        transaction.wallets.post(builders.entry(EntryKind.RELEASE, call.hold_micros, call_id=call.id))
        list_callee(transaction)
        delist_callee(transaction)
        transaction.dnc.remove_list(list_named(transaction, builders.ACCOUNT_ID, "gone", at=builders.NOW))
        transaction.rulebook.set_rate(builders.rate())
        transaction.directory.update_key(builders.api_key())
        transaction.decisions.prune_refusals(older_than=builders.NOW + timedelta(days=1), limit=5)
        transaction.incidents.add(builders.incident(call_id=call.id))
        transaction.directory.add_talk(builders.ACCOUNT_ID, builders.AGENT_ID, 1)
        for record_type in (Account, ApiKey, Agent, Contact, ContactNumber):
            transaction.directory.next_id(record_type)
        use_contacts(transaction)

    def read(reader: Reader) -> None:
        reader.directory.key(builders.KEY_ID)
        reader.directory.account(builders.ACCOUNT_ID)
        reader.directory.agent(builders.ACCOUNT_ID, builders.AGENT_ID)
        reader.directory.agent(builders.ACCOUNT_ID, "assistant_abc123")
        reader.directory.agents(builders.ACCOUNT_ID, after=0, limit=10)
        reader.directory.agent_totals(builders.ACCOUNT_ID, [builders.AGENT_ID])
        listed(reader)
        (default,) = reader.dnc.lists(builders.ACCOUNT_ID)
        reader.dnc.page(default, after=builders.CALLEE, limit=5)
        reader.rulebook.rates_for("USD", builders.CALLEE)
        reader.wallets.wallet(builders.ACCOUNT_ID)
        reader.wallets.entries(builders.ACCOUNT_ID)
        for agent_id, contact_id in ((None, None), (builders.AGENT_ID, None), (None, builders.CONTACT_ID)):
            wanted = CallFilter(agent_id=agent_id, contact_id=contact_id)
            reader.history.page(builders.ACCOUNT_ID, wanted, PageRange(limit=10))
            reader.history.count(builders.ACCOUNT_ID, wanted, at_most=100)
        reader.decisions.grounds(builders.ACCOUNT_ID, call.id)
        reader.decisions.refusal(builders.ACCOUNT_ID, 1)
        reader.decisions.refusals(builders.ACCOUNT_ID, reason=None, before=None, limit=10)
        reader.incidents.incidents(builders.ACCOUNT_ID, before=None, limit=10)
        reader.incidents.of_any_account(before=10, limit=10)
        reader.decisions.refusals(builders.ACCOUNT_ID, reason=Reason.DO_NOT_CALL, before=10, limit=10)
        _read_call(reader, call)

    database.transact(write)
    database.read(read)


def _read_call(reader: Reader, call: Call) -> None:
    reader.calls.call(call.account_id, CallReference(number=call.id, token=call.token))
    reader.calls.call_of_any_account(CallReference(number=call.id))
    reader.calls.in_states(frozenset(State) - TERMINAL, 10)
    reader.calls.records(call.id)
    reader.calls.to_hang_up([call.id])
    for place in (reader.events.newest(), EventId(call=call.id, number=1)):
        reader.events.position(call.account_id, place)
    reader.events.page(call.account_id, Position(), limit=100)


def _use_webhooks(database: Database) -> None:
    webhook, at = builders.webhook(), later(200)
    database.transact(lambda transaction: transaction.webhooks.add(builders.webhook(id=32)))
    subscribe(database, webhook)
    call = begin_call(database, 9)

    def write(transaction: Transaction) -> None:
        for event in (answered(call), ended(call)):
            apply_event(transaction, call, event, patience=builders.PATIENCE)
        (sending,) = take(transaction, [webhook], at=at, sends_max=8, limit=1)
        message, outbox = sending.delivery.message, transaction.webhooks.outbox
        outbox.keep_body(message, "{}")
        record(transaction, sending, Try(number=1, at=at, duration_ms=1, status=200), at=at)
        outbox.park_open(webhook, "Given up.")
        outbox.parked(webhook, since=at, limit=9)
        transaction.webhooks.update(webhook)
        transaction.webhooks.next_id()
        transaction.webhooks.remove(builders.webhook(id=32))

    def read(reader: Reader) -> None:
        reader.webhooks.outbox.due_webhooks(at, sends_max=8, limit=9)
        reader.webhooks.outbox.tries(webhook, [1])
        for state in (None, DeliveryState.PARKED):
            reader.webhooks.outbox.deliveries(webhook, state=state, before=None, limit=9)

    database.transact(write)
    database.read(read)


def use_contacts(transaction: Transaction) -> None:
    """
    Run each statement of the address book.
    """
    transaction.contacts.add(builders.contact(id=7))
    transaction.contacts.replace(builders.contact(id=7))
    transaction.contacts.person(builders.ACCOUNT_ID, builders.CONTACT_ID)
    transaction.contacts.contact(builders.ACCOUNT_ID, builders.CONTACT_ID)
    transaction.contacts.page(builders.ACCOUNT_ID, PageRange(limit=10))
    transaction.contacts.count(builders.ACCOUNT_ID, at_most=100)
    transaction.contacts.people(builders.ACCOUNT_ID, [builders.CONTACT_ID])
    transaction.contacts.delete(builders.ACCOUNT_ID, 7)


def plans_of(path: Path, statements: set[str]) -> dict[str, list[str]]:
    """
    Return the steps of each statement in a large database.
    """
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as planner:
        return {
            statement: [row[3] for row in planner.execute(f"explain query plan {statement}")]
            for statement in statements
        }


def scans_of(plans: dict[str, list[str]]) -> dict[str, str]:
    """
    Return the statements that read a whole table or sort their result, with the step that does.
    """
    return {
        statement: step
        for statement, steps in plans.items()
        for step in steps
        if (step.startswith("SCAN") and not SMALL.search(step)) or "TEMP B-TREE FOR ORDER" in step
    }


def open_large(folder: Path) -> Callable[[], Storage]:
    """
    Make an empty database that takes itself for a large one.
    """
    open_storage = open_sqlite(folder)
    with contextlib.closing(sqlite3.connect(folder / FILE_NAME, isolation_level=None)) as opened:
        for statement in STATISTICS:
            opened.execute(statement)
    return open_storage


@pytest.fixture
def statements(monkeypatch: pytest.MonkeyPatch) -> set[str]:
    """
    Each statement that any connection runs from now on, its values filled in.
    """
    seen: set[str] = set()
    original = sqlite3.connect

    def connect(*arguments: object, **options: object) -> sqlite3.Connection:
        opened: sqlite3.Connection = original(*arguments, **options)  # type: ignore[call-overload]
        opened.set_trace_callback(seen.add)
        return opened

    monkeypatch.setattr(sqlite3, "connect", connect)
    return seen


def test_no_statement_reads_a_whole_table(
    tmp_path: Path, path: Path, statements: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Using everything once scans no table, only the lists of look-ups; no result is sorted.
    """
    database = Database(open_large(tmp_path))
    use_everything(database)
    database.close()
    monkeypatch.undo()
    used = {text for text in statements if text.lower().startswith(("select", "insert", "update", "delete"))}
    ours = {text for text in used if "sqlite_" not in text}

    assert len(ours) > 40
    assert scans_of(plans_of(path, ours)) == {}


def test_open_calls_are_added_up_from_their_own_index(
    tmp_path: Path, path: Path, statements: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Calls that are over, which are nearly all, are not looked at.
    """
    database = Database(open_large(tmp_path))
    database.read(lambda reader: reader.calls.open())
    database.close()
    monkeypatch.undo()
    (added_up,) = (statement for statement in statements if "sum(hold_micros)" in statement)

    plan = plans_of(path, {added_up})[added_up]

    assert plan[0] == "SCAN calls USING INDEX calls_live"


def test_the_queue_is_read_from_its_own_index(
    tmp_path: Path, path: Path, statements: set[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    Looking for work reads the index of live calls, which the settled ones are not in.
    """
    database = Database(open_large(tmp_path))
    database.read(lambda reader: reader.calls.in_states(frozenset({State.QUEUED}), 5))
    database.close()
    monkeypatch.undo()
    (queue,) = (statement for statement in statements if "state not in" in statement)

    plan = plans_of(path, {queue})[queue]

    assert plan[0].startswith("SEARCH calls USING INDEX calls_live")
