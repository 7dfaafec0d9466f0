"""
Hypothesis strategies for domain values, biased toward valid ones.
"""

import string
from collections.abc import Mapping
from datetime import timedelta

import attrs
from hypothesis import strategies as st

from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.facts import Facts
from outdial.domain.model.identifiers import BASE62, CALL_TOKEN_LENGTH, ID_MAX, KEY_SECRET_LENGTH
from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.phone_number import NumberKind, PhoneNumber
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import Operator, Permission
from outdial.domain.model.rate import INCREMENT_S_MAX, Rate, rate_for
from outdial.domain.model.template import NAME_LENGTH_MAX
from tests import builders

PUNCTUATION = " .()-"
ORDINARY_NUMBERS = (
    "+15551234567",
    "+12015550123",
    "+442079460018",
    "+493012345678",
    "+33612345678",
    "+390612345678",
    "+819012345678",
    "+5511961234567",
    "+61412345678",
)
PREMIUM_NUMBER = PhoneNumber("+19002345678")

row_numbers = st.integers(1, ID_MAX)
key_secrets = st.text(BASE62, min_size=KEY_SECRET_LENGTH, max_size=KEY_SECRET_LENGTH)
call_tokens = st.text(BASE62, min_size=CALL_TOKEN_LENGTH, max_size=CALL_TOKEN_LENGTH)
amounts = st.one_of(st.integers(0, 10_000_000), st.integers(0, MICROS_MAX))

phone_numbers = (
    st.one_of(
        st.sampled_from(ORDINARY_NUMBERS),
        st.integers(0, 9_999_999).map("+1555{:07d}".format),
        st.integers(2_000_000, 99_999_999_999).map("+49{}".format),
    )
    .map(PhoneNumber)
    .filter(lambda number: number.kind is NumberKind.ORDINARY)
)
"""Numbers of an ordinary kind that are read under the check `possible`."""

names = st.one_of(
    st.sampled_from(("customer_name", "first_name", "a", "B2")),
    st.text(string.ascii_letters + string.digits + "_", min_size=1, max_size=NAME_LENGTH_MAX),
)
clean_texts = st.text(st.characters(exclude_characters="\x00", codec="utf-8"), max_size=20)
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-ID_MAX, ID_MAX),
    st.floats(allow_nan=False, allow_infinity=False),
    clean_texts,
)
variables: st.SearchStrategy[Mapping[str, object]] = st.dictionaries(
    names,
    st.recursive(
        scalars,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3),
        max_leaves=6,
    ),
    max_size=5,
).filter(lambda values: _depth(values) <= 8)
"""Context variables within their limits."""

json_values: st.SearchStrategy[object] = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4),
    max_leaves=12,
)
"""Whatever a JSON decoder may return, NaN and lone surrogates included."""


def _depth(value: object) -> int:
    match value:
        case dict():
            return 1 + max((_depth(inner) for inner in value.values()), default=0)
        case list():
            return 1 + max((_depth(inner) for inner in value), default=0)
        case _:
            return 0


def spellings(number: PhoneNumber) -> st.SearchStrategy[str]:
    """
    Write a number in E.164 with any punctuation between its digits.
    """
    gaps = st.text(PUNCTUATION, max_size=2)
    count = len(number.digits)
    return st.lists(gaps, min_size=count, max_size=count).map(
        lambda between: "+" + "".join(gap + digit for gap, digit in zip(between, number.digits, strict=True))
    )


@st.composite
def rates(draw: st.DrawFn, *, prefix: st.SearchStrategy[str] | None = None, free: bool = True) -> Rate:
    """
    Draw a rate in US dollars.
    """
    return Rate(
        currency="USD",
        prefix=draw(prefix if prefix is not None else st.text(string.digits, max_size=5)),
        per_minute_micros=draw(
            st.one_of(st.just(50_000), st.integers(0 if free else 1, 5_000_000), st.integers(1, MICROS_MAX))
        ),
        increment_s=draw(st.one_of(st.sampled_from((1, 6, 30, 60)), st.integers(1, INCREMENT_S_MAX))),
        minimum_s=draw(st.one_of(st.just(0), st.integers(0, INCREMENT_S_MAX))),
    )


@st.composite
def policies(draw: st.DrawFn) -> Policy:
    """
    Draw an operator's settings; the default rate is never free.
    """
    default = draw(rates(free=False, prefix=st.just("")))
    return Policy(
        max_call_duration_s=draw(st.one_of(st.just(1800), st.integers(1, 14_400))),
        minimum_hold_s=draw(st.one_of(st.just(60), st.integers(1, 7200))),
        default_rate_micros=min(default.per_minute_micros, 10_000_000),
        default_increment_s=default.increment_s,
        default_minimum_s=default.minimum_s,
    )


@st.composite
def acceptable(draw: st.DrawFn, *, operator: bool = False) -> tuple[CallRequest, Facts]:
    """
    Draw a request and facts that no rule objects to; the call is never free.
    """
    callee = draw(phone_numbers)
    policy = draw(policies())
    prefixes = st.integers(0, len(callee.digits)).map(lambda length: callee.digits[:length])
    known_rates = draw(st.lists(rates(prefix=prefixes, free=False), max_size=3))
    rate = rate_for(callee, known_rates, _default_rate(policy))
    required = rate.price(min(policy.minimum_hold_s, policy.max_call_duration_s))
    if required > MICROS_MAX:
        known_rates, required = [], _default_rate(policy).price(policy.minimum_hold_s)
    available = min(MICROS_MAX, required + draw(st.one_of(st.just(0), amounts)))
    held = draw(st.integers(0, min(10_000_000, MICROS_MAX - available)))
    contact = draw(st.sampled_from((None, builders.person())))
    now = builders.NOW + timedelta(seconds=draw(st.integers(0, 10**8)))
    fields = CallFields(
        phone_number=draw(spellings(callee)),
        agent_id=draw(st.just(builders.AGENT_ID) | st.just("assistant_abc123")),
        contact_id=contact.id if contact is not None else None,
        variables={**draw(variables), "topic": draw(clean_texts)},
    )
    window = draw(st.sampled_from((None, builders.window(is_exceeded=False))))
    request = builders.request(content=fields, token=draw(call_tokens), received_at=now, window=window)
    facts = builders.facts(
        now=now,
        policy=policy,
        call_number=draw(row_numbers),
        key=builders.api_key(
            permissions=draw(st.frozensets(st.sampled_from(Permission))) | {Permission.INITIATE_CALLS},
            expires_at=draw(st.sampled_from((None, now + timedelta(microseconds=1)))),
        ),
        account=builders.account(
            allowed_regions=frozenset(draw(st.sampled_from(((), (callee.region,), (callee.region, "FR")))))
        ),
        wallet=builders.wallet(balance_micros=available + held, held_micros=held),
        callee=callee,
        agent=builders.agent(
            greeting=draw(st.sampled_from(("Hello.", "About {{topic}}.", "{{agent_name}} for {{nobody|you}}"))),
            instructions=draw(st.sampled_from(("", "Call {{phone_number}}."))),
        ),
        contact=contact,
        rates=tuple(known_rates),
    )
    if operator:
        request = attrs.evolve(request, credential=Operator(account_id=builders.ACCOUNT_ID), window=None)
        facts = attrs.evolve(facts, key=None)
    return request, facts


def _default_rate(policy: Policy) -> Rate:
    return Rate(
        currency="USD",
        prefix="",
        per_minute_micros=policy.default_rate_micros,
        increment_s=policy.default_increment_s,
        minimum_s=policy.default_minimum_s,
    )
