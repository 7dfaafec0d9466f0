"""
Whatever is stored comes back equal: the largest numbers, the oddest texts.
"""

from collections.abc import Callable, Sequence
from datetime import datetime
from functools import partial

import attrs
import pytest
from hypothesis import given

from outdial.domain.model.agent import Agent
from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.contact import Contact, Person
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.facts import Facts
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.principal import Account, ApiKey
from outdial.domain.model.rate import Rate
from outdial.domain.model.refusal import Decided, Refusal
from outdial.domain.model.wallet import EntryKind
from outdial.ports.directory import DirectoryRecord
from outdial.ports.storage import Reader
from tests import builders
from tests.contract.storage import records
from tests.contract.storage.database import OPENERS, Database, fresh, furnish, post
from tests.listing import put


@pytest.fixture(scope="module", params=OPENERS)
def name(request: pytest.FixtureRequest) -> str:
    """
    Each adapter's name, kept for all examples of a property.
    """
    kind: str = request.param
    return kind


def _read_back(kind: str, record: DirectoryRecord, read: Callable[[Reader], object]) -> object:
    with fresh(kind) as database:
        if not isinstance(record, Account):
            database.transact(lambda transaction: transaction.directory.add(builders.account()))
        database.transact(lambda transaction: transaction.directory.add(record))
        return database.read(read)


@given(account=records.accounts)
def test_an_account_comes_back_equal(name: str, account: Account) -> None:
    """
    An account with any name, regions and price caps.
    """
    assert account == _read_back(name, account, lambda reader: reader.directory.account(account.id))


@given(key=records.api_keys)
def test_a_key_comes_back_equal(name: str, key: ApiKey) -> None:
    """
    A key with any permissions and times.
    """
    assert key == _read_back(name, key, lambda reader: reader.directory.key(key.id))


@given(agent=records.agents)
def test_an_agent_comes_back_equal(name: str, agent: Agent) -> None:
    """
    An agent with any texts, by its row and by its public id.
    """
    account_id = agent.account_id

    found = _read_back(
        name,
        agent,
        lambda reader: (
            reader.directory.agent(account_id, agent.id),
            reader.directory.agent(account_id, agent.assistant_id),
        ),
    )

    assert (agent, agent) == found


@given(contact=records.contacts(), changed=records.contacts())
def test_a_contact_comes_back_equal(name: str, contact: Contact, changed: Contact) -> None:
    """
    A contact with any fields and numbers, and later with any others.
    """
    other = attrs.evolve(changed, person=attrs.evolve(changed.person, id=contact.id))
    with fresh(name) as database:
        database.transact(lambda transaction: transaction.directory.add(builders.account()))
        database.transact(lambda transaction: transaction.contacts.add(contact))
        first = database.read(partial(_contact, contact_id=contact.id))
        database.transact(lambda transaction: transaction.contacts.replace(other))
        second = database.read(partial(_contact, contact_id=contact.id))

    assert (contact, contact.person) == first
    assert (other, other.person) == second


def _contact(reader: Reader, contact_id: int) -> tuple[Contact | None, Person | None]:
    contacts = reader.contacts
    return contacts.contact(builders.ACCOUNT_ID, contact_id), contacts.person(builders.ACCOUNT_ID, contact_id)


@given(entry=records.dnc_entries, rate=records.rates)
def test_the_rulebook_comes_back_equal(name: str, entry: DncEntry, rate: Rate) -> None:
    """
    A list entry with any reason, and a rate with any price.
    """
    number = builders.CALLEE if rate.prefix == "" else attrs.evolve(builders.CALLEE, e164=f"+{rate.prefix}")
    with fresh(name) as database:
        database.transact(furnish)
        database.transact(lambda transaction: put(transaction, entry))
        database.transact(lambda transaction: transaction.rulebook.set_rate(rate))

        found = database.read(
            lambda reader: (
                reader.dnc.entries_of(builders.ACCOUNT_ID, entry.phone_number),
                reader.rulebook.rates_for(rate.currency, number),
            )
        )

    assert found == ((entry,), (rate,))


@given(micros=records.micros, at=records.times)
def test_a_ledger_entry_comes_back_equal(name: str, micros: int, at: datetime) -> None:
    """
    An entry of any amount at any time, and the wallet that it makes.
    """
    entry = builders.entry(EntryKind.DEPOSIT, micros, at=at)
    with fresh(name) as database:
        database.transact(lambda transaction: transaction.directory.add(builders.account()))
        wallet = database.transact(post(entry))

        found = database.read(lambda reader: (reader.wallets.entries(1), reader.wallets.wallet(1)))

    assert found == ((entry,), wallet)
    assert wallet == builders.wallet(balance_micros=micros)


@given(call=records.calls, later=records.calls, at=records.times)
def test_a_call_comes_back_equal(name: str, call: Call, later: Call, at: datetime) -> None:
    """
    A call with any promise and script, and later with any progress.
    """
    progress = attrs.evolve(
        later,
        **{field: getattr(call, field) for field in PROMISE},
        version=call.version + 1,
    )
    with fresh(name) as database:
        database.transact(lambda transaction: furnish(transaction, deposit_micros=MICROS_MAX))
        _accept(database, call)
        first = _stored(database, call)
        database.transact(lambda transaction: transaction.calls.save(progress, at))
        second = _stored(database, call)
        log = database.read(lambda reader: reader.calls.records(call.id))

    assert (call, progress) == (first, second)
    assert [(call.state, call.disposition, call.created_at), (progress.state, progress.disposition, at)] == [
        (record.state, record.disposition, record.at) for record in log
    ]


PROMISE = (
    "id",
    "token",
    "account_id",
    "key_id",
    "agent_id",
    "assistant_id",
    "agent_name",
    "contact_id",
    "phone_number",
    "caller_id",
    "runtime",
    "sip_uri",
    "script",
    "rate",
    "hold_micros",
    "max_duration_s",
    "created_at",
    "expires_at",
)


def _accept(database: Database, call: Call) -> None:
    """
    Store any call, as if it had been decided.
    """
    hold = builders.entry(EntryKind.HOLD, call.hold_micros, call_id=call.id)

    def decide(_requests: Sequence[CallRequest], _snapshot: Sequence[Facts]) -> Sequence[Decided]:
        return [Decided(decision=Accepted(call=call, hold=hold, grounds=builders.grounds()))]

    database.accept(builders.request(), decide=decide)


def _stored(database: Database, call: Call) -> Call | None:
    """
    Read a call by its id, and make sure that it is found by its state too.
    """
    reference = CallReference(number=call.id, token=call.token)
    found = database.read(lambda reader: reader.calls.call(call.account_id, reference))
    assert [found] == [*database.read(lambda reader: reader.calls.in_states(frozenset(State), 2))]
    return found


@given(refusal=records.refusals)
def test_a_refusal_comes_back_equal(name: str, refusal: Refusal) -> None:
    """
    So does what it rested on.
    """

    def decide(_requests: Sequence[CallRequest], _snapshot: Sequence[Facts]) -> Sequence[Decided]:
        return [Decided(decision=Refused(reason=refusal.reason), refusal=refusal)]

    with fresh(name) as database:
        database.transact(furnish)
        database.accept(builders.request(), decide=decide)

        (found,) = database.read(
            lambda reader: reader.decisions.refusals(builders.ACCOUNT_ID, reason=refusal.reason, before=None, limit=2)
        )

    assert refusal == attrs.evolve(found, number=0)


@pytest.mark.parametrize("text", records.TEXTS, ids=range(len(records.TEXTS)))
def test_an_odd_text_is_found_by_itself_alone(kind: str, text: str) -> None:
    """
    Public ids are compared by their exact characters, in look-ups and in decisions.
    """
    with fresh(kind) as database:
        database.transact(furnish)
        agent = builders.agent(id=7, assistant_id=text)
        database.transact(lambda transaction: transaction.directory.add(agent))
        request = builders.request(content=builders.fields(agent_id=text))

        (decision,) = database.accept(request)

        assert isinstance(decision, Accepted)
        assert decision.call.agent_id == agent.id
        assert database.read(lambda reader: reader.directory.agent_of_any_account(text + " ")) is None


def test_variables_keep_their_order_and_kinds(kind: str) -> None:
    """
    Names come back in their order; numbers, booleans, nulls, lists and objects as what they were.
    """
    variables = {"z": 1, "a": 1.0, "m": True, "n": None, "list": [0, -0.0, 2**63 - 1], "map": {"b": "1", "a": {}}}
    with fresh(kind) as database:
        database.transact(furnish)
        database.accept(builders.request(content=builders.fields(variables=variables)))

        call = database.read(lambda reader: reader.calls.call_of_any_account(CallReference(number=1)))

    assert call is not None
    assert repr(variables) == repr(call.script.variables)
