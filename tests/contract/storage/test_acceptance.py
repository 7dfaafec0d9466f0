"""
Deciding batches: one snapshot, one pure decision, one record of what it says.
"""

from collections.abc import Sequence

import attrs
import pytest

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.facts import Facts
from outdial.domain.model.lifecycle import State
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Operator, PresentedKey
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Decided
from outdial.domain.model.wallet import EntryKind, OverdrawnError
from outdial.domain.rules.ladder import decide_all
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import (
    Database,
    accepted_of,
    everything,
    first_call,
    furnish,
    furnish_other,
)
from tests.listing import delist_callee, list_callee

ONE_MINUTE = Policy(max_call_duration_s=60)


class Listener:
    """
    Decides as the domain does, and keeps what it was asked.
    """

    def __init__(self) -> None:
        self.asked: list[tuple[Sequence[CallRequest], Sequence[Facts]]] = []

    def __call__(self, requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> Sequence[Decided]:
        """
        Decide.
        """
        self.asked.append((requests, snapshot))
        return decide_all(requests, snapshot)


def _snapshot(database: Database, *batch: CallRequest) -> Sequence[Facts]:
    listener = Listener()
    database.accept(*batch, decide=listener)
    ((_requests, snapshot),) = listener.asked
    return snapshot


def test_an_accepted_call_is_recorded_with_its_hold(database: Database) -> None:
    """
    The call, the ledger's hold, the wallet and the first record are there afterwards.
    """
    (decision,) = database.accept(builders.request())

    assert isinstance(decision, Accepted)
    assert (
        decision.call,
        (builders.entry(EntryKind.DEPOSIT, 25_000_000, at=builders.CREATED_AT), decision.hold),
        builders.wallet(held_micros=decision.hold.micros),
        [State.QUEUED],
    ) == database.read(
        lambda reader: (
            reader.calls.call(builders.ACCOUNT_ID, first_call()),
            reader.wallets.entries(builders.ACCOUNT_ID),
            reader.wallets.wallet(builders.ACCOUNT_ID),
            [record.state for record in reader.calls.records(1)],
        )
    )


def test_the_decision_is_asked_once_with_facts_in_order(database: Database) -> None:
    """
    A batch is decided by one call, each request beside its own facts, with consecutive rows for their calls.
    """
    batch = tuple(
        builders.request(token=builders.token(number), content=builders.fields(agent_id=agent_id))
        for number, agent_id in enumerate((builders.AGENT_ID, "assistant_abc123", 999))
    )
    listener = Listener()

    decisions = database.accept(*batch, decide=listener)

    ((requests, snapshot),) = listener.asked
    assert batch == tuple(requests)
    assert [(1, builders.agent()), (2, builders.agent()), (3, None)] == [
        (facts.call_number, facts.agent) for facts in snapshot
    ]
    assert [True, True, False] == [isinstance(decision, Accepted) for decision in decisions]


def test_the_facts_hold_everything_a_rule_may_see(database: Database) -> None:
    """
    Key, account, wallet, number, agent, contact, list entry and fitting rates are all read.
    """

    def work(transaction: Transaction) -> None:
        list_callee(transaction)
        for rate in (builders.rate(), builders.rate(prefix="49"), builders.rate(currency="EUR")):
            transaction.rulebook.set_rate(rate)

    database.transact(work)
    content = builders.fields(phone_number="+1 (555) 123-4567", contact_id=builders.CONTACT_ID)

    (facts,) = _snapshot(database, builders.request(content=content))

    assert facts == builders.facts(
        call_number=1, contact=builders.person(), dnc_entry=builders.dnc_entry(), rates=(builders.rate(),)
    )


@pytest.mark.parametrize(
    "text",
    [None, "", "nonsense", builders.key_text(secret=builders.secret(1)), builders.key_text(key_id=99)],
    ids=["none", "empty", "nonsense", "wrong secret", "unknown"],
)
def test_an_unproved_credential_learns_of_no_account(database: Database, text: str | None) -> None:
    """
    Whoever can't prove a key gets facts without an account, wallet, agent or number.
    """
    credential = PresentedKey(text=text)

    (facts,) = _snapshot(database, builders.request(credential=credential))

    assert (None,) * 5 == (facts.account, facts.wallet, facts.agent, facts.contact, facts.callee)


def test_the_operator_asks_for_an_account_without_a_key(database: Database) -> None:
    """
    An operator's request is decided on the account it names; a missing one has no facts.
    """
    known, missing = (builders.request(credential=Operator(account_id=number)) for number in (1, 9))

    decisions = database.accept(known, missing)

    assert [builders.ACCOUNT_ID] == [accepted.call.account_id for accepted in accepted_of(decisions)]
    assert decisions[1] == Refused(reason=Reason.INVALID_KEY)


def test_another_accounts_agent_contact_and_list_look_absent(database: Database) -> None:
    """
    Facts are read in the request's own account alone.
    """
    database.transact(furnish_other)
    batch = [
        builders.request(content=builders.fields(agent_id=agent_id, contact_id=2222))
        for agent_id in (222, "assistant_other")
    ]

    snapshot = _snapshot(database, *batch)

    assert [(None, None, None)] * 2 == [(facts.agent, facts.contact, facts.dnc_entry) for facts in snapshot]


def test_two_accounts_in_one_batch_pay_for_themselves(database: Database) -> None:
    """
    Each call is held in its own account's wallet.
    """
    database.transact(furnish_other)
    database.transact(
        lambda transaction: transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, 100_000, account_id=2))
    )
    database.transact(lambda transaction: delist_callee(transaction, 2))
    other = builders.request(
        credential=PresentedKey(text=builders.key_text(key_id=22)), content=builders.fields(agent_id=222)
    )

    decisions = database.accept(builders.request(), other, builders.request(), policy=ONE_MINUTE)

    assert [1, 2, 1] == [accepted.hold.account_id for accepted in accepted_of(decisions)]
    assert [100_000, 50_000] == database.read(
        lambda reader: [wallet.held_micros for number in (1, 2) if (wallet := reader.wallets.wallet(number))]
    )


def test_a_refused_batch_touches_no_call_and_no_money(database: Database) -> None:
    """
    Refusals leave nothing but their own records.
    """
    before = database.read(everything)
    refused = builders.request(content=builders.fields(agent_id=999))

    decisions = database.accept(refused, refused)

    assert [Refused(reason=Reason.AGENT_NOT_FOUND)] * 2 == list(decisions)
    assert before == database.read(everything)


@pytest.mark.parametrize("kind", ["memory", "sqlite"])
def test_refusals_use_up_no_row_on_one_machine(database: Database) -> None:
    """
    Where one process at a time accepts, calls are counted; over many machines, rows that were not used are left out.
    """
    refused = builders.request(content=builders.fields(agent_id=999))

    decisions = [*database.accept(refused, refused), *database.accept(builders.request())]

    assert [1] == [accepted.call.id for accepted in accepted_of(decisions)]


def test_what_can_be_in_no_row_is_simply_absent(database: Database) -> None:
    """
    Agents and contacts whose ids no database can hold are refused like any unknown one, and disturb no neighbour.
    """
    contents = [
        builders.fields(agent_id=2**63),
        builders.fields(agent_id=-1),
        builders.fields(agent_id="\ud800"),
        builders.fields(agent_id="\x00"),
        builders.fields(agent_id="' or 1=1 --"),
        builders.fields(contact_id=2**64),
    ]

    decisions = database.accept(*[builders.request(content=content) for content in contents], builders.request())

    assert [Reason.AGENT_NOT_FOUND] * 5 + [Reason.CONTACT_NOT_FOUND] == [
        decision.reason for decision in decisions if isinstance(decision, Refused)
    ]
    assert len(accepted_of(decisions)) == 1


def test_an_empty_batch_has_no_decisions(database: Database) -> None:
    """
    Nothing asked, nothing answered.
    """
    assert list(database.accept()) == []


def test_rows_follow_each_other_over_batches(database: Database) -> None:
    """
    A later batch gets higher rows than an earlier one.
    """
    numbers = [
        accepted.call.id
        for _ in range(3)
        for accepted in accepted_of(database.accept(builders.request(), builders.request(), policy=ONE_MINUTE))
    ]

    assert numbers == [1, 2, 3, 4, 5, 6]


def test_a_decision_that_raises_undoes_the_batch(database: Database) -> None:
    """
    What the decision raises reaches the caller, and nothing was stored.
    """
    before = database.read(everything)

    def decide(_requests: Sequence[CallRequest], _snapshot: Sequence[Facts]) -> Sequence[Decided]:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        database.accept(builders.request(), decide=decide)

    assert before == database.read(everything)


def test_a_row_given_twice_is_a_conflict_and_stores_nothing(database: Database) -> None:
    """
    Two calls can't have one row, whatever a decision says.
    """
    before = database.read(everything)

    def decide(requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> Sequence[Decided]:
        return decide_all(requests, [attrs.evolve(facts, call_number=5) for facts in snapshot])

    with pytest.raises(StorageConflictError):
        database.accept(builders.request(), builders.request(), policy=ONE_MINUTE, decide=decide)

    assert before == database.read(everything)


def test_a_hold_that_nothing_covers_stores_nothing(empty: Database) -> None:
    """
    A decision that accepts more than the wallet covers is undone as a whole.
    """
    empty.transact(lambda transaction: furnish(transaction, deposit_micros=60_000))
    before = empty.read(everything)

    def decide(requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> Sequence[Decided]:
        return [decide_all([request], [facts])[0] for request, facts in zip(requests, snapshot, strict=True)]

    with pytest.raises(OverdrawnError):
        empty.accept(builders.request(), builders.request(), policy=ONE_MINUTE, decide=decide)

    assert before == empty.read(everything)


def test_a_hold_for_a_missing_account_is_a_conflict(database: Database) -> None:
    """
    A decision that names an account that is not there stores nothing.
    """
    before = database.read(everything)

    def decide(requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> Sequence[Decided]:
        (accepted,) = accepted_of([one.decision for one in decide_all(requests, snapshot)])
        call, hold = attrs.evolve(accepted.call, account_id=9), attrs.evolve(accepted.hold, account_id=9)
        return [Decided(decision=attrs.evolve(accepted, call=call, hold=hold))]

    with pytest.raises(StorageConflictError):
        database.accept(builders.request(), decide=decide)

    assert before == database.read(everything)
