"""
Lists of an account's calls: every filter, every page.
"""

from collections.abc import Iterator
from itertools import pairwise, product

import attrs
import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.lifecycle import State, Trigger
from outdial.domain.model.listing import CallFilter, PageRange
from outdial.domain.model.principal import Operator
from outdial.domain.model.wallet import EntryKind
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of, furnish_other, post

AGENTS = (builders.AGENT_ID, 124)
CONTACTS = (None, builders.CONTACT_ID)
ROUNDS = 3
EVERYTHING = PageRange(limit=100)

WAYS: dict[Status, tuple[Trigger, ...]] = {
    Status.QUEUED: (),
    Status.DIALING: (Trigger.LEASE, Trigger.SEND),
    Status.RINGING: (Trigger.LEASE, Trigger.SEND, Trigger.RING),
    Status.FAILED: (Trigger.CANCEL,),
}
"""What brings a call to some of the statuses."""


@pytest.fixture
def calls(database: Database) -> list[Call]:
    """
    Calls of two agents, with and without a contact, in four statuses, three times each; and one of another account.
    """
    database.transact(furnish_other)
    database.transact(
        lambda transaction: transaction.directory.add(builders.agent(id=124, assistant_id="assistant_second"))
    )
    for account_id in (builders.ACCOUNT_ID, 2):
        database.transact(post(builders.entry(EntryKind.DEPOSIT, 100_000_000, account_id=account_id)))
    wanted = list(product(range(ROUNDS), AGENTS, CONTACTS, WAYS))
    requests = [
        builders.request(
            token=builders.token(number), content=builders.fields(agent_id=agent_id, contact_id=contact_id)
        )
        for number, (_, agent_id, contact_id, _) in enumerate(wanted)
    ]
    stranger = builders.request(
        credential=Operator(account_id=2),
        token=builders.token(99),
        content=builders.fields(agent_id=222, phone_number="+15551230000"),
    )
    *accepted, _ = [one.call for one in accepted_of(database.accept(*requests, stranger))]

    def progress(transaction: Transaction) -> list[Call]:
        brought = []
        for call, (_, _, _, status) in zip(accepted, wanted, strict=True):
            *_, last = _stages(transaction, call, WAYS[status])
            brought.append(last)
        return brought

    return database.transact(progress)


def _stages(transaction: Transaction, call: Call, way: tuple[Trigger, ...]) -> Iterator[Call]:
    yield call
    for trigger in way:
        following = call.after(trigger)
        assert following is not None
        transaction.calls.save(following, builders.NOW)
        call = following
        yield call


def _page(database: Database, wanted: CallFilter, page: PageRange = EVERYTHING) -> list[int]:
    found = database.read(lambda reader: reader.history.page(builders.ACCOUNT_ID, wanted, page))
    return [call.id for call in found]


def _count(database: Database, wanted: CallFilter, at_most: int = 1000) -> int:
    return database.read(lambda reader: reader.history.count(builders.ACCOUNT_ID, wanted, at_most=at_most))


def _fitting(calls: list[Call], wanted: CallFilter) -> list[int]:
    return [
        call.id
        for call in reversed(calls)
        if wanted.agent_id in (None, call.agent_id)
        and wanted.contact_id in (None, call.contact_id)
        and wanted.status in (None, call.status)
    ]


def test_every_filter_finds_what_fits_newest_first(database: Database, calls: list[Call]) -> None:
    """
    Agent, contact and status go together in any way; other accounts' calls are never among what is found.
    """
    agents, contacts = (None, *AGENTS, 222, ID_MAX), (None, builders.CONTACT_ID, 2222)

    for agent_id, contact_id, status in product(agents, contacts, (None, *Status)):
        wanted = CallFilter(agent_id=agent_id, contact_id=contact_id, status=status)

        expected = _fitting(calls, wanted)
        assert expected == _page(database, wanted)
        assert len(expected) == _count(database, wanted)


@pytest.mark.parametrize(
    "wanted",
    [
        CallFilter(),
        CallFilter(agent_id=124),
        CallFilter(contact_id=builders.CONTACT_ID),
        CallFilter(status=Status.QUEUED),
    ],
)
def test_pages_are_consecutive(database: Database, calls: list[Call], wanted: CallFilter) -> None:
    """
    By number or by what stands before them, pages of any length give everything once, in order.
    """
    everything = _fitting(calls, wanted)

    for limit in (1, 2, 5, 7, 100):
        by_number = [
            number
            for skip in range(0, len(everything) + limit, limit)
            for number in _page(database, wanted, PageRange(limit=limit, skip=skip))
        ]
        by_place, before = [], None
        while found := _page(database, wanted, PageRange(limit=limit, before=before)):
            by_place += found
            before = found[-1]

        assert everything == by_number == by_place


def test_a_place_keeps_when_calls_come_and_change(database: Database, calls: list[Call]) -> None:
    """
    What comes after the first page was read moves no other page.
    """
    first = _page(database, CallFilter(), PageRange(limit=10))
    database.accept(builders.request(token=builders.token(98)))

    second = _page(database, CallFilter(), PageRange(limit=10, before=first[-1]))

    expected = [call.id for call in reversed(calls)]
    assert (expected[:10], expected[10:20]) == (first, second)


def test_counting_stops_in_time(database: Database, calls: list[Call]) -> None:
    """
    Whoever needs to know of ten calls waits for ten.
    """
    assert [0, 10, len(calls)] == [_count(database, CallFilter(), at_most) for at_most in (0, 10, len(calls))]


def test_a_call_is_listed_by_the_status_that_it_has_now(database: Database) -> None:
    """
    A call moves from list to list with its status, and stands in one at a time.
    """
    (accepted,) = accepted_of(database.accept(builders.request()))
    call = accepted.call
    way = (Trigger.LEASE, Trigger.SEND, Trigger.PLACE, Trigger.RING, Trigger.ANSWER, Trigger.END, Trigger.SETTLE)

    seen = [_listed(database)]
    for trigger in way:
        following = call.after(trigger)
        assert following is not None
        call = attrs.evolve(following, answered_at=builders.NOW) if trigger is Trigger.ANSWER else following
        _save(database, call)
        seen.append(_listed(database))

    assert State.SETTLED is call.state
    assert [["queued"], ["dialing"], ["ringing"], ["in-progress"], ["completed"]] == [
        one for one, other in pairwise([*seen, []]) if one != other
    ]


def _listed(database: Database) -> list[str]:
    return [status.value for status in Status if _page(database, CallFilter(status=status))]


def _save(database: Database, call: Call) -> None:
    database.transact(lambda transaction: transaction.calls.save(call, builders.NOW))
