"""
Laws of the decision: repair one fault and see the next.
"""

from collections.abc import Callable

import attrs
from hypothesis import event, given
from hypothesis import strategies as st

from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.decision import Accepted, Decision, Refused
from outdial.domain.model.facts import Facts
from outdial.domain.model.lifecycle import State
from outdial.domain.model.reason import Reason
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet
from outdial.domain.rules.ladder import decide, decide_all
from tests import builders, strategies
from tests.property.faults import FAULTS, Case, Fault, apply_faults, chosen_faults


@st.composite
def batches(draw: st.DrawFn) -> list[Case]:
    """
    Draw requests of two accounts whose wallets pay for some of them; each sees the wallet as it was before all.
    """
    wallets = {
        account_id: builders.wallet(account_id=account_id, balance_micros=draw(st.integers(0, 6_000_000)))
        for account_id in (1, 2)
    }
    batch: list[Case] = []
    for number in range(draw(st.integers(0, 8))):
        request, facts = apply_faults(draw(strategies.acceptable()), draw(st.just({}) | chosen_faults()))
        account_id = draw(st.sampled_from((1, 2)))
        facts = attrs.evolve(
            facts,
            policy=builders.policy(),
            rates=(),
            call_number=number + 1,
            wallet=wallets[account_id],
            key=attrs.evolve(facts.key, account_id=account_id) if facts.key is not None else None,
            account=attrs.evolve(facts.account, id=account_id) if facts.account is not None else None,
        )
        batch.append((request, facts))
    return batch


def one_by_one(batch: list[Case], decide_one: Callable[[CallRequest, Facts], Decision]) -> list[Decision]:
    """
    Decide each request by the wallet and the day that the accepted ones before it left.
    """
    decisions = []
    holds: dict[int, list[LedgerEntry]] = {1: [], 2: []}
    for request, facts in batch:
        wallet = facts.wallet
        before = holds[facts.account.id] if facts.account is not None else []
        for hold in before:
            wallet = wallet.post(hold) if wallet is not None else None
        now_true = attrs.evolve(facts, wallet=wallet, calls_today=facts.calls_today + len(before))
        decision = decide_one(request, now_true)
        if isinstance(decision, Accepted):
            holds[decision.call.account_id].append(decision.hold)
        decisions.append(decision)
    return decisions


@given(case=strategies.acceptable(), faults=chosen_faults())
def test_repairing_the_reported_fault_shows_the_next(case: Case, faults: dict[str, Fault]) -> None:
    """
    With any faults, the first broken rule gives the reason; repaired again and again, all are met down to acceptance.
    """
    event(f"{len(faults)} faults")
    for name in list(faults):
        decision = decide(*apply_faults(case, faults))

        assert isinstance(decision, Refused)
        assert FAULTS[name][0] is decision.reason
        del faults[name]

    assert isinstance(decide(*case), Accepted)


@given(case=strategies.acceptable())
def test_with_everything_wrong_the_whole_ladder_is_walked_down(case: Case) -> None:
    """
    Repairing fault after fault meets each rule once, in the contract's order.
    """
    faults = {name: ways[0] for name, (_reason, ways) in FAULTS.items()}
    met = []

    while isinstance(decision := decide(*apply_faults(case, faults)), Refused):
        met.append(decision.reason)
        del faults[next(iter(faults))]

    assert [reason for reason, _ways in FAULTS.values()] == met


@given(case=strategies.acceptable(), faults=chosen_faults())
def test_a_decision_depends_on_request_and_facts_alone(case: Case, faults: dict[str, Fault]) -> None:
    """
    Deciding again, as storage does after a conflict, decides the same.
    """
    request, facts = apply_faults(case, faults)

    assert decide(request, facts) == decide(attrs.evolve(request), attrs.evolve(facts))


@given(case=st.booleans().flatmap(lambda operator: strategies.acceptable(operator=operator)))
def test_an_accepted_call_is_what_was_asked_for(case: Case) -> None:
    """
    The call holds the request's fields, the account's, the agent's and the price, and stands at its beginning.
    """
    request, facts = case
    assert isinstance(request.content, CallFields)
    assert facts.account is not None
    assert facts.agent is not None

    decision = decide(request, facts)

    assert isinstance(decision, Accepted)
    call = decision.call
    assert (facts.call_number, request.token, facts.now) == (call.id, call.token, call.created_at)
    assert (facts.account.id, facts.key.id if facts.key else None) == (call.account_id, call.key_id)
    assert (facts.agent.id, facts.agent.name, facts.agent.phone_number) == (
        call.agent_id,
        call.agent_name,
        call.caller_id,
    )
    assert (facts.callee, request.content.contact_id) == (call.phone_number, call.contact_id)
    assert request.content.variables == call.script.variables
    assert facts.rate == call.rate
    assert (State.QUEUED, 0, 0, 0) == (call.state, call.fence, call.attempt, call.version)
    assert [None] * 4 == [call.answered_at, call.ended_at, call.disposition, call.cause]


@given(case=strategies.acceptable())
def test_the_hold_is_the_price_of_the_talk_time(case: Case) -> None:
    """
    The hold is covered, pays for exactly the time that may be talked, and that time is worth making a call.
    """
    request, facts = case
    assert facts.wallet is not None

    decision = decide(request, facts)

    assert isinstance(decision, Accepted)
    call, hold, policy = decision.call, decision.hold, facts.policy
    event("full length" if call.max_duration_s == policy.max_call_duration_s else "shortened")
    assert hold == LedgerEntry(
        account_id=call.account_id, kind=EntryKind.HOLD, micros=call.hold_micros, call_id=call.id, at=facts.now
    )
    assert call.hold_micros == call.rate.price(call.max_duration_s) <= facts.wallet.available_micros
    assert min(policy.minimum_hold_s, policy.max_call_duration_s) <= call.max_duration_s <= policy.max_call_duration_s


@given(case=strategies.acceptable())
def test_exactly_the_required_amount_is_enough(case: Case) -> None:
    """
    What a shortfall says is required makes the call possible, and a micro less does not.
    """
    request, facts = case
    broke = decide(request, attrs.evolve(facts, wallet=builders.wallet(balance_micros=0)))
    assert isinstance(broke, Refused)
    assert broke.shortfall is not None
    required = broke.shortfall.required_micros

    enough = decide(request, attrs.evolve(facts, wallet=builders.wallet(balance_micros=required)))
    short = decide(request, attrs.evolve(facts, wallet=builders.wallet(balance_micros=required - 1)))

    assert isinstance(enough, Accepted)
    assert isinstance(short, Refused)
    assert Reason.INSUFFICIENT_FUNDS is short.reason


@given(batch=batches())
def test_a_batch_is_decided_like_one_request_after_another(batch: list[Case]) -> None:
    """
    Each accepted call lowers what is available for its account's next one, and for nobody else's.
    """
    decided = decide_all([request for request, _facts in batch], [facts for _request, facts in batch])

    decisions = [one.decision for one in decided]
    event(f"{sum(isinstance(decision, Accepted) for decision in decisions)} accepted")
    assert one_by_one(batch, decide) == decisions


@given(batch=batches())
def test_a_batch_never_overdraws_a_wallet(batch: list[Case]) -> None:
    """
    All holds of a batch together are covered by what was available before it.
    """
    decided = decide_all([request for request, _facts in batch], [facts for _request, facts in batch])

    decisions = [one.decision for one in decided]
    held = {1: 0, 2: 0}
    for (_request, facts), decision in zip(batch, decisions, strict=True):
        if isinstance(decision, Accepted):
            held[decision.call.account_id] += decision.hold.micros
            assert isinstance(facts.wallet, Wallet)
            assert held[decision.call.account_id] <= facts.wallet.available_micros
