"""
Previews: what each rule rests on, and what is told of a call that would be refused.
"""

from datetime import timedelta
from typing import Any

import attrs
import pytest

from outdial.domain.model.decision import Refused, Replayed
from outdial.domain.model.facts import Facts
from outdial.domain.model.idempotency import digest_of
from outdial.domain.model.phone_number import NumberKind, PhoneNumber
from outdial.domain.model.reason import Reason
from outdial.domain.rules.facts_used import facts_used
from outdial.domain.rules.ladder import RULES
from outdial.domain.rules.preview import RESTS_ON, Judgement, Preview, preview
from tests import builders, strategies


def _previewed(facts: Facts, **changes: Any) -> Preview:
    previewed = preview(builders.request(**changes), facts)
    assert isinstance(previewed, Preview)
    return previewed


def _judgements(previewed: Preview) -> dict[str, Judgement]:
    return {verdict.rule: verdict.judgement for verdict in previewed.verdicts}


def test_every_rule_says_what_it_rests_on() -> None:
    """
    Each rule is listed, and rests on earlier ones alone; all of them on a live key that may call.
    """
    assert list(RULES) == list(RESTS_ON)
    for position, (rule, needed) in enumerate(RESTS_ON.items()):
        assert all(RULES.index(other) < position for other in needed), rule.__name__


def test_a_listed_number_and_an_empty_wallet_are_told_together() -> None:
    """
    Rules behind the first refusal are judged too; only the first decides.
    """
    previewed = _previewed(builders.facts(dnc_entry=builders.dnc_entry(), wallet=builders.wallet(balance_micros=0)))

    refusing = {verdict.rule: verdict for verdict in previewed.verdicts if verdict.said is not None}
    assert ["callee_not_on_dnc_list", "wallet_covers_hold"] == list(refusing)
    assert Refused(reason=Reason.DO_NOT_CALL) == previewed.objection
    assert refusing["callee_not_on_dnc_list"].decides
    assert not refusing["wallet_covers_hold"].decides
    assert previewed.script is not None
    assert previewed.rate is not None
    assert previewed.cover is None


@pytest.mark.parametrize(
    ("changes", "unjudged"),
    [
        (
            {"callee": None},
            {
                "variables_fill_the_texts",
                "destination_is_allowed",
                "callee_not_on_dnc_list",
                "wallet_covers_hold",
            },
        ),
        ({"agent": None}, {"variables_fill_the_texts", "agent_has_number"}),
        ({"calls_today": builders.CALLS_PER_DAY}, set()),
    ],
)
def test_what_can_not_be_judged_is_not_reached(changes: dict[str, Any], unjudged: set[str]) -> None:
    """
    A rule that lacks what an earlier one misses says nothing, instead of something that may be wrong.
    """
    previewed = _previewed(builders.facts(**changes))

    found = {name for name, judgement in _judgements(previewed).items() if judgement is Judgement.NOT_REACHED}
    assert unjudged == found


def test_fields_that_can_not_be_read_leave_the_key_to_be_judged() -> None:
    """
    Of an unreadable request nothing but the key's limit is judged.
    """
    previewed = _previewed(
        builders.facts(callee=None, agent=None, calls_today=builders.CALLS_PER_DAY),
        content=Refused(reason=Reason.INVALID_JSON),
    )

    judgements = _judgements(previewed)
    assert Judgement.REFUSES is judgements["key_has_calls_left_today"]
    assert {Judgement.NOT_REACHED} == set(list(judgements.values())[7:])
    assert Refused(reason=Reason.INVALID_JSON) == previewed.objection
    assert (None, None, None) == (previewed.script, previewed.rate, previewed.cover)


def test_a_request_that_was_accepted_before_would_be_answered_again() -> None:
    """
    The first that does not hold may also be a repeat.
    """
    prior = builders.call(idempotency_key="one", request_digest=digest_of(builders.fields()))

    previewed = _previewed(builders.facts(prior=prior), idempotency_key="one")

    assert Replayed(call=prior) == previewed.objection


def test_facts_tell_what_was_looked_at() -> None:
    """
    Regions and a price cap are facts where the account limits them; a listed number's entry and an earlier call are.
    """
    premium = strategies.PREMIUM_NUMBER
    account = builders.account(
        allowed_regions=frozenset({"US", "DE"}), price_caps_micros={NumberKind.PREMIUM_RATE: 60_000}
    )
    facts = builders.facts(account=account, callee=premium, dnc_entry=builders.dnc_entry(), prior=builders.call())

    used = facts_used(builders.request(), facts)

    assert {
        "phone_number": premium.e164,
        "kind": "premium_rate",
        "region": "US",
        "allowed_regions": "DE US",
        "price_cap_micros": 60_000,
    } == used["callee"]
    entry = builders.dnc_entry()
    assert {
        "list_id": entry.list_id,
        "reason": entry.reason,
        "listed_at": entry.listed_at.isoformat(),
        "expires_at": None,
    } == used["do_not_call"]
    assert builders.call().call_id == used["prior_call_id"]


def test_facts_of_an_empty_wallet_tell_what_it_would_need() -> None:
    """
    Without money there is no hold but the least that must be available.
    """
    used = facts_used(builders.request(), builders.facts(wallet=builders.wallet(balance_micros=0)))

    assert {"required_micros": 50_000} == used["hold"]


def test_facts_of_nothing_are_the_time_alone() -> None:
    """
    What a stranger's request leads to is nothing, and so are its facts.
    """
    facts = Facts(now=builders.NOW + timedelta(seconds=1), policy=builders.policy(), call_number=1)

    used = facts_used(builders.request(content=Refused(reason=Reason.INVALID_JSON)), facts)

    assert ["now"] == list(used)


def test_an_agent_without_a_number_is_a_fact() -> None:
    """
    The agent's missing number is told as null.
    """
    used = facts_used(builders.request(), builders.facts(agent=builders.agent(phone_number=None)))

    assert isinstance(used["agent"], dict)
    assert used["agent"]["phone_number"] is None


def test_a_numbers_kind_is_found_once() -> None:
    """
    It takes as long as all the rules together, and two equal numbers stay equal whether it was asked for or not.
    """
    asked, fresh = PhoneNumber("+19002345678"), PhoneNumber("+19002345678")

    assert NumberKind.PREMIUM_RATE is asked.kind is asked.kind
    assert (asked, hash(asked)) == (fresh, hash(fresh))
    assert NumberKind.ORDINARY is attrs.evolve(asked, e164="+15551234567").kind
