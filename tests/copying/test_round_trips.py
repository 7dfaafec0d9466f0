"""
Whatever was stored is the same after a copy, in every table, whichever way it goes.
"""

import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdial.domain.model.agent import Agent
from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.contact import Contact, ContactNumber
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.facts import Facts
from outdial.domain.model.identifiers import EventId
from outdial.domain.model.lifecycle import State
from outdial.domain.model.rate import Rate
from outdial.domain.model.refusal import Decided, Refusal
from outdial.domain.model.wallet import EntryKind
from outdial.entrypoints.copying import Progress, fill
from outdial.ports.archive import TABLES
from outdial.ports.directory import DirectoryRecord
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage import records
from tests.contract.storage.database import Database, furnish
from tests.contract.storage.mail import later, subscribe, taken, tell
from tests.contract.storage.test_events import read_all
from tests.copying.databases import DIRECTIONS, KINDS, Content, Place, copied, place, steps
from tests.listing import list_callee, put
from tests.service.calls import in_state

NOT_COPIED = {"workers", "pace", "dialling", "outdial_migrations", "_sqlite_migrations"}
"""What belongs to the processes that dial now, and to the schema."""

OWN_COLUMNS = {("call_records", "transaction_id")}
"""What a database says of itself: everything that was copied was written in one transaction."""

NUMBERED = ("accounts", "api_keys", "agents", "contacts", "contact_numbers")

FURNISHED = {builders.KEY_ID, builders.AGENT_ID, builders.CONTACT_ID}


@attrs.frozen(kw_only=True)
class Drawn:
    """
    What a database holds besides the builders' records.
    """

    people: Sequence[DirectoryRecord]
    contact: Contact | None
    states: Sequence[State]
    call: Call | None
    refusals: Sequence[Refusal]


@st.composite
def contents(draw: st.DrawFn) -> Drawn:
    """
    Draw people with rows and names of their own, calls in any states, and perhaps one call of any content.
    """
    people: list[DirectoryRecord] = [
        *{key.id: key for key in draw(st.lists(records.api_keys, max_size=2))}.values(),
        *draw(st.lists(records.agents, max_size=1)),
    ]
    states = draw(st.lists(st.sampled_from(State), max_size=4))
    call = draw(st.none() | records.calls)
    contact = draw(st.none() | records.contacts())
    return Drawn(
        contact=None if contact is None or contact.id in FURNISHED else contact,
        people=[record for record in people if record.id not in FURNISHED],
        states=sorted(states, key=State.QUEUED.__eq__),
        call=None if call is None else attrs.evolve(call, id=max(call.id, len(states) + 1), hold_micros=0),
        refusals=draw(st.lists(records.refusals, max_size=3)),
    )


def _add(record: DirectoryRecord, transaction: Transaction) -> None:
    transaction.directory.add(record)


def _add_numbered(record: DirectoryRecord, transaction: Transaction) -> None:
    number = transaction.directory.next_id(type(record))
    fresh = attrs.evolve(record, id=number)
    transaction.directory.add(attrs.evolve(fresh, assistant_id="other") if isinstance(fresh, Agent) else fresh)


def _add_contact(transaction: Transaction) -> None:
    person = builders.person(id=transaction.directory.next_id(Contact))
    (number,) = builders.contact().phone_numbers
    numbered = attrs.evolve(number, id=transaction.directory.next_id(ContactNumber))
    transaction.contacts.add(Contact(person=person, phone_numbers=(numbered,)))


def _store(database: Database, drawn: Drawn) -> None:
    database.transact(furnish)
    for record in drawn.people:
        database.transact(partial(_add, record))
    if drawn.contact is not None:
        contact = drawn.contact
        database.transact(lambda transaction: transaction.contacts.add(contact))
    webhook = subscribe(database)
    for state in drawn.states:
        in_state(database, state)
    for sending in taken(database, webhook, at=later(200), sends_max=2):
        tell(database, sending, status=500, at=later(201))
    for refusal in drawn.refusals:
        _store_refusal(database, refusal)
    for number in range(1, len(drawn.states) + 1):
        database.transact(partial(_add_incident, call_id=number))
    if drawn.call is not None:
        call = drawn.call
        hold = builders.entry(EntryKind.HOLD, 0, call_id=call.id)

        def decide(_requests: Sequence[CallRequest], _snapshot: Sequence[Facts]) -> Sequence[Decided]:
            return [Decided(decision=Accepted(call=call, hold=hold, grounds=builders.grounds()))]

        database.accept(builders.request(), decide=decide)


def _add_incident(transaction: Transaction, call_id: int) -> None:
    transaction.incidents.add(builders.incident(call_id=call_id))


def _store_refusal(database: Database, refusal: Refusal) -> None:
    def decide(_requests: Sequence[CallRequest], _snapshot: Sequence[Facts]) -> Sequence[Decided]:
        return [Decided(decision=Refused(reason=refusal.reason), refusal=refusal)]

    database.accept(builders.request(), decide=decide)


def _filled(source: Place, target: Place) -> None:
    with target.archive.filling() as filling:
        fill(source.archive, filling, lambda _progress: None)


@settings(max_examples=25)
@given(drawn=contents(), entry=records.dnc_entries, rate=records.rates)
def test_there_and_back_every_row_is_the_same(drawn: Drawn, entry: DncEntry, rate: Rate) -> None:
    """
    From SQLite to PostgreSQL and back: the oddest texts, the largest numbers, calls in every state with their ledger.
    """

    def list_and_price(transaction: Transaction) -> None:
        put(transaction, entry)
        list_callee(transaction, None)
        transaction.rulebook.set_rate(rate)

    with tempfile.TemporaryDirectory(prefix="outdial-copying-") as folder:
        first, second = place("sqlite", Path(folder), "1.db"), place("postgres", Path(folder))
        third = place("sqlite", Path(folder), "3.db")
        with first.opened() as database:
            _store(database, drawn)
            database.transact(list_and_price)

        _filled(first, second)
        _filled(second, third)

        assert first.content() == second.content() == third.content()


@pytest.mark.parametrize(("origin", "destination"), DIRECTIONS)
def test_every_direction_works(tmp_path: Path, origin: str, destination: str) -> None:
    """
    A copy and a copy of the copy hold the same; the second finds no call that is not over.
    """
    first, second, third = (
        place(origin, tmp_path, "1.db"),
        place(destination, tmp_path, "2.db"),
        place(origin, tmp_path),
    )
    with first.opened() as database:
        database.transact(furnish)
        for state in (State.SETTLED, State.BLOCKED, State.QUEUED):
            in_state(database, state)

    counts = [copied(*pair).quarantined for pair in ((first, second), (second, third))]

    assert [1, 0] == counts
    assert second.content() == third.content()
    assert first.content() == _without_quarantine(second.content(), first.content())


def _without_quarantine(after: Content, before: Content) -> Content:
    """
    Return a copy's content with what became of the calls that were not over taken back.
    """
    opened = {row[0] for row, ended in zip(before["calls"], after["calls"], strict=True) if row != ended}
    kept = {name: [row for row in rows if row in before[name]] for name, rows in after.items()}
    kept["calls"] = [*kept["calls"], *(row for row in before["calls"] if row[0] in opened)]
    kept["wallets"] = before["wallets"]
    return kept


def test_the_source_is_only_read(source: Place, target: Place) -> None:
    """
    Its file is the same, byte by byte, before and after.
    """
    path = source.path
    assert path is not None
    before, rows = path.read_bytes(), source.content()

    copied(source, target)

    assert before == path.read_bytes()
    assert rows == source.content()


def test_steps_are_reported_in_order(source: Place, target: Place) -> None:
    """
    Copying, checking, ending open calls; each step ends with all that it has to do.
    """
    reports: list[Progress] = []

    copied(source, target, reports.append)

    assert ["copying", "checking", "ending open calls"] == steps(reports)
    last = {report.step: (report.done, report.total) for report in reports}
    assert all(done == total for done, total in last.values())


@pytest.mark.parametrize("kind", KINDS)
def test_no_table_and_no_column_is_forgotten(tmp_path: Path, kind: str) -> None:
    """
    A new table or column has to be copied as well: it is added to the port's list, or to those that are not copied.
    """
    made = place(kind, tmp_path)
    if kind == "sqlite":
        text = (
            "select m.name, c.name from sqlite_master m join pragma_table_info(m.name) c"
            " where m.type = 'table' and m.name not like 'sqlite_%' order by c.cid"
        )
    else:
        text = (
            "select table_name, column_name from information_schema.columns join information_schema.tables"
            " using (table_schema, table_name) where table_schema = 'public' and table_type = 'BASE TABLE'"
            " order by ordinal_position"
        )
    found: dict[str, tuple[str, ...]] = {}
    for table, column in made.run(text):
        if (table, column) not in OWN_COLUMNS:
            found[table] = (*found.get(table, ()), column)

    assert {table.name: table.columns for table in TABLES} == {
        table: columns for table, columns in found.items() if table not in NOT_COPIED
    }


def test_further_rows_are_numbered_on(source: Place, target: Place) -> None:
    """
    A new account, key, agent, contact, call, record and ledger entry get numbers that the source never gave.
    """
    before = source.content()
    copied(source, target)
    highest = {name: max(row[0] for row in rows) for name, rows in before.items() if rows and name != "row_numbers"}

    with target.opened() as database:
        for record in (builders.account(), builders.api_key(), builders.agent()):
            database.transact(partial(_add_numbered, record))
        database.transact(_add_contact)
        call = in_state(database, State.SETTLED)

    after = target.content()
    assert call.id == highest["calls"] + 1
    assert {name: highest[name] + 1 for name in NUMBERED} == {
        name: max(row[0] for row in after[name]) for name in NUMBERED
    }
    assert set(before["call_records"]) <= set(after["call_records"])
    assert set(before["ledger"]) <= set(after["ledger"])


def test_the_log_goes_on_after_events_from_before_the_copy(source: Place, target: Place) -> None:
    """
    Who got an event from the source reads on behind it in the target.
    """
    with source.opened() as database:
        call = in_state(database, State.SETTLED)
    copied(source, target)

    with target.opened() as database:
        log = database.read(lambda reader: reader.calls.records(call.id))
        event = EventId(call=call.id, number=log[2].number)
        position = database.read(lambda reader: reader.events.position(call.account_id, event))
        assert position is not None
        following = read_all(database, position)

    assert list(log[3:]) == [record for record in following if record.call_id == call.id]
    assert log[2] not in following
