"""
What the rules saw of a request, to be shown and kept: no secret, and of the variables nothing but a digest.
"""

import json
from typing import Final

from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.facts import Facts
from outdial.domain.model.grounds import Grounds, digest_of_facts
from outdial.domain.model.idempotency import digest_of
from outdial.domain.model.phone_number import NumberKind, PhoneNumber
from outdial.domain.model.principal import Account
from outdial.domain.model.wallet import Wallet
from outdial.domain.rules.money import Cover, cover_of, rate_of

Fact = int | str | None
FactsUsed = dict[str, "Fact | dict[str, Fact]"]
"""A JSON object of at most two levels. Money is whole micros, as the rules reckon with it."""

_CANONICAL: Final = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)


def grounds_of(request: CallRequest, facts: Facts, *, policy_version: str) -> Grounds:
    """
    Return what a decision on a request rests on.
    """
    text = write_facts(facts_used(request, facts))
    return Grounds(policy_version=policy_version, facts=text, facts_digest=digest_of_facts(text))


def write_facts(used: FactsUsed) -> str:
    """
    Write facts as canonical JSON, the same text for equal facts.
    """
    return _CANONICAL.encode(used)


def facts_used(request: CallRequest, facts: Facts) -> FactsUsed:
    """
    Return what the rules saw; what did not exist, or was not looked at, is null.
    """
    key, agent, entry = facts.key, facts.agent, facts.dnc_entry
    return {
        "now": facts.now.isoformat(),
        "account_id": None if facts.account is None else facts.account.id,
        "key": None
        if key is None
        else {"id": key.id, "calls_today": facts.calls_today, "calls_per_day": key.calls_per_day},
        "asked": _asked(request),
        "prior_call_id": None if facts.prior is None else facts.prior.call_id,
        "callee": None if facts.callee is None else _callee(facts.callee, facts.account),
        "agent": None
        if agent is None
        else {
            "id": agent.id,
            "name": agent.name,
            "phone_number": None if agent.phone_number is None else agent.phone_number.e164,
        },
        "contact_id": None if facts.contact is None else facts.contact.id,
        "do_not_call": None if entry is None else _listing(entry),
        "wallet": None if facts.wallet is None else _wallet(facts.wallet),
        **_price(facts),
    }


def _listing(entry: DncEntry) -> dict[str, int | str | None]:
    return {
        "list_id": entry.list_id,
        "reason": entry.reason,
        "listed_at": entry.listed_at.isoformat(),
        "expires_at": None if entry.expires_at is None else entry.expires_at.isoformat(),
    }


def _asked(request: CallRequest) -> dict[str, Fact] | None:
    fields = request.content
    if not isinstance(fields, CallFields):
        return None
    return {
        "agent_id": fields.agent_id,
        "contact_id": fields.contact_id,
        "digest": digest_of(fields).hex(),
        "idempotency_key": request.idempotency_key,
    }


def _callee(callee: PhoneNumber, account: Account | None) -> dict[str, Fact]:
    """
    Return what was looked at: the region of an account that limits regions, the price cap of a kind that needs one.
    """
    seen: dict[str, Fact] = {"phone_number": callee.e164, "kind": callee.kind.value}
    if account is not None and account.allowed_regions:
        seen["region"] = callee.region
        seen["allowed_regions"] = " ".join(sorted(account.allowed_regions))
    if account is not None and callee.kind is not NumberKind.ORDINARY:
        seen["price_cap_micros"] = account.price_caps_micros.get(callee.kind)
    return seen


def _wallet(wallet: Wallet) -> dict[str, Fact]:
    return {
        "currency": wallet.currency,
        "balance_micros": wallet.balance_micros,
        "available_micros": wallet.available_micros,
    }


def _price(facts: Facts) -> FactsUsed:
    """
    Return the rate, and what the wallet can hold for it or how much it would need.
    """
    if facts.callee is None:
        return {"rate": None, "hold": None}
    rate, cover = rate_of(facts), cover_of(facts)
    hold: dict[str, Fact] = (
        {"micros": cover.hold_micros, "max_duration_s": cover.max_duration_s}
        if isinstance(cover, Cover)
        else {"required_micros": cover.required_micros}
    )
    return {
        "rate": {
            "prefix": rate.prefix,
            "per_minute_micros": rate.per_minute_micros,
            "increment_s": rate.increment_s,
            "minimum_s": rate.minimum_s,
        },
        "hold": hold,
    }
