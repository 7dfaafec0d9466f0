"""
What a client asks for: the fields of a call, read from a JSON object or refused.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime
from itertools import islice
from typing import Final

import attrs

from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.identifiers import ID_MAX, AgentReference, read_agent_reference
from outdial.domain.model.principal import Credential
from outdial.domain.model.reason import Reason
from outdial.domain.model.template import PROBLEMS_MAX, Variables, is_clean, variable_problems

PHONE_NUMBER: Final = "phone_number"
AGENT_ID: Final = "agent_id"
CONTACT_ID: Final = "contact_id"
VARIABLES: Final = "variables"
ID_LENGTH_MAX: Final = 255
FIELDS: Final = (PHONE_NUMBER, AGENT_ID, CONTACT_ID, VARIABLES)


@attrs.frozen(kw_only=True)
class CallFields:
    """
    The fields of a call, each of its type; whether they name anything is for the rules to say.

    Attributes:
        phone_number: The number as it was written.

        contact_id: `None` when no contact was given.

        variables: A JSON object within its limits.
    """

    phone_number: str
    agent_id: AgentReference
    contact_id: int | None
    variables: Variables


@attrs.frozen(kw_only=True)
class CallRequest:
    """
    One request for a call, as it came in.

    Attributes:
        credential: Whom it claims to come from.

        content: Its fields, or why they can't be read.

        token: Random letters and digits for the call's public id.

        received_at: When it came in, in UTC: the `now` of its decision.

        idempotency_key: What the client calls this request by, so that it may ask again; 1 to 255 characters.
    """

    credential: Credential
    content: CallFields | Refused
    token: str
    received_at: datetime
    idempotency_key: str | None = None


def read_fields(body: Mapping[str, object]) -> CallFields | Refused:
    """
    Read a call's fields from a decoded JSON object; an absent, null or empty required field has a reason of its own.
    """
    phone_number, agent_id = body.get(PHONE_NUMBER), body.get(AGENT_ID)
    if phone_number in (None, ""):
        return Refused(reason=Reason.MISSING_PHONE_NUMBER)
    if agent_id in (None, ""):
        return Refused(reason=Reason.MISSING_AGENT_ID)
    contact_id, variables = body.get(CONTACT_ID), body.get(VARIABLES)
    problems = tuple(islice(_problems(body), PROBLEMS_MAX))
    if problems or not (isinstance(phone_number, str) and isinstance(agent_id, int | str)):
        return Refused(reason=Reason.VALIDATION_ERROR, problems=problems)
    return CallFields(
        phone_number=phone_number,
        agent_id=read_agent_reference(agent_id),
        contact_id=contact_id if isinstance(contact_id, int) else None,
        variables=variables if isinstance(variables, Mapping) else {},
    )


def _problems(body: Mapping[str, object]) -> Iterator[FieldProblem]:
    if not isinstance(body[PHONE_NUMBER], str):
        yield FieldProblem(field=PHONE_NUMBER, problem="It must be a string.")
    if not _is_integer(body[AGENT_ID]) and not _is_id_text(body[AGENT_ID]):
        yield FieldProblem(field=AGENT_ID, problem="It must be an integer or a string of at most 255 characters.")
    contact_id, variables = body.get(CONTACT_ID), body.get(VARIABLES)
    if contact_id is not None and not _is_integer(contact_id):
        yield FieldProblem(field=CONTACT_ID, problem="It must be an integer.")
    if isinstance(variables, Mapping):
        yield from (FieldProblem(field=VARIABLES, problem=problem) for problem in variable_problems(variables))
    elif variables is not None:
        yield FieldProblem(field=VARIABLES, problem="It must be an object.")
    unknown = (name for name in body if name not in FIELDS)
    yield from (FieldProblem(field=name[:ID_LENGTH_MAX], problem="There is no such field.") for name in unknown)


def _is_integer(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and abs(value) <= ID_MAX


def _is_id_text(value: object) -> bool:
    return isinstance(value, str) and len(value) <= ID_LENGTH_MAX and is_clean(value)
