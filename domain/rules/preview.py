"""
What would be decided about a call, rule by rule, with what the rules saw; a decision that nobody is bound by.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import attrs

from outdial.domain.model.call import Script
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Refused, Replayed
from outdial.domain.model.facts import Facts
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.rate import Rate
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
from outdial.domain.rules.ladder import RULES, Rule, policy_version
from outdial.domain.rules.money import Cover, cover_of, wallet_covers_hold
from outdial.domain.rules.principal import (
    key_has_calls_left_today,
    key_has_requests_left_this_minute,
    key_is_live,
    key_is_presented,
    principal_may_initiate_calls,
)

RESTS_ON: Final[Mapping[Rule, tuple[Rule, ...]]] = {
    key_is_presented: (),
    key_is_live: (key_is_presented,),
    principal_may_initiate_calls: (key_is_live,),
    key_has_requests_left_this_minute: (principal_may_initiate_calls,),
    content_is_readable: (principal_may_initiate_calls,),
    idempotency_key_is_unused: (content_is_readable,),
    key_has_calls_left_today: (principal_may_initiate_calls,),
    phone_number_is_proper: (content_is_readable,),
    agent_exists: (content_is_readable,),
    contact_exists: (content_is_readable,),
    variables_fill_the_texts: (phone_number_is_proper, agent_exists, contact_exists),
    agent_has_number: (agent_exists,),
    destination_is_allowed: (phone_number_is_proper,),
    callee_not_on_dnc_list: (phone_number_is_proper,),
    wallet_covers_hold: (phone_number_is_proper,),
}
"""Which rules must hold before another one can be judged: without them it knows too little, or a stranger too much."""


class Judgement(StrEnum):
    """
    What one rule says.
    """

    HOLDS = "holds"
    REFUSES = "refuses"
    NOT_REACHED = "not_reached"


@attrs.frozen(kw_only=True)
class Verdict:
    """
    One rule's say in a preview.

    Attributes:
        rule: The rule's name, a sentence.

        said: What stands against the call; the call that was accepted before for the same request, or why not.

        decides: Whether it is the first that does not hold: what it said would be the decision.
    """

    rule: str
    judgement: Judgement
    said: Refused | Replayed | None = None
    decides: bool = False


@attrs.frozen(kw_only=True)
class Preview:
    """
    What would be decided about a call; nothing was stored, held or dialled.

    Attributes:
        verdicts: Every rule's, in their order.

        script: What the agent would say; `None` when its texts can't be filled.

        rate: What the call would cost; `None` when the number is not known.

        cover: How long it might talk and what would be held for it; `None` when the wallet does not cover that.
    """

    verdicts: tuple[Verdict, ...]
    grounds: Grounds
    script: Script | None
    rate: Rate | None
    cover: Cover | None

    @property
    def objection(self) -> Refused | Replayed | None:
        """
        What would be decided; `None` when the call would be accepted.
        """
        return next((verdict.said for verdict in self.verdicts if verdict.decides), None)


def preview(request: CallRequest, facts: Facts) -> Preview | Refused:
    """
    Tell what each rule says of a request, and what the call would say and cost, as far as that can be known.

    Whoever may not ask for calls is refused and learns nothing else.
    """
    verdicts: dict[Rule, Verdict] = {}
    objection: Refused | Replayed | None = None
    for rule in RULES:
        verdict = _verdict(rule, request, facts, verdicts, is_decided=objection is not None)
        objection = objection or verdict.said
        verdicts[rule] = verdict
    if isinstance(objection, Refused) and not _holds(verdicts, principal_may_initiate_calls):
        return objection
    has_callee, has_texts = _holds(verdicts, phone_number_is_proper), _holds(verdicts, variables_fill_the_texts)
    cover = cover_of(facts)
    return Preview(
        verdicts=tuple(verdicts.values()),
        grounds=grounds_of(request, facts, policy_version=policy_version(facts.policy)),
        script=write_script(request, facts)[0] if has_texts else None,
        rate=facts.rate if has_callee else None,
        cover=cover if has_callee and isinstance(cover, Cover) else None,
    )


def _verdict(
    rule: Rule, request: CallRequest, facts: Facts, before: Mapping[Rule, Verdict], *, is_decided: bool
) -> Verdict:
    if not all(_holds(before, needed) for needed in RESTS_ON[rule]):
        return Verdict(rule=rule.__name__, judgement=Judgement.NOT_REACHED)
    said = rule(request, facts)
    if said is None:
        return Verdict(rule=rule.__name__, judgement=Judgement.HOLDS)
    return Verdict(rule=rule.__name__, judgement=Judgement.REFUSES, said=said, decides=not is_decided)


def _holds(verdicts: Mapping[Rule, Verdict], rule: Rule) -> bool:
    return verdicts[rule].judgement is Judgement.HOLDS
