"""
What clients send to ask for a call.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal, TypeVar

from pydantic import AfterValidator, Field

from outdial.domain.model.call import Status
from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import Refused
from outdial.domain.model.idempotency import KEY_LENGTH_MAX, KEY_PATTERN, read_idempotency_key
from outdial.domain.model.identifiers import ID_MAX, read_agent_reference
from outdial.domain.model.listing import CallFilter
from outdial.domain.model.reason import Reason
from outdial.domain.model.template import (
    VARIABLES_BYTES_MAX,
    VARIABLES_DEPTH_MAX,
    VARIABLES_NAMES_MAX,
)
from outdial.entrypoints.wire.calls import CallType
from outdial.entrypoints.wire.pages import PageQuery
from outdial.entrypoints.wire.reading import QueryNumber, RequestBody, RowId, Says, clean, read
from outdial.entrypoints.wire.variables import within_limits


def _key(text: str) -> str:
    key = read_idempotency_key(text)
    if key is None:
        raise ValueError(text)
    return key


AgentId = Annotated[str, Field(min_length=1, max_length=255), AfterValidator(clean)]
IdempotencyKey = Annotated[
    str,
    Field(pattern=f"^({KEY_PATTERN})$"),
    AfterValidator(_key),
    Says(f"It must be 1 to {KEY_LENGTH_MAX} visible ASCII characters."),
]
B = TypeVar("B", bound="CallBody")


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
        AfterValidator(within_limits),
        Field(
            description=(
                "Context for this call, may nest; the agent's texts use it as `{{name}}`."
                f" At most {VARIABLES_NAMES_MAX} names of letters, digits and underscores,"
                f" {VARIABLES_DEPTH_MAX} levels, {VARIABLES_BYTES_MAX} bytes."
            ),
            examples=[
                {
                    "customer_name": "John Doe",
                    "appointment_time": "3:30 PM tomorrow",
                    "custom_context": {"previous_purchase": "Premium Plan", "account_status": "Active"},
                }
            ],
        ),
    ] = None

    @property
    def fields(self) -> CallFields:
        """
        What of it the rules judge.
        """
        return CallFields(
            phone_number=self.phone_number,
            agent_id=read_agent_reference(self.agent_id),
            contact_id=self.contact_id,
            variables=self.variables or {},
        )


class CallsQuery(PageQuery):
    """
    Which calls are listed.
    """

    agent_id: Annotated[
        AgentId | None,
        Says("It must be an agent's id of at most 255 characters."),
        Field(description="Of one agent: its database id or its `assistant_id`.", examples=["123"]),
    ] = None
    status: Annotated[
        Status | Literal["unknown"] | None,
        Says(f"It must be one of {', '.join(Status)}, unknown."),
        Field(description="In one status; `unknown` are those of `dialing` whose outcome nobody knows."),
    ] = None
    type: Annotated[CallType | None, Says("It must be outbound."), Field(description="Every call is outbound.")] = None
    contact_id: Annotated[
        Annotated[QueryNumber, Field(ge=-ID_MAX, le=ID_MAX)] | None,
        Says("It must be an integer."),
        Field(description="To one contact.", examples=[456]),
    ] = None
    idempotency_key: Annotated[
        IdempotencyKey | None,
        Field(description="Asked for with this `Idempotency-Key`: finds the call whose answer was lost."),
    ] = None

    @property
    def filter(self) -> CallFilter:
        """
        Which calls fit.
        """
        return CallFilter(
            agent_id=read_agent_reference(self.agent_id) if self.agent_id is not None else None,
            contact_id=self.contact_id,
            status=self.status,
            idempotency_key=self.idempotency_key,
        )


def read_fields(body: Mapping[str, object]) -> CallFields | Refused:
    """
    Read a call's fields from a decoded JSON object.
    """
    asked = read_call(CallBody, body)
    return asked if isinstance(asked, Refused) else asked.fields


def read_call(model: type[B], body: Mapping[str, object]) -> B | Refused:
    """
    Read a request for a call; an absent, null or empty required field has a reason of its own.
    """
    if body.get("phone_number") in (None, ""):
        return Refused(reason=Reason.MISSING_PHONE_NUMBER)
    if body.get("agent_id") in (None, ""):
        return Refused(reason=Reason.MISSING_AGENT_ID)
    return read(model, body)
