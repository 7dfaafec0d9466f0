"""
Each rule by itself, where the ladder does not say enough.
"""

from typing import Any

import pytest

from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Accepted, FieldProblem, Refused, Shortfall
from outdial.domain.model.facts import Facts
from outdial.domain.model.phone_number import NumberKind, PhoneNumber
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Operator, Permission, PresentedKey
from outdial.domain.model.reason import Reason
from outdial.domain.rules.agent import variables_fill_the_texts, write_script
from outdial.domain.rules.callee import destination_is_allowed
from outdial.domain.rules.ladder import RULES, Rule, decide
from outdial.domain.rules.money import Cover, cover_of
from outdial.domain.rules.principal import key_is_live
from tests import builders

PREMIUM = PhoneNumber("+19002345678")
SATELLITE = PhoneNumber("+870301234567")
GERMAN = PhoneNumber("+4930123456")
NOTHING = Facts(now=builders.NOW, policy=Policy(), call_number=1)


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_that_needs_a_fact_refuses_without_it(rule: Rule) -> None:
    """
    Facts that were not found open no door, not even when a rule is asked out of its order.
    """
    request = builders.request(content=builders.fields(contact_id=1))
    needs_none = {
        "key_is_presented",
        "key_has_requests_left_this_minute",
        "content_is_readable",
        "idempotency_key_is_unused",
        "key_has_calls_left_today",
        "variables_fill_the_texts",
        "callee_not_on_dnc_list",
    }

    assert (rule.__name__ in needs_none) is (rule(request, NOTHING) is None)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, Reason.AUTHENTICATION_REQUIRED),
        ("", Reason.AUTHENTICATION_REQUIRED),
        (" ", Reason.INVALID_KEY),
        ("od_live_x", Reason.INVALID_KEY),
        (builders.key_text(secret=builders.secret(2)), Reason.INVALID_KEY),
        (builders.key_text(key_id=12), Reason.INVALID_KEY),
    ],
)
def test_no_key_and_a_wrong_key_are_told_apart(text: str | None, reason: Reason) -> None:
    """
    A stranger learns whether a key was sent, and nothing else.
    """
    request = builders.request(credential=PresentedKey(text=text))

    assert Refused(reason=reason) == decide(request, builders.facts())


@pytest.mark.parametrize("changes", [{"key": None}, {"account": None}, {"key": None, "account": None}])
def test_a_key_of_nobody_is_invalid(changes: dict[str, Any]) -> None:
    """
    A well-formed key needs a stored one and its account.
    """
    assert Refused(reason=Reason.INVALID_KEY) == key_is_live(builders.request(), builders.facts(**changes))


def test_the_operator_needs_an_account_and_no_key() -> None:
    """
    Whoever runs the service acts for an account that exists.
    """
    operator = builders.request(credential=Operator(account_id=builders.ACCOUNT_ID))

    assert isinstance(decide(operator, builders.facts(key=None)), Accepted)
    assert Refused(reason=Reason.INVALID_KEY) == decide(operator, builders.facts(key=None, account=None))


@pytest.mark.parametrize("permission", sorted(set(Permission) - {Permission.INITIATE_CALLS}))
def test_no_other_permission_initiates_calls(permission: Permission) -> None:
    """
    Reading and managing say nothing about calling.
    """
    facts = builders.facts(key=builders.api_key(permissions=frozenset({permission})))

    assert Refused(reason=Reason.PERMISSION_DENIED) == decide(builders.request(), facts)


@pytest.mark.parametrize(
    ("regions", "callee", "allowed"),
    [
        ((), GERMAN, True),
        (("DE",), GERMAN, True),
        (("US",), GERMAN, False),
        (("US", "DE"), GERMAN, True),
        (("US",), builders.CALLEE, True),
        (("US",), PhoneNumber("+14165550123"), False),
        (("US",), PhoneNumber("+18760001111"), False),
    ],
)
def test_an_account_may_be_kept_to_regions(regions: tuple[str, ...], callee: PhoneNumber, *, allowed: bool) -> None:
    """
    Without regions all are allowed; a shared country code does not make another region allowed.
    """
    facts = builders.facts(account=builders.account(allowed_regions=frozenset(regions)), callee=callee)

    assert allowed is (destination_is_allowed(builders.request(), facts) is None)


@pytest.mark.parametrize(
    ("callee", "caps", "allowed"),
    [
        (builders.CALLEE, {}, True),
        (PREMIUM, {}, False),
        (PREMIUM, {NumberKind.PREMIUM_RATE: 49_999}, False),
        (PREMIUM, {NumberKind.PREMIUM_RATE: 50_000}, True),
        (PREMIUM, {NumberKind.GLOBAL_NETWORK: 50_000}, False),
        (SATELLITE, {}, False),
        (SATELLITE, {NumberKind.PREMIUM_RATE: 50_000}, False),
        (SATELLITE, {NumberKind.GLOBAL_NETWORK: 50_000}, True),
    ],
)
def test_other_kinds_of_numbers_need_a_price_cap(
    callee: PhoneNumber, caps: dict[NumberKind, int], *, allowed: bool
) -> None:
    """
    A kind that is not ordinary may be called up to the price that the account set for it.
    """
    facts = builders.facts(account=builders.account(price_caps_micros=caps), callee=callee)

    assert allowed is (destination_is_allowed(builders.request(), facts) is None)


def test_the_cap_is_held_against_the_rate_of_the_longest_prefix() -> None:
    """
    The price of the number counts, not that of its country.
    """
    dear = builders.rate(prefix="1900", per_minute_micros=900_000)
    account = builders.account(price_caps_micros={NumberKind.PREMIUM_RATE: 100_000})
    facts = builders.facts(account=account, callee=PREMIUM, rates=(builders.rate(), dear))

    assert Refused(reason=Reason.DESTINATION_NOT_ALLOWED) == destination_is_allowed(builders.request(), facts)


def test_missing_variables_are_named() -> None:
    """
    Names of the greeting come first, each once, then those of the instructions.
    """
    agent = builders.agent(greeting="{{b}} {{a.c}} {{known}}", instructions="{{d}} {{b}}")
    request = builders.request(content=builders.fields(variables={"known": 1}))

    refused = variables_fill_the_texts(request, builders.facts(agent=agent))

    problem = "The agent's texts need it and it has no value."
    names = ("variables.b", "variables.a.c", "variables.d")
    problems = tuple(FieldProblem(field=name, problem=problem) for name in names)
    assert Refused(reason=Reason.VALIDATION_ERROR, problems=problems) == refused


def test_the_script_prefers_the_requests_values() -> None:
    """
    The request's values win over the contact's, those over the built-in ones.
    """
    agent = builders.agent(greeting="{{phone_number}} {{agent_name}} {{first_name}} {{last_name}}")
    variables = {"first_name": "Johnny", "agent_name": "Max", "unused": [1]}
    request = builders.request(content=builders.fields(variables=variables, contact_id=builders.CONTACT_ID))

    script, missing = write_script(request, builders.facts(agent=agent, contact=builders.person()))

    assert ("+15551234567 Max Johnny Doe", ()) == (script.greeting, missing)
    assert variables == script.variables


def test_the_requests_context_is_laid_over_the_contacts() -> None:
    """
    Name by name, at every depth; what only the contact has stays, and a null hides nothing.
    """
    agent = builders.agent(
        greeting="{{custom_context.plan.name}} {{custom_context.plan.seats}} {{custom_context.since}}"
    )
    contact = builders.person(custom_context={"plan": {"name": "Basic", "seats": 3}, "since": 2020})
    variables = {"custom_context": {"plan": {"name": "Premium"}, "since": None}}
    request = builders.request(content=builders.fields(variables=variables, contact_id=builders.CONTACT_ID))

    script, missing = write_script(request, builders.facts(agent=agent, contact=contact))

    assert ("Premium 3 2020", ()) == (script.greeting, missing)
    assert variables == script.variables


def test_a_name_of_the_context_is_no_name_of_its_own() -> None:
    """
    It needs its outer name.
    """
    agent = builders.agent(greeting="{{since}}")
    contact = builders.person(custom_context={"since": 2020})
    request = builders.request(content=builders.fields(contact_id=builders.CONTACT_ID))

    _script, missing = write_script(request, builders.facts(agent=agent, contact=contact))

    assert ("since",) == missing


def test_null_hides_no_value() -> None:
    """
    A null in the request is no value: the contact's and the built-in ones still count.
    """
    agent = builders.agent(greeting="{{agent_name}} {{first_name}} {{other|none}}")
    variables = {"agent_name": None, "first_name": None, "other": None}
    request = builders.request(content=builders.fields(variables=variables, contact_id=builders.CONTACT_ID))

    script, missing = write_script(request, builders.facts(agent=agent, contact=builders.person()))

    assert (f"{agent.name} John none", ()) == (script.greeting, missing)


def test_a_value_is_never_scanned_again() -> None:
    """
    A client can't reach further values or the contact's fields through a value.
    """
    agent = builders.agent(greeting="Hello {{name}}.")
    request = builders.request(content=builders.fields(variables={"name": "{{agent_name}}"}))

    script, _missing = write_script(request, builders.facts(agent=agent))

    assert "Hello {{agent_name}}." == script.greeting


def test_the_hold_pays_for_the_longest_call() -> None:
    """
    A rich wallet sets the price of the longest allowed call aside.
    """
    assert Cover(max_duration_s=1800, hold_micros=1_500_000) == cover_of(builders.facts())


@pytest.mark.parametrize(
    ("available", "cover"),
    [
        (50_000, Cover(max_duration_s=60, hold_micros=50_000)),
        (149_999, Cover(max_duration_s=120, hold_micros=100_000)),
        (1_499_999, Cover(max_duration_s=1740, hold_micros=1_450_000)),
        (1_500_000, Cover(max_duration_s=1800, hold_micros=1_500_000)),
    ],
)
def test_a_poor_wallet_pays_for_a_shorter_call(available: int, cover: Cover) -> None:
    """
    The talk time is what the money pays for; open holds are no money.
    """
    wallet = builders.wallet(balance_micros=available + 7, held_micros=7)

    assert cover == cover_of(builders.facts(wallet=wallet))


def test_a_shortfall_tells_what_was_needed() -> None:
    """
    A client can show what is there, what is missing and at which price.
    """
    facts = builders.facts(
        policy=builders.policy(minimum_hold_s=90),
        wallet=builders.wallet(balance_micros=119_999, held_micros=20_000),
    )

    refused = decide(builders.request(), facts)

    shortfall = Shortfall(
        balance_micros=119_999,
        available_micros=99_999,
        rate_micros=50_000,
        required_micros=100_000,
        currency="USD",
    )
    assert Refused(reason=Reason.INSUFFICIENT_FUNDS, shortfall=shortfall) == refused


def test_a_call_shorter_than_the_minimum_hold_needs_its_own_price_only() -> None:
    """
    Where no call may last for the minimum hold, the longest call is enough.
    """
    policy = builders.policy(minimum_hold_s=600, max_call_duration_s=60)
    facts = builders.facts(policy=policy, wallet=builders.wallet(balance_micros=50_000))

    assert Cover(max_duration_s=60, hold_micros=50_000) == cover_of(facts)


def test_a_free_call_needs_no_money() -> None:
    """
    An empty wallet, or none yet, covers a hold of nothing.
    """
    free = builders.policy(default_rate_micros=0)

    for wallet in (builders.wallet(balance_micros=0), None):
        assert Cover(max_duration_s=1800, hold_micros=0) == cover_of(builders.facts(policy=free, wallet=wallet))


def test_the_default_rate_is_the_operators_in_the_accounts_currency() -> None:
    """
    Where no rate fits, the policy's price counts.
    """
    policy = builders.policy(default_rate_micros=7, default_increment_s=6, default_minimum_s=30)
    account = builders.account(currency="EUR")

    rate = builders.facts(policy=policy, account=account).rate

    assert builders.rate(currency="EUR", prefix="", per_minute_micros=7, increment_s=6, minimum_s=30) == rate


@pytest.mark.parametrize("reason", [Reason.PAYLOAD_TOO_LARGE, Reason.INVALID_JSON, Reason.MISSING_AGENT_ID])
def test_unreadable_content_is_refused_as_it_was_read(reason: Reason) -> None:
    """
    Whoever read the body said what is wrong with it; the key is judged before.
    """
    content = Refused(reason=reason)
    stranger = CallRequest(
        credential=PresentedKey(text=None), content=content, token=builders.TOKEN, received_at=builders.NOW
    )

    assert content == decide(builders.request(content=content), builders.facts())
    assert Refused(reason=Reason.AUTHENTICATION_REQUIRED) == decide(stranger, builders.facts(key=None, account=None))
