"""
What can be wrong with a request: for each rule the ways to break it and none before it.
"""

from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, Final

import attrs
from hypothesis import strategies as st

from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.decision import Refused
from outdial.domain.model.facts import Facts
from outdial.domain.model.principal import Permission, PresentedKey
from outdial.domain.model.reason import Reason
from tests import builders, strategies

Case = tuple[CallRequest, Facts]
Fault = Callable[[Case], Case]


def _asked(**changes: Any) -> Fault:
    """
    Ask otherwise.
    """
    return lambda case: (attrs.evolve(case[0], **changes), case[1])


def _known(**changes: Any) -> Fault:
    """
    Know something else.
    """
    return lambda case: (case[0], attrs.evolve(case[1], **changes))


def _known_of(name: str, change: Callable[[Any, Facts], Mapping[str, Any]]) -> Fault:
    """
    Know one fact otherwise.
    """

    def apply(case: Case) -> Case:
        request, facts = case
        fact = getattr(facts, name)
        return request, attrs.evolve(facts, **{name: attrs.evolve(fact, **change(fact, facts))})

    return apply


def _asked_before(digest: bytes | None) -> Fault:
    """
    Use the idempotency key of a request that said something else.
    """

    def apply(case: Case) -> Case:
        request, facts = case
        prior = builders.call(created_at=facts.now, idempotency_key="key", request_digest=digest)
        return request, attrs.evolve(facts, prior=prior)

    return apply


def _unknown_contact(case: Case) -> Case:
    request, facts = case
    assert isinstance(request.content, CallFields)
    content = attrs.evolve(request.content, contact_id=99)
    return attrs.evolve(request, content=content), attrs.evolve(facts, contact=None)


def _premium_callee(case: Case) -> Case:
    request, facts = case
    return request, attrs.evolve(facts, callee=strategies.PREMIUM_NUMBER)


FAULTS: Final[dict[str, tuple[Reason, tuple[Fault, ...]]]] = {
    "key_is_presented": (
        Reason.AUTHENTICATION_REQUIRED,
        (_asked(credential=PresentedKey(text=None)), _asked(credential=PresentedKey(text=""))),
    ),
    "key_is_live": (
        Reason.INVALID_KEY,
        (
            _known(key=None),
            _known(account=None),
            _known(account=builders.account(id=2)),
            _asked(credential=PresentedKey(text="od_live_")),
            _asked(credential=PresentedKey(text=builders.key_text(secret=builders.secret(2)))),
            _asked(credential=PresentedKey(text=builders.key_text(key_id=12))),
            _known_of("key", lambda _key, facts: {"revoked_at": facts.now}),
            _known_of("key", lambda _key, facts: {"expires_at": facts.now}),
            _known_of("key", lambda _key, facts: {"expires_at": facts.now - timedelta(days=1)}),
        ),
    ),
    "principal_may_initiate_calls": (
        Reason.PERMISSION_DENIED,
        (
            _known_of("key", lambda key, _facts: {"permissions": key.permissions - {Permission.INITIATE_CALLS}}),
            _known_of("key", lambda _key, _facts: {"permissions": frozenset()}),
        ),
    ),
    "key_has_requests_left_this_minute": (
        Reason.RATE_LIMIT_EXCEEDED,
        (_asked(window=builders.window()),),
    ),
    "content_is_readable": (
        Reason.INVALID_JSON,
        (_asked(content=Refused(reason=Reason.INVALID_JSON)),),
    ),
    "idempotency_key_is_unused": (
        Reason.IDEMPOTENCY_CONFLICT,
        (
            _asked_before(bytes(32)),
            _asked_before(None),
        ),
    ),
    "key_has_calls_left_today": (
        Reason.RATE_LIMIT_EXCEEDED,
        (
            _known(calls_today=builders.CALLS_PER_DAY),
            _known_of("key", lambda _key, facts: {"calls_per_day": facts.calls_today}),
        ),
    ),
    "phone_number_is_proper": (Reason.INVALID_PHONE_NUMBER, (_known(callee=None),)),
    "agent_exists": (Reason.AGENT_NOT_FOUND, (_known(agent=None),)),
    "contact_exists": (Reason.CONTACT_NOT_FOUND, (_unknown_contact,)),
    "variables_fill_the_texts": (
        Reason.VALIDATION_ERROR,
        (
            _known_of("agent", lambda _agent, _facts: {"greeting": "Hello {{no_such_name}}."}),
            _known_of("agent", lambda _agent, _facts: {"instructions": "{{topic.inner}}"}),
        ),
    ),
    "agent_has_number": (
        Reason.NO_PHONE_NUMBER,
        (_known_of("agent", lambda _agent, _facts: {"phone_number": None}),),
    ),
    "destination_is_allowed": (
        Reason.DESTINATION_NOT_ALLOWED,
        (
            _premium_callee,
            _known_of("account", lambda _account, _facts: {"allowed_regions": frozenset({"TK"})}),
        ),
    ),
    "callee_not_on_dnc_list": (Reason.DO_NOT_CALL, (_known(dnc_entry=builders.dnc_entry()),)),
    "wallet_covers_hold": (
        Reason.INSUFFICIENT_FUNDS,
        (
            _known(wallet=None),
            _known(wallet=builders.wallet(balance_micros=0)),
            _known_of("wallet", lambda wallet, _facts: {"held_micros": wallet.balance_micros}),
        ),
    ),
}
"""For each rule by its name, in the contract's order: the reason it gives, and what breaks it."""


def apply_faults(case: Case, faults: Mapping[str, Fault]) -> Case:
    """
    Break a case by several faults, the last rule's first, so that an earlier one is never undone by a later.
    """
    for name in reversed(list(FAULTS)):
        if name in faults:
            case = faults[name](case)
    return case


@st.composite
def chosen_faults(draw: st.DrawFn) -> dict[str, Fault]:
    """
    Draw some rules and a way to break each.
    """
    names = draw(st.frozensets(st.sampled_from(tuple(FAULTS))))
    return {name: draw(st.sampled_from(FAULTS[name][1])) for name in FAULTS if name in names}
