"""
The log of what happened to calls, read page by page.
"""

import attrs
import pytest

from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.identifiers import ID_MAX, EventId, Position
from outdial.domain.model.lifecycle import State, Trigger
from outdial.domain.model.principal import Operator
from outdial.domain.model.wallet import EntryKind
from outdial.ports.events import LogPage
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of, furnish_other
from tests.service.calls import accept, after

OTHER = 2
BEGINNING = Position()


def save(database: Database, call: Call, trigger: Trigger, seconds: float = 1) -> Call:
    """
    Bring a call into its next state, in a transaction of its own.
    """
    changed = call.after(trigger)
    assert changed is not None
    database.transact(lambda transaction: transaction.calls.save(changed, after(seconds)))
    return changed


def read_all(
    database: Database, begin: Position = BEGINNING, *, account_id: int = builders.ACCOUNT_ID, limit: int = 100
) -> list[CallRecord]:
    """
    Read on from a position to the end.
    """
    page = LogPage(entries=(), until=begin, is_end=False)
    found: list[CallRecord] = []
    while not page.is_end:
        page = _page(database, page.until, account_id=account_id, limit=limit)
        found += [entry.record for entry in page.entries]
    return found


def _page(database: Database, begin: Position, *, account_id: int = builders.ACCOUNT_ID, limit: int = 100) -> LogPage:
    return database.read(lambda reader: reader.events.page(account_id, begin, limit=limit))


def _newest(database: Database) -> Position:
    return database.read(lambda reader: reader.events.newest())


def records_of(database: Database, *calls: Call) -> list[CallRecord]:
    """
    Return the logs of calls, one after the other.
    """
    return database.read(lambda reader: [record for call in calls for record in reader.calls.records(call.id)])


def _rich_other(transaction: Transaction) -> None:
    furnish_other(transaction)
    transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 25_000_000, account_id=OTHER))


def _accept_others(database: Database) -> Call:
    content = builders.fields(agent_id=222, phone_number=builders.CALLER_ID.e164)
    request = builders.request(credential=Operator(account_id=OTHER), content=content)
    (accepted,) = accepted_of(database.accept(request))
    return accepted.call


def test_an_empty_log_ends_where_it_begins(database: Database) -> None:
    """
    There is nothing to read, and the end of it is a place to go on from.
    """
    page = _page(database, _newest(database))

    assert ((), True) == (page.entries, page.is_end)
    assert _newest(database) == page.until

    call = accept(database)
    assert records_of(database, call) == read_all(database, page.until)


def test_everything_is_read_once_in_the_order_of_what_happened(database: Database) -> None:
    """
    Whatever the size of the pages.
    """
    first, second = accept(database), accept(database)
    leased = save(database, second, Trigger.LEASE)
    save(database, first, Trigger.CANCEL)
    save(database, leased, Trigger.SEND)
    expected = sorted(records_of(database, first, second), key=lambda record: record.number)

    assert 5 == len(expected)
    assert expected == read_all(database)
    assert expected == read_all(database, limit=1)
    assert expected == read_all(database, limit=5)


def test_each_record_comes_with_its_call_as_it_is_now(database: Database) -> None:
    """
    The call is whole, its script included.
    """
    call = save(database, accept(database), Trigger.LEASE)

    page = _page(database, BEGINNING)

    assert [call, call] == [entry.call for entry in page.entries]


def test_reading_on_finds_what_was_written_meanwhile(database: Database) -> None:
    """
    The end of one page is the beginning of the next.
    """
    call = accept(database)
    until = _page(database, BEGINNING).until
    assert _newest(database) == until

    save(database, call, Trigger.LEASE)

    assert records_of(database, call)[1:] == read_all(database, until)
    assert _newest(database) > until


def test_an_account_reads_its_own(database: Database) -> None:
    """
    What happened to another's calls is passed over.
    """
    database.transact(_rich_other)
    mine, others = accept(database), _accept_others(database)
    save(database, others, Trigger.LEASE)
    save(database, mine, Trigger.LEASE)

    assert records_of(database, mine) == read_all(database)
    assert records_of(database, others) == read_all(database, account_id=OTHER)
    assert [] == read_all(database, account_id=3)


def test_many_records_of_others_take_several_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A page may be empty before the end, and what comes after the others' is found.
    """
    for module in ("sqlite", "postgres"):
        monkeypatch.setattr(f"outdial.adapters.{module}.events.RECORDS_PASSED_MAX", 2)
    database.transact(_rich_other)
    for _ in range(3):
        save(database, _accept_others(database), Trigger.LEASE)
    mine = accept(database)

    assert records_of(database, mine) == read_all(database)


def test_an_event_is_found_again_by_its_name(database: Database) -> None:
    """
    What follows it is read on from there.
    """
    call = accept(database)
    save(database, call, Trigger.LEASE)
    first, second = records_of(database, call)
    event = EventId(call=call.id, number=first.number)

    position = database.read(lambda reader: reader.events.position(call.account_id, event))

    assert position is not None
    assert [second] == read_all(database, position)


def test_what_is_no_event_of_the_account_has_no_place(database: Database) -> None:
    """
    Another account's, another call's, one that never was, and numbers that no row can have.
    """
    database.transact(_rich_other)
    call, others = accept(database), _accept_others(database)
    (record,), (others_record,) = records_of(database, call), records_of(database, others)
    wrong = (
        EventId(call=others.id, number=others_record.number),
        EventId(call=call.id, number=others_record.number),
        EventId(call=others.id, number=record.number),
        EventId(call=call.id, number=record.number + 9),
        EventId(call=ID_MAX, number=ID_MAX),
        EventId(call=call.id, number=ID_MAX + 1),
    )

    found = database.read(lambda reader: [reader.events.position(call.account_id, event) for event in wrong])

    assert [None] * 6 == found


def test_a_place_that_was_told_is_known(database: Database) -> None:
    """
    The beginning, and the end at any time; no place behind the end, and none of another database.
    """
    told = [Position(), _newest(database)]
    for _ in range(2):
        accept(database)
        told.append(_newest(database))
    last = told[-1]
    untold = [Position(last.transaction, last.number + 1), Position(last.transaction + 1, last.number), Position(0, 99)]

    found = database.read(lambda reader: [reader.events.position(1, place) for place in (*told, *untold)])

    assert [*told, None, None, None] == found


def test_records_of_one_transaction_come_in_their_order(database: Database) -> None:
    """
    A batch of acceptances and a transaction of several steps.
    """
    decisions = database.accept(*(builders.request(token=builders.token(number)) for number in range(3)))
    first, *others = [accepted.call for accepted in accepted_of(decisions)]

    def work(transaction: Transaction) -> None:
        leased = attrs.evolve(first, state=State.LEASED, version=1)
        for call in (first.after(Trigger.LEASE), leased.after(Trigger.SEND)):
            assert call is not None
            transaction.calls.save(call, after(1))

    database.transact(work)

    expected = sorted(records_of(database, first, *others), key=lambda record: record.number)
    assert 5 == len(expected)
    assert expected == read_all(database)
