"""
Laws of previews and of the facts that are kept: they agree with the decision, and give no secret away.
"""

import json
from collections.abc import Mapping
from typing import Any

import attrs
from hypothesis import event, given
from hypothesis import strategies as st

from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.grounds import Grounds
from outdial.domain.rules.facts_used import facts_used, grounds_of, write_facts
from outdial.domain.rules.ladder import RULES, decide, decide_all, policy_version
from outdial.domain.rules.preview import RESTS_ON, Judgement, Preview, preview
from tests import builders, strategies
from tests.property.faults import FAULTS, Case, Fault, apply_faults, chosen_faults

STRANGER_RULES = ("key_is_presented", "key_is_live", "principal_may_initiate_calls")
UNRECORDED_RULES = ("key_is_presented", "key_is_live", "key_has_requests_left_this_minute")
CANARY = "canary-7Qx"

cases = st.booleans().flatmap(lambda operator: strategies.acceptable(operator=operator))


@given(case=strategies.acceptable(), faults=chosen_faults())
def test_a_preview_refuses_what_is_refused(case: Case, faults: dict[str, Fault]) -> None:
    """
    The first rule that does not hold decides, in the words of the decision; without one the call is accepted.
    """
    request, facts = apply_faults(case, faults)
    decision = decide(request, facts)

    previewed = preview(request, facts)

    if faults.keys() & set(STRANGER_RULES):
        event("stranger")
        assert decision == previewed
        return
    assert isinstance(previewed, Preview)
    assert [rule.__name__ for rule in RULES] == [verdict.rule for verdict in previewed.verdicts]
    assert (decision if isinstance(decision, Refused) else None) == previewed.objection
    broken = [verdict for verdict in previewed.verdicts if verdict.said is not None]
    assert [True] + [False] * (len(broken) - 1) == [verdict.decides for verdict in broken] or not broken


@given(case=strategies.acceptable(), faults=chosen_faults())
def test_each_rule_that_is_judged_says_what_it_says_alone(case: Case, faults: dict[str, Fault]) -> None:
    """
    A rule is judged exactly when what it rests on holds; broken, it refuses then.

    Others may refuse, too: a number of another kind may be too dear.
    """
    request, facts = apply_faults(case, faults)
    previewed = preview(request, facts)
    if isinstance(previewed, Refused):
        return

    by_rule = {verdict.rule: verdict for verdict in previewed.verdicts}

    for rule, needed in RESTS_ON.items():
        verdict = by_rule[rule.__name__]
        is_judged = all(by_rule[name.__name__].judgement is Judgement.HOLDS for name in needed)
        assert is_judged == (verdict.judgement is not Judgement.NOT_REACHED)
        if is_judged:
            assert rule(request, facts) == verdict.said
            assert rule.__name__ not in faults or verdict.judgement is Judgement.REFUSES


@given(case=strategies.acceptable(), name=st.sampled_from(STRANGER_RULES), data=st.data())
def test_a_stranger_sees_the_same_whatever_is_true(case: Case, name: str, data: st.DataObject) -> None:
    """
    Without a live key that may call, facts and fields change nothing of the answer.
    """
    fault = data.draw(st.sampled_from(FAULTS[name][1]))
    others = data.draw(chosen_faults())
    kept = {rule: way for rule, way in others.items() if rule not in STRANGER_RULES}

    assert preview(*apply_faults(case, {name: fault})) == preview(*apply_faults(case, {**kept, name: fault}))


@given(case=cases)
def test_a_preview_tells_what_the_call_would_say_and_cost(case: Case) -> None:
    """
    Script, rate, hold and facts are those of the call that is accepted.
    """
    decision, previewed = decide(*case), preview(*case)

    assert isinstance(decision, Accepted)
    assert isinstance(previewed, Preview)
    assert previewed.cover is not None
    assert (decision.call.script, decision.call.rate) == (previewed.script, previewed.rate)
    assert (decision.call.hold_micros, decision.call.max_duration_s) == (
        previewed.cover.hold_micros,
        previewed.cover.max_duration_s,
    )
    assert decision.grounds == previewed.grounds


@given(case=strategies.acceptable(), faults=chosen_faults())
def test_every_refusal_but_a_strangers_is_kept(case: Case, faults: dict[str, Fault]) -> None:
    """
    Nor is that of a request too many. What is kept names the account, the reason, and the facts that the rules saw.
    """
    request, facts = apply_faults(case, faults)

    (decided,) = decide_all([request], [facts])

    decision, refusal = decided.decision, decided.refusal
    is_kept = bool(faults) and next(iter(faults)) not in UNRECORDED_RULES
    event(f"kept: {is_kept}")
    assert is_kept == (refusal is not None)
    if refusal is not None and isinstance(decision, Refused):
        assert (facts.account.id if facts.account else None, decision.reason) == (refusal.account_id, refusal.reason)
        assert (facts.callee, facts.now, decision.problems) == (refusal.phone_number, refusal.at, refusal.problems)
        assert grounds_of(request, facts, policy_version=policy_version(facts.policy)) == refusal.grounds
        assert refusal.grounds.is_intact


@given(case=cases, data=st.data())
def test_facts_are_written_alike_in_any_order(case: Case, data: st.DataObject) -> None:
    """
    The digest names the facts, not the order in which they were gathered; the text is ASCII and reads back the same.
    """
    used = facts_used(*case)
    shuffled = dict(data.draw(st.permutations(list(used.items()))))

    text = write_facts(shuffled)

    assert write_facts(used) == text
    assert text.isascii()
    assert used == json.loads(text)


@given(case=strategies.acceptable(), faults=chosen_faults(), fact=st.sampled_from(("now", "calls_today", "wallet")))
def test_other_facts_have_another_digest(case: Case, faults: dict[str, Fault], fact: str) -> None:
    """
    A digest stands for one set of facts.
    """
    request, facts = apply_faults(case, {name: way for name, way in faults.items() if name not in STRANGER_RULES})
    changes: Mapping[str, Any] = {
        "now": facts.now.replace(year=3000),
        "calls_today": facts.calls_today + 1,
        "wallet": builders.wallet(balance_micros=7),
    }
    grounds = [
        grounds_of(request, one, policy_version="0123456789ab")
        for one in (facts, attrs.evolve(facts, **{fact: changes[fact]}))
    ]

    assert grounds[0].facts_digest != grounds[1].facts_digest


@given(case=cases)
def test_facts_hold_no_secret_and_no_variable(case: Case) -> None:
    """
    Neither the key nor its digest, nor the agent's texts, nor what a client says about a person is kept.
    """
    request, facts = case
    assert isinstance(request.content, CallFields)
    content = attrs.evolve(request.content, variables={"topic": CANARY, CANARY: {CANARY: CANARY}})
    agent = builders.agent(greeting=f"Hello {CANARY}.", instructions=CANARY)
    contact = builders.person(
        first_name=CANARY, last_name=CANARY, email=CANARY, company=CANARY, custom_context={"topic": CANARY}
    )

    grounds = grounds_of(
        attrs.evolve(request, content=content),
        attrs.evolve(facts, agent=agent, contact=contact, account=builders.account(name=CANARY)),
        policy_version="0123456789ab",
    )

    assert CANARY not in grounds.facts
    assert builders.SECRET not in grounds.facts
    assert builders.api_key().secret_hash.hex() not in grounds.facts


@given(case=strategies.acceptable())
def test_the_policys_version_names_settings_and_rules(case: Case) -> None:
    """
    Equal settings have one version, others another; so have decisions.
    """
    policy = case[1].policy

    version = policy_version(policy)

    assert version == policy_version(attrs.evolve(policy))
    assert version != policy_version(attrs.evolve(policy, minimum_hold_s=policy.minimum_hold_s + 1))
    decision = decide(*case)
    assert isinstance(decision, Accepted)
    assert version == decision.grounds.policy_version


def test_facts_that_were_changed_are_noticed() -> None:
    """
    Whoever changes what was kept has to change the digest too.
    """
    grounds = grounds_of(builders.request(), builders.facts(), policy_version="0123456789ab")

    changed = Grounds(
        policy_version=grounds.policy_version,
        facts=grounds.facts.replace("25000000", "26000000"),
        facts_digest=grounds.facts_digest,
    )

    assert grounds.is_intact
    assert not changed.is_intact
