"""
The order of the rules, and the decision that follows from it.

The first rule that does not hold gives the reason; repair it and the next one speaks. What can change by itself is
judged last.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.decision import Accepted, Decision, Refused
from outdial.domain.model.facts import Facts
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
from outdial.domain.rules.money import Cover, cover_of, rate_of, wallet_covers_hold
from outdial.domain.rules.principal import key_is_live, key_is_presented, principal_may_initiate_calls

Rule = Callable[[CallRequest, Facts], Refused | None]

RULES: tuple[Rule, ...] = (
    key_is_presented,
    key_is_live,
    principal_may_initiate_calls,
    content_is_readable,
    phone_number_is_proper,
    agent_exists,
    contact_exists,
    variables_fill_the_texts,
    agent_has_number,
    destination_is_allowed,
    callee_not_on_dnc_list,
    wallet_covers_hold,
)


class Judgement(StrEnum):
    """
    What one rule said.
    """

    HOLDS = "holds"
    REFUSES = "refuses"
    NOT_REACHED = "not_reached"


@attrs.frozen(kw_only=True)
class Verdict:
    """
    One step of the ladder.

    Attributes:
        rule: The rule's name, a sentence.

        refused: What it said when it refuses.
    """

    rule: str
    judgement: Judgement
    refused: Refused | None = None


def decide(request: CallRequest, facts: Facts) -> Decision:
    """
    Accept a request as a call, or refuse it for the first reason there is.
    """
    for rule in RULES:
        refused = rule(request, facts)
        if refused is not None:
            return refused
    return _accept(request, facts)


def explain(request: CallRequest, facts: Facts) -> tuple[Verdict, ...]:
    """
    Tell what each rule says of a request, in order; those after a refusal are not reached.
    """
    verdicts: list[Verdict] = []
    refused: Refused | None = None
    for rule in RULES:
        if refused is not None:
            verdicts.append(Verdict(rule=rule.__name__, judgement=Judgement.NOT_REACHED))
            continue
        refused = rule(request, facts)
        judgement = Judgement.HOLDS if refused is None else Judgement.REFUSES
        verdicts.append(Verdict(rule=rule.__name__, judgement=judgement, refused=refused))
    return tuple(verdicts)


def decide_all(requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> list[Decision]:
    """
    Decide a batch in order of arrival: each accepted call lowers what is available for the next.

    Args:
        requests: In order of arrival.

        snapshot: The facts of each, all read at one moment.
    """
    wallets: dict[int, Wallet] = {}
    decisions: list[Decision] = []
    for request, facts in zip(requests, snapshot, strict=True):
        wallet = wallets.get(facts.account.id, facts.wallet) if facts.account is not None else None
        decision = decide(request, attrs.evolve(facts, wallet=wallet))
        if isinstance(decision, Accepted) and wallet is not None:
            wallets[wallet.account_id] = wallet.post(decision.hold)
        decisions.append(decision)
    return decisions


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
        rate=rate_of(facts),
        hold_micros=cover.hold_micros,
        max_duration_s=cover.max_duration_s,
        created_at=facts.now,
    )
    hold = LedgerEntry(
        account_id=account.id,
        kind=EntryKind.HOLD,
        micros=cover.hold_micros,
        call_id=call.id,
        at=facts.now,
    )
    return Accepted(call=call, hold=hold)
