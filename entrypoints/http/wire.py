"""
Names and shapes of the wire: domain values as JSON objects, in one place.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from outdial.domain.model.call import Call, Status
from outdial.domain.model.contact import Contact
from outdial.domain.model.decision import FieldProblem, Refused, Shortfall
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.money import as_number
from outdial.domain.model.policy import ESTIMATED_START_DELAY_S
from outdial.domain.model.reason import Reason
from outdial.domain.service.reading import CallView

TYPE: Final = "outbound"
"""Every call that outdial knows."""

Body = dict[str, Any]
"""A JSON object, ready to be written."""


def accepted_body(call: Call) -> Body:
    """
    Return the answer to `POST /api/v1/calls`: the same whenever it is given, whatever became of the call since.
    """
    return {
        "id": call.id,
        "call_id": call.call_id,
        "status": Status.QUEUED.value,
        "type": TYPE,
        "phone_number": call.phone_number.e164,
        "agent": _agent(call),
        "created_at": _time(call.created_at),
        "estimated_start": _time(call.created_at + timedelta(seconds=ESTIMATED_START_DELAY_S)),
    }


def call_body(view: CallView) -> Body:
    """
    Return the answer to `GET /api/v1/calls/{id}`.
    """
    call = view.call
    return {
        "id": call.id,
        "call_id": call.call_id,
        "agent": _agent(call),
        "status": call.status.value,
        "type": TYPE,
        "phone_number": call.phone_number.e164,
        "created_at": _time(call.created_at),
        "started_at": _time_or_null(call.answered_at),
        "ended_at": _time_or_null(call.ended_at),
        "duration_seconds": call.talk_s if call.is_terminal else None,
        "summary": None,
        "transcript": None,
        "recording_url": None,
        "contact": _contact(view.contact) if view.contact is not None else None,
        "variables": call.script.variables,
        "billing": _billing(call),
        "ended_reason": call.disposition.value if call.disposition is not None else None,
        "hang_up_cause": str(call.cause) or None if call.cause is not None else None,
    }


def problem_body(refused: Refused) -> Body:
    """
    Return the answer to a refused request.
    """
    body: Body = {"error": refused.reason.value, "message": refused.reason.sentence}
    if refused.problems:
        body["details"] = [_problem(problem) for problem in refused.problems]
    if refused.shortfall is not None:
        body |= _shortfall(refused.shortfall)
    return body


def unhealthy_body(checks: Mapping[str, str]) -> Body:
    """
    Return the answer of `/readyz` when something is not ready.
    """
    return {"error": Reason.UNAVAILABLE.value, "message": "outdial is not ready; see checks.", "checks": dict(checks)}


def _agent(call: Call) -> Body:
    return {"id": call.agent_id, "name": call.agent_name, "assistant_id": call.assistant_id}


def _contact(contact: Contact) -> Body:
    name = f"{contact.first_name} {contact.last_name}" if contact.last_name else contact.first_name
    return {"id": contact.id, "name": name, "email": contact.email, "company": contact.company}


def _billing(call: Call) -> Body:
    if not call.is_terminal:
        status, charge = "held", None
    elif call.answered_at is not None and call.disposition is not Disposition.OUTCOME_UNKNOWN:
        status, charge = "billed", as_number(call.charge_micros)
    else:
        status, charge = "released", as_number(call.charge_micros)
    return {
        "status": status,
        "initial_charge": as_number(call.hold_micros),
        "final_charge": charge,
        "total_charge": charge,
        "currency": call.rate.currency,
    }


def _problem(problem: FieldProblem) -> Body:
    return {"field": problem.field, "problem": problem.problem}


def _shortfall(shortfall: Shortfall) -> Body:
    return {
        "current_balance": as_number(shortfall.balance_micros),
        "available_balance": as_number(shortfall.available_micros),
        "required_rate": as_number(shortfall.rate_micros),
        "required_amount": as_number(shortfall.required_micros),
        "currency": shortfall.currency,
    }


def _time(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _time_or_null(at: datetime | None) -> str | None:
    return _time(at) if at is not None else None
