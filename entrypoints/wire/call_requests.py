"""
What clients send to ask for a call.
"""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field

from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import read_agent_reference
from outdial.domain.model.reason import Reason
from outdial.domain.model.template import is_clean, variable_problems
from outdial.entrypoints.wire.reading import RequestBody, RowId, Says, problem, read


def _clean(text: str) -> str:
    if not is_clean(text):
        raise ValueError(text)
    return text


def _within_limits(variables: dict[str, Any] | None) -> dict[str, Any] | None:
    problems = variable_problems(variables or {})
    if problems:
        raise problem(*problems)
    return variables


AgentId = Annotated[str, Field(max_length=255), AfterValidator(_clean)]


class CallBody(RequestBody):
    """
    A call that a client asks for.
    """

    phone_number: Annotated[
        str,
        Says("It must be a string."),
        Field(description="The number to call, E.164.", min_length=1, examples=["+15551234567"]),
    ]
    agent_id: Annotated[
        RowId | AgentId,
        Says("It must be an integer or a string of at most 255 characters."),
        Field(description="The agent: its database id or its `assistant_id`.", examples=[123, "assistant_abc123"]),
    ]
    contact_id: Annotated[
        RowId | None, Says("It must be an integer."), Field(description="An existing contact.", examples=[456])
    ] = None
    variables: Annotated[
        dict[str, Any] | None,
        Says("It must be an object."),
        AfterValidator(_within_limits),
        Field(
            description="Context for this call, may nest; the agent's texts use it as `{{name}}`.",
            examples=[{"customer_name": "John Doe", "custom_context": {"account_status": "Active"}}],
        ),
    ] = None


def read_fields(body: Mapping[str, object]) -> CallFields | Refused:
    """
    Read a call's fields from a decoded JSON object; an absent, null or empty required field has a reason of its own.
    """
    if body.get("phone_number") in (None, ""):
        return Refused(reason=Reason.MISSING_PHONE_NUMBER)
    if body.get("agent_id") in (None, ""):
        return Refused(reason=Reason.MISSING_AGENT_ID)
    read_body = read(CallBody, body)
    if isinstance(read_body, Refused):
        return read_body
    return CallFields(
        phone_number=read_body.phone_number,
        agent_id=read_agent_reference(read_body.agent_id),
        contact_id=read_body.contact_id,
        variables=read_body.variables or {},
    )
