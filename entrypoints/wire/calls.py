"""
Calls on the wire.
"""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal

from pydantic import Field
from typing_extensions import TypedDict

from outdial.domain.model.call import Call, Status
from outdial.domain.model.contact import Person
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.domain.model.listing import Page
from outdial.domain.model.money import as_number
from outdial.domain.model.policy import ESTIMATED_START_DELAY_S
from outdial.domain.service.reading import CallView
from outdial.entrypoints.wire.pages import PageBody, page_body
from outdial.entrypoints.wire.values import Currency, Money, Time, write_time, write_time_or_null

OUTBOUND: Final = "outbound"
"""Every call that outdial knows."""

CallType = Literal["outbound"]
CallNumber = Annotated[int, Field(description="The call's database id.", examples=[789])]
CallId = Annotated[str, Field(description="The call's public id.", examples=["call_789_Zb8qPqkmT3xA"])]
Callee = Annotated[str, Field(description="The number that is called, E.164.", examples=["+15551234567"])]


class CallAgentBody(TypedDict):
    """
    The agent of a call.
    """

    id: Annotated[int, Field(examples=[123])]
    name: Annotated[str, Field(examples=["Appointment Scheduler"])]
    assistant_id: Annotated[str, Field(examples=["assistant_abc123"])]


class CallContactBody(TypedDict):
    """
    The contact of a call.
    """

    id: Annotated[int, Field(examples=[456])]
    name: Annotated[str, Field(examples=["John Doe"])]
    email: str | None
    company: str | None


class AcceptedBody(TypedDict):
    """
    A call that was accepted and will be dialled.
    """

    id: CallNumber
    call_id: CallId
    status: Literal["queued"]
    type: CallType
    phone_number: Callee
    agent: CallAgentBody
    created_at: Time
    estimated_start: Time


class BillingBody(TypedDict):
    """
    What a call costs: the hold until it is over, then what was settled.
    """

    status: Literal["held", "billed", "released"]
    initial_charge: Money
    final_charge: Money | None
    total_charge: Money | None
    currency: Currency


class CallDetailBody(TypedDict):
    """
    A call, and what became of it.
    """

    id: CallNumber
    call_id: CallId
    agent: CallAgentBody
    status: Status
    type: CallType
    phone_number: Callee
    created_at: Time
    started_at: Annotated[Time | None, Field(description="When it was answered.")]
    ended_at: Time | None
    duration_seconds: int | None
    summary: str | None
    transcript: str | None
    recording_url: str | None
    contact: CallContactBody | None
    variables: dict[str, Any]
    billing: BillingBody
    ended_reason: Disposition | None
    hang_up_cause: Annotated[
        str | None,
        Field(description="The network's own words; or why it is dialled again, or nobody knows its outcome."),
    ]


class CallSummaryBody(TypedDict):
    """
    A call in a list.
    """

    id: CallId
    agent_id: Annotated[str, Field(description="The agent's `assistant_id`.", examples=["assistant_abc123"])]
    agent_name: str
    status: Status
    type: CallType
    phone_number: Callee
    created_at: Time
    started_at: Annotated[Time | None, Field(description="When it was answered.")]
    ended_at: Time | None
    duration_seconds: int | None
    summary: str | None
    recording_url: str | None
    contact: CallContactBody | None
    ended_reason: Disposition | None


class CallPageBody(PageBody):
    """
    A page of calls, newest first.
    """

    calls: list[CallSummaryBody]


def accepted_body(call: Call) -> AcceptedBody:
    """
    Return the answer to `POST /api/v1/calls`: the same whenever it is given, whatever became of the call since.
    """
    return AcceptedBody(
        id=call.id,
        call_id=call.call_id,
        status="queued",
        type=OUTBOUND,
        phone_number=call.phone_number.e164,
        agent=_agent_body(call),
        created_at=write_time(call.created_at),
        estimated_start=write_time(call.created_at + timedelta(seconds=ESTIMATED_START_DELAY_S)),
    )


def call_body(view: CallView) -> CallDetailBody:
    """
    Return the answer to `GET /api/v1/calls/{id}`.
    """
    call = view.call
    return CallDetailBody(
        id=call.id,
        call_id=call.call_id,
        agent=_agent_body(call),
        status=call.status,
        type=OUTBOUND,
        phone_number=call.phone_number.e164,
        created_at=write_time(call.created_at),
        started_at=write_time_or_null(call.answered_at),
        ended_at=write_time_or_null(call.ended_at),
        duration_seconds=call.talk_s if call.is_terminal else None,
        summary=None,
        transcript=None,
        recording_url=None,
        contact=_contact_body(view.contact) if view.contact is not None else None,
        variables=dict(call.script.variables),
        billing=_billing_body(call),
        ended_reason=call.disposition if call.is_terminal else None,
        hang_up_cause=str(call.cause) or None if call.cause is not None else None,
    )


def call_page_body(page: Page[CallView]) -> CallPageBody:
    """
    Return the answer to `GET /api/v1/calls`.
    """
    return CallPageBody(calls=[_summary_body(view) for view in page.records], **page_body(page))


def _summary_body(view: CallView) -> CallSummaryBody:
    call = view.call
    return CallSummaryBody(
        id=call.call_id,
        agent_id=call.assistant_id,
        agent_name=call.agent_name,
        status=call.status,
        type=OUTBOUND,
        phone_number=call.phone_number.e164,
        created_at=write_time(call.created_at),
        started_at=write_time_or_null(call.answered_at),
        ended_at=write_time_or_null(call.ended_at),
        duration_seconds=call.talk_s if call.is_terminal else None,
        summary=None,
        recording_url=None,
        contact=_contact_body(view.contact) if view.contact is not None else None,
        ended_reason=call.disposition if call.is_terminal else None,
    )


def _agent_body(call: Call) -> CallAgentBody:
    return CallAgentBody(id=call.agent_id, name=call.agent_name, assistant_id=call.assistant_id)


def _contact_body(contact: Person) -> CallContactBody:
    return CallContactBody(id=contact.id, name=contact.name, email=contact.email, company=contact.company)


def _billing_body(call: Call) -> BillingBody:
    status: Literal["held", "billed", "released"]
    if not call.is_terminal:
        status = "held"
    elif call.state is State.REVEALED:  # too late: its hold was released before
        status = "released"
    elif call.answered_at is not None and call.disposition is not Disposition.OUTCOME_UNKNOWN:
        status = "billed"
    else:
        status = "released"
    charge = as_number(call.charge_micros) if call.is_terminal else None
    return BillingBody(
        status=status,
        initial_charge=as_number(call.hold_micros),
        final_charge=charge,
        total_charge=charge,
        currency=call.rate.currency,
    )
