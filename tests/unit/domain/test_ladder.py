"""
The order of the rules, and what the ladder does with misuse.
"""

from itertools import pairwise

import pytest

from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.facts import Facts
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import ApiKey, Credential, Operator, Permission, PresentedKey
from outdial.domain.model.reason import Reason
from outdial.domain.rules import ladder
from outdial.domain.rules.ladder import RULES, Rule, decide, decide_all
from outdial.domain.rules.principal import refuse_principal
from tests import builders
from tests.property.faults import FAULTS

NOTHING = Facts(now=builders.NOW, policy=Policy(), call_number=1)


def test_the_rules_stand_in_the_contracts_order() -> None:
    """
    Key, permission, minute, fields, repeats, day, number, agent, contact, variables, agent's number, kind, list, money.
    """
    assert list(FAULTS) == [rule.__name__ for rule in RULES]


def test_reasons_are_declared_in_the_order_of_the_rules() -> None:
    """
    Whoever reads the reasons reads the ladder; missing variables share the reason of fields, the day the minute's.
    """
    again = {"variables_fill_the_texts", "key_has_calls_left_today"}
    positions = [list(Reason).index(reason) for name, (reason, _ways) in FAULTS.items() if name not in again]

    assert all(first < second for first, second in pairwise(positions))


@pytest.mark.parametrize("rule", RULES)
def test_each_rule_states_the_good_case(rule: Rule) -> None:
    """
    A rule has one sentence that says when it holds.
    """
    lines = (rule.__doc__ or "").split("\n\n")[0].strip().splitlines()

    assert 1 == len(lines)
    assert lines[0].endswith(".")


def test_without_its_rules_the_ladder_accepts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Facts that are missing make no call, even when no rule looks at them.
    """
    monkeypatch.setattr(ladder, "RULES", ())

    with pytest.raises(AssertionError, match=r"facts are missing"):
        decide(builders.request(), NOTHING)


@pytest.mark.parametrize("name", [name for name in FAULTS if name != "key_is_presented"])
def test_a_rule_that_is_taken_out_is_missed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With one rule gone, what only that rule refuses is no longer refused for its reason.
    """
    reason, (fault, *_others) = FAULTS[name]
    request, facts = fault((builders.request(), builders.facts()))
    before = decide(request, facts)

    monkeypatch.setattr(ladder, "RULES", tuple(rule for rule in RULES if rule.__name__ != name))

    assert isinstance(before, Refused)
    assert reason is before.reason
    try:
        after = decide(request, facts)
    except AssertionError:
        return
    assert not (isinstance(after, Refused) and reason is after.reason)


def test_a_batch_needs_the_facts_of_each_request() -> None:
    """
    Requests and facts that don't pair up are a broken storage's mistake.
    """
    with pytest.raises(ValueError):
        decide_all([builders.request()], [])


def test_a_batch_of_two_takes_the_wallet_in_turn() -> None:
    """
    Money for one call and a half makes one long call and one short one; nothing is left for a third.
    """
    facts = [
        builders.facts(call_number=number, wallet=builders.wallet(balance_micros=2_260_000)) for number in (1, 2, 3)
    ]

    decisions = [one.decision for one in decide_all([builders.request()] * 3, facts)]

    holds = [decision.hold.micros for decision in decisions if isinstance(decision, Accepted)]
    assert [1_500_000, 750_000] == holds
    assert isinstance(decisions[2], Refused)
    assert Reason.INSUFFICIENT_FUNDS is decisions[2].reason


OPERATOR = Operator(account_id=builders.ACCOUNT_ID)
KEY = PresentedKey(text=builders.key_text())
READER = builders.api_key(permissions=frozenset({Permission.READ_CALLS}))


@pytest.mark.parametrize(
    ("credential", "key", "reason"),
    [
        (PresentedKey(text=None), None, Reason.AUTHENTICATION_REQUIRED),
        (PresentedKey(text=None), READER, Reason.AUTHENTICATION_REQUIRED),
        (PresentedKey(text="x"), None, Reason.INVALID_KEY),
        (KEY, None, Reason.INVALID_KEY),
        (KEY, builders.api_key(account_id=2), Reason.INVALID_KEY),
        (KEY, builders.api_key(revoked_at=builders.NOW), Reason.INVALID_KEY),
        (KEY, builders.api_key(permissions=frozenset()), Reason.PERMISSION_DENIED),
        (KEY, READER, None),
        (OPERATOR, None, None),
        (Operator(account_id=2), None, Reason.INVALID_KEY),
    ],
)
def test_other_requests_are_judged_by_the_same_first_rungs(
    credential: Credential, key: ApiKey | None, reason: Reason | None
) -> None:
    """
    Whoever reads is refused for the same reasons in the same order as whoever calls.
    """
    refused = refuse_principal(credential, key, builders.account(), permission=Permission.READ_CALLS, now=builders.NOW)

    assert (None if reason is None else Refused(reason=reason)) == refused
