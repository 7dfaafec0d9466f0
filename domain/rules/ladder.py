"""
The order of the rules, and the decision that follows from it.

The first rule that does not hold gives the reason; repair it and the next one speaks. What can change by itself is
judged last.
"""

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import lru_cache
from typing import Final

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.decision import Accepted, Decision, Refused, Replayed
from outdial.domain.model.facts import Facts
from outdial.domain.model.idempotency import digest_of
from outdial.domain.model.policy import Policy
from outdial.domain.model.rate_limit import Limit
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Decided, Refusal
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet
from outdial.domain.rules.agent import (
    agent_exists,
    agent_has_number,
    contact_exists,
    variables_fill_the_texts,
    write_script,
)
from outdial.domain.rules.callee import callee_not_on_dnc_list, destination_is_allowed
from outdial.domain.rules.content import content_is_readable, phone_number_is_proper
from outdial.domain.rules.facts_used import grounds_of
from outdial.domain.rules.idempotency import idempotency_key_is_unused
from outdial.domain.rules.money import Cover, cover_of, wallet_covers_hold
from outdial.domain.rules.principal import (
    key_has_calls_left_today,
    key_has_requests_left_this_minute,
    key_is_live,
    key_is_presented,
    principal_may_initiate_calls,
)

Rule = Callable[[CallRequest, Facts], Refused | Replayed | None]
"""Says what stands against a new call; `None` when nothing does."""

RULES: tuple[Rule, ...] = (
    key_is_presented,
    key_is_live,
    principal_may_initiate_calls,
    key_has_requests_left_this_minute,
    content_is_readable,
    idempotency_key_is_unused,  # before the day's limit: asking again for an accepted call costs nothing
    key_has_calls_left_today,
    phone_number_is_proper,
    agent_exists,
    contact_exists,
    variables_fill_the_texts,
    agent_has_number,
    destination_is_allowed,
    callee_not_on_dnc_list,
    wallet_covers_hold,
)

POLICY_VERSION_LENGTH: Final = 12

UNRECORDED: Final = frozenset({Reason.AUTHENTICATION_REQUIRED, Reason.INVALID_KEY})
"""What strangers are told, and those whose key was revoked or has expired."""


def decide(request: CallRequest, facts: Facts) -> Decision:
    """
    Accept a request as a call, or say what the first rule that does not hold says.
    """
    for rule in RULES:
        said = rule(request, facts)
        if said is not None:
            return said
    return _accept(request, facts)


def policy_version(policy: Policy) -> str:
    """
    Name the operator's settings and the rules, in 12 hexadecimal digits: other ones where anything of it is another.
    """
    return _version_of(policy, RULES)


def decide_all(requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> list[Decided]:
    """
    Decide a batch in order of arrival, each with what is kept of it: what was accepted counts for those behind it.

    It lowers what is available, uses up a key's day, and answers a request with the same idempotency key.

    Args:
        requests: In order of arrival.

        snapshot: The facts of each, all read at one moment.
    """
    accepted: list[Call] = []
    wallets: dict[int, Wallet] = {}
    decided: list[Decided] = []
    for request, facts in zip(requests, snapshot, strict=True):
        current = _after(accepted, wallets, request, facts)
        decision = decide(request, current)
        if isinstance(decision, Accepted) and current.wallet is not None:
            wallets[current.wallet.account_id] = current.wallet.post(decision.hold)
            accepted.append(decision.call)
        decided.append(Decided(decision=decision, refusal=_refusal_of(decision, request, current)))
    return decided


def _refusal_of(decision: Decision, request: CallRequest, facts: Facts) -> Refusal | None:
    """
    Return what is kept of a refused request: nothing of strangers', nor of one too many, which could fill the disk.
    """
    account = facts.account
    if not isinstance(decision, Refused) or decision.reason in UNRECORDED or account is None:
        return None
    if decision.window is not None and decision.window.limit is Limit.REQUESTS_PER_MINUTE:
        return None
    return Refusal(
        account_id=account.id,
        key_id=facts.key.id if facts.key is not None else None,
        at=facts.now,
        reason=decision.reason,
        problems=decision.problems,
        phone_number=facts.callee,
        agent_id=facts.agent.id if facts.agent is not None else None,
        grounds=grounds_of(request, facts, policy_version=policy_version(facts.policy)),
    )


def _after(accepted: Sequence[Call], wallets: Mapping[int, Wallet], request: CallRequest, facts: Facts) -> Facts:
    """
    Return the facts of a request after the calls before it in its batch were accepted.
    """
    if facts.account is None or not accepted:
        return facts
    account_id, name = facts.account.id, request.idempotency_key
    mine = [call for call in accepted if call.account_id == account_id]
    prior = next((call for call in mine if name is not None and call.idempotency_key == name), None)
    key_id = facts.key.id if facts.key is not None else None
    return attrs.evolve(
        facts,
        wallet=wallets.get(account_id, facts.wallet),
        prior=facts.prior or prior,
        calls_today=facts.calls_today + sum(call.key_id == key_id for call in mine),
    )


def _accept(request: CallRequest, facts: Facts) -> Accepted:
    """
    Write down the call that all rules allow.
    """
    fields, account, agent, callee, cover = request.content, facts.account, facts.agent, facts.callee, cover_of(facts)
    if (
        not isinstance(fields, CallFields)
        or not isinstance(cover, Cover)
        or account is None
        or callee is None
        or agent is None
        or agent.phone_number is None
    ):
        raise AssertionError("The rules let a request pass whose facts are missing.")
    script, _missing = write_script(request, facts)
    call = Call(
        id=facts.call_number,
        token=request.token,
        account_id=account.id,
        key_id=facts.key.id if facts.key is not None else None,
        agent_id=agent.id,
        assistant_id=agent.assistant_id,
        agent_name=agent.name,
        contact_id=fields.contact_id,
        phone_number=callee,
        caller_id=agent.phone_number,
        runtime=agent.runtime,
        sip_uri=agent.sip_uri,
        script=script,
        rate=facts.rate,
        hold_micros=cover.hold_micros,
        max_duration_s=cover.max_duration_s,
        created_at=facts.now,
        expires_at=facts.now + timedelta(seconds=facts.policy.queue_timeout_s),
        idempotency_key=request.idempotency_key,
        request_digest=digest_of(fields) if request.idempotency_key is not None else None,
        trace_parent=request.trace_parent,
    )
    hold = LedgerEntry(
        account_id=account.id,
        kind=EntryKind.HOLD,
        micros=cover.hold_micros,
        call_id=call.id,
        at=facts.now,
    )
    grounds = grounds_of(request, facts, policy_version=policy_version(facts.policy))
    return Accepted(call=call, hold=hold, grounds=grounds)


@lru_cache(maxsize=16)
def _version_of(policy: Policy, rules: tuple[Rule, ...]) -> str:
    settings = json.dumps([attrs.asdict(policy), [rule.__name__ for rule in rules]], sort_keys=True)
    return hashlib.sha256(settings.encode()).hexdigest()[:POLICY_VERSION_LENGTH]
