"""
Deciding a batch equals deciding its requests one by one, on every adapter.
"""

from collections.abc import Sequence
from typing import Any

import attrs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Accepted, Decision, Refused
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Credential, Operator, Permission, PresentedKey
from outdial.domain.model.reason import Reason
from outdial.domain.model.wallet import EntryKind
from outdial.ports.storage import Reader, Transaction
from tests import builders
from tests.contract.storage.database import EVERY_STATE, OPENERS, Database, fresh, furnish, furnish_other
from tests.listing import list_callee

LISTED = "+15551230000"

credentials: st.SearchStrategy[Credential] = st.one_of(
    st.just(PresentedKey(text=builders.key_text())),
    st.just(PresentedKey(text=builders.key_text(key_id=22))),
    st.sampled_from((Operator(account_id=1), Operator(account_id=2))),
    st.sampled_from(
        (
            PresentedKey(text=None),
            PresentedKey(text=builders.key_text(secret=builders.secret(1))),
            PresentedKey(text=builders.key_text(key_id=33)),
            PresentedKey(text=builders.key_text(key_id=44)),
            Operator(account_id=9),
        )
    ),
)
agent_ids: st.SearchStrategy[AgentReference] = st.one_of(
    st.sampled_from((builders.AGENT_ID, "assistant_abc123")),
    st.sampled_from((222, "assistant_other", 999, "assistant_none", -1)),
)
contents = st.one_of(
    st.builds(
        builders.fields,
        phone_number=st.sampled_from((builders.CALLEE.e164, "+1 555 123 4568", "+442079460018")),
        agent_id=agent_ids,
        contact_id=st.sampled_from((None, None, builders.CONTACT_ID, 2222, 999)),
        variables=st.sampled_from(({}, {"customer_name": "Zoë"})),
    ),
    st.builds(builders.fields, phone_number=st.sampled_from((LISTED, "911", "nonsense"))),
    st.just(Refused(reason=Reason.INVALID_JSON)),
)
batches = st.lists(st.tuples(credentials, contents), min_size=1, max_size=8).map(
    lambda pairs: [
        builders.request(credential=credential, content=content, token=builders.token(number))
        for number, (credential, content) in enumerate(pairs)
    ]
)


@st.composite
def settings_of_accounts(draw: st.DrawFn) -> dict[str, Any]:
    """
    Draw how much money the two accounts have and what calls cost.
    """
    return {
        "deposits": draw(st.tuples(*[st.sampled_from((0, 60_000, 170_000, 10_000_000))] * 2)),
        "prices": draw(st.dictionaries(st.sampled_from(("", "1", "1555", "44")), st.integers(0, 90_000))),
    }


def _furnish(database: Database, deposits: Sequence[int], prices: dict[str, int]) -> None:
    def work(transaction: Transaction) -> None:
        furnish(transaction, deposit_micros=deposits[0])
        furnish_other(transaction)
        transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, deposits[1], account_id=2))
        transaction.directory.add(builders.api_key(id=33, revoked_at=builders.CREATED_AT))
        transaction.directory.add(builders.api_key(id=44, permissions=frozenset({Permission.READ_CALLS})))
        list_callee(transaction, number=PhoneNumber(LISTED))
        for prefix, micros in prices.items():
            transaction.rulebook.set_rate(builders.rate(prefix=prefix, per_minute_micros=micros))

    database.transact(work)


def _outcome(
    kind: str, parts: Sequence[Sequence[CallRequest]], chosen: dict[str, Any]
) -> tuple[list[Decision], list[object]]:
    """
    Decide requests in parts on a fresh database; rows are counted anew, since refusals inside a batch leave gaps.
    """
    with fresh(kind) as database:
        _furnish(database, **chosen)
        decisions = [
            decision for part in parts for decision in database.accept(*part, policy=Policy(max_call_duration_s=120))
        ]
        rows, state = database.read(_state)
    return [_renumbered(decision, rows) for decision in decisions], state


def _state(reader: Reader) -> tuple[dict[int, int], list[object]]:
    """
    Return the calls' rows, counted anew, and all that was stored, by these.
    """
    calls = reader.calls.in_states(EVERY_STATE, 100)
    rows = {call.id: number for number, call in enumerate(calls, start=1)}
    state: list[object] = [attrs.evolve(call, id=rows[call.id]) for call in calls]
    for account_id in (1, 2):
        state.append(reader.wallets.wallet(account_id))
        entries = reader.wallets.entries(account_id)
        state += [attrs.evolve(entry, call_id=rows.get(entry.call_id or 0)) for entry in entries]
    log = [record for call in calls for record in reader.calls.records(call.id)]
    state += [(rows[record.call_id], record.account_id, record.state, record.at) for record in log]
    return rows, state


def _renumbered(decision: Decision, rows: dict[int, int]) -> Decision:
    if not isinstance(decision, Accepted):
        return decision
    number = rows[decision.call.id]
    hold = attrs.evolve(decision.hold, call_id=number)
    return attrs.evolve(decision, call=attrs.evolve(decision.call, id=number), hold=hold)


@pytest.mark.parametrize("name", OPENERS)
@settings(max_examples=60)
@given(batch=batches, cut=st.integers(0, 8), chosen=settings_of_accounts())
def test_a_batch_is_decided_as_its_requests_one_by_one(
    name: str, batch: list[CallRequest], cut: int, chosen: dict[str, Any]
) -> None:
    """
    Whole, in two parts or one by one: the same decisions, and the same state in the end.
    """
    expected = _outcome("memory", [[request] for request in batch], chosen)
    event(f"accepted: {sum(isinstance(decision, Accepted) for decision in expected[0])}")

    assert expected == _outcome(name, [batch], chosen)
    assert expected == _outcome(name, [batch[:cut], batch[cut:]], chosen)
    assert expected == _outcome(name, [[request] for request in batch], chosen)
