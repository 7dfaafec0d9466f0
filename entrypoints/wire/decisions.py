"""
Decisions on the wire: what would be decided, what was, and why.
"""

import json
from typing import Annotated, Any, Literal, assert_never

from pydantic import Field
from typing_extensions import TypedDict

from outdial.domain.model.decision import Refused, Replayed
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.money import as_number
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal
from outdial.domain.rules.preview import Judgement, Preview, Verdict
from outdial.domain.service.decisions import DecidedCall, RefusalsPage
from outdial.entrypoints.wire.calls import CallId, CallNumber
from outdial.entrypoints.wire.pages import CursorBody, CursorQuery, cursor_body
from outdial.entrypoints.wire.problems import ProblemBody, ProblemDetails, problem_body
from outdial.entrypoints.wire.reading import Says
from outdial.entrypoints.wire.values import Currency, Money, Time, write_time

Outcome = Literal["accepted", "refused", "replayed"]


class RefusalsQuery(CursorQuery):
    """
    Which refusals are listed.
    """

    reason: Annotated[
        Reason | None,
        Says("It must be a code that requests are refused with."),
        Field(description="For one reason.", examples=["do_not_call"]),
    ] = None


class GroundsBody(TypedDict):
    """
    What a decision rests on.
    """

    policy_version: Annotated[
        str, Field(description="Names the operator's settings and the rules.", examples=["3f9c0b1d7e42"])
    ]
    facts: Annotated[
        dict[str, Any],
        Field(
            description="What the rules saw; money in millionths of the currency. What did not exist is left out.",
            examples=[{"now": "2025-04-24T10:15:30+00:00", "key": {"id": 11, "calls_today": 3, "calls_per_day": 100}}],
        ),
    ]
    facts_digest: Annotated[
        str,
        Field(
            description="SHA-256 of the facts as canonical JSON: ASCII, names sorted, no white space.",
            pattern="^[0-9a-f]{64}$",
            examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"],
        ),
    ]


class KeptGroundsBody(GroundsBody):
    """
    What a decision rested on, as it was kept.
    """

    facts_intact: Annotated[bool, Field(description="Whether the kept facts still have this digest.")]


class ObjectionBody(ProblemDetails, total=False):
    """
    What stands against a call, in the words of the answer that would be given.
    """

    error: Annotated[Reason, Field(description="A code for programs.")]
    message: Annotated[str, Field(description="A sentence for people.")]


class VerdictBody(ObjectionBody):
    """
    What one rule says.
    """

    rule: Annotated[str, Field(description="Its name, a sentence.", examples=["callee_not_on_dnc_list"])]
    verdict: Annotated[Judgement, Field(description="`not_reached` when it can't be judged without an earlier one.")]
    decides: Annotated[bool, Field(description="Whether it is the first that does not hold.")]


class CostBody(TypedDict):
    """
    What a call may cost.
    """

    per_minute: Money
    maximum: Annotated[Money | None, Field(description="What would be held; null when the wallet can't cover it.")]
    maximum_duration_seconds: Annotated[int | None, Field(description="The talk time that this pays for.")]
    currency: Currency


class PreflightBody(ObjectionBody, GroundsBody):
    """
    What would be decided about a call; nothing was stored, held or dialled.
    """

    decision: Outcome
    call_id: Annotated[str | None, Field(description="With `replayed`: the call that was accepted before.")]
    rules: Annotated[list[VerdictBody], Field(description="Every rule, in order.")]
    greeting: Annotated[str | None, Field(description="Rendered; null when it can't be.")]
    instructions: Annotated[str | None, Field(description="Rendered; null when they can't be.")]
    cost: Annotated[CostBody | None, Field(description="Null without a proper number.")]


class CallDecisionBody(KeptGroundsBody):
    """
    Why a call was accepted.
    """

    id: CallNumber
    call_id: CallId
    decision: Literal["accepted"]
    decided_at: Time


class RefusalBody(ProblemBody, KeptGroundsBody):
    """
    A request that was refused, and why.
    """

    id: Annotated[int, Field(examples=[4711])]
    decision: Literal["refused"]
    decided_at: Time
    key_id: Annotated[int | None, Field(description="The API key it was asked with; null for the operator.")]
    phone_number: Annotated[str | None, Field(description="E.164; null when it was no proper number.")]
    agent_id: Annotated[int | None, Field(description="The agent's database id; null when there is none.")]


class RefusalsBody(CursorBody):
    """
    Some refusals, newest first.
    """

    refusals: list[RefusalBody]


def preflight_body(previewed: Preview) -> PreflightBody:
    """
    Return the answer to `POST /api/v1/calls/preflight`.
    """
    script, objection = previewed.script, previewed.objection
    return PreflightBody(
        decision=_outcome(objection),
        call_id=objection.call.call_id if isinstance(objection, Replayed) else None,
        rules=[_verdict_body(verdict) for verdict in previewed.verdicts],
        greeting=script.greeting if script is not None else None,
        instructions=script.instructions if script is not None else None,
        cost=_cost_body(previewed),
        **_objection_body(objection),
        **_grounds_body(previewed.grounds),
    )


def call_decision_body(decided: DecidedCall) -> CallDecisionBody:
    """
    Return the answer to `GET /api/v1/calls/{id}/decision`.
    """
    call = decided.call
    return CallDecisionBody(
        id=call.id,
        call_id=call.call_id,
        decision="accepted",
        decided_at=write_time(call.created_at),
        **_kept_grounds_body(decided.grounds),
    )


def refusal_body(refusal: Refusal) -> RefusalBody:
    """
    Return the answer to `GET /api/v1/refusals/{id}`.
    """
    return RefusalBody(
        id=refusal.number,
        decision="refused",
        decided_at=write_time(refusal.at),
        key_id=refusal.key_id,
        phone_number=refusal.phone_number.e164 if refusal.phone_number is not None else None,
        agent_id=refusal.agent_id,
        **problem_body(Refused(reason=refusal.reason, problems=refusal.problems)),
        **_kept_grounds_body(refusal.grounds),
    )


def refusals_body(page: RefusalsPage, *, limit: int) -> RefusalsBody:
    """
    Return the answer to `GET /api/v1/refusals`.
    """
    return RefusalsBody(
        refusals=[refusal_body(refusal) for refusal in page.refusals],
        **cursor_body(limit=limit, following=page.following),
    )


def _outcome(objection: Refused | Replayed | None) -> Outcome:
    match objection:
        case None:
            return "accepted"
        case Refused():
            return "refused"
        case Replayed():
            return "replayed"
        case unknown:
            assert_never(unknown)


def _objection_body(objection: Refused | Replayed | None) -> ObjectionBody:
    return ObjectionBody(**problem_body(objection)) if isinstance(objection, Refused) else ObjectionBody()


def _verdict_body(verdict: Verdict) -> VerdictBody:
    return VerdictBody(
        rule=verdict.rule, verdict=verdict.judgement, decides=verdict.decides, **_objection_body(verdict.said)
    )


def _cost_body(previewed: Preview) -> CostBody | None:
    rate, cover = previewed.rate, previewed.cover
    if rate is None:
        return None
    return CostBody(
        per_minute=as_number(rate.per_minute_micros),
        maximum=as_number(cover.hold_micros) if cover is not None else None,
        maximum_duration_seconds=cover.max_duration_s if cover is not None else None,
        currency=rate.currency,
    )


def _grounds_body(grounds: Grounds) -> GroundsBody:
    return GroundsBody(
        policy_version=grounds.policy_version,
        facts=json.loads(grounds.facts),
        facts_digest=grounds.facts_digest.hex(),
    )


def _kept_grounds_body(grounds: Grounds) -> KeptGroundsBody:
    return KeptGroundsBody(**_grounds_body(grounds), facts_intact=grounds.is_intact)
