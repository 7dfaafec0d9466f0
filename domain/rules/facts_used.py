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
from outdial.domain.model.rate import Rate
from outdial.domain.model.wallet import Wallet
from outdial.domain.rules.money import Cover, cover_of

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
    Return what the rules saw; what did not exist, or was not looked at, is left out.
    """
    used: FactsUsed = {"now": facts.now.isoformat()}
    if facts.account is not None:
        used["account_id"] = facts.account.id
    if (key := facts.key) is not None:
        used["key"] = {"id": key.id, "calls_today": facts.calls_today, "calls_per_day": key.calls_per_day}
    if isinstance(request.content, CallFields):
        used["asked"] = _asked(request.content, request.idempotency_key)
    if facts.prior is not None:
        used["prior_call_id"] = facts.prior.call_id
    if (agent := facts.agent) is not None:
        number = None if agent.phone_number is None else agent.phone_number.e164
        used["agent"] = {"id": agent.id, "name": agent.name, "phone_number": number}
    if facts.contact is not None:
        used["contact_id"] = facts.contact.id
    if (entry := facts.dnc_entry) is not None:
        used["do_not_call"] = _listing(entry)
    if facts.wallet is not None:
        used["wallet"] = _wallet(facts.wallet)
    if facts.callee is not None:
        used["callee"] = _callee(facts.callee, facts.account)
        used["rate"] = _rate(facts.rate)
        used["hold"] = _hold(facts)
    return used


def _listing(entry: DncEntry) -> dict[str, Fact]:
    return {
        "list_id": entry.list_id,
        "reason": entry.reason,
        "listed_at": entry.listed_at.isoformat(),
        "expires_at": None if entry.expires_at is None else entry.expires_at.isoformat(),
    }


def _asked(fields: CallFields, idempotency_key: str | None) -> dict[str, Fact]:
    """
    Return what was asked for; the number, once it is read, is the callee.
    """
    asked: dict[str, Fact] = {"agent_id": fields.agent_id}
    if fields.contact_id is not None:
        asked["contact_id"] = fields.contact_id
    if fields.variables:
        asked["digest"] = digest_of(fields).hex()
    if idempotency_key is not None:
        asked["idempotency_key"] = idempotency_key
    return asked


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


def _rate(rate: Rate) -> dict[str, Fact]:
    return {
        "prefix": rate.prefix,
        "per_minute_micros": rate.per_minute_micros,
        "increment_s": rate.increment_s,
        "minimum_s": rate.minimum_s,
    }


def _hold(facts: Facts) -> dict[str, Fact]:
    """
    Return what the wallet can hold, or how much must be available at least.
    """
    cover = cover_of(facts)
    if isinstance(cover, Cover):
        return {"micros": cover.hold_micros, "max_duration_s": cover.max_duration_s}
    return {"required_micros": cover.required_micros}
