"""
Who talks, to whom, and what is said.
"""

from outdial.domain.model.call import Script
from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.facts import Facts
from outdial.domain.model.reason import Reason
from outdial.domain.model.template import Variables, overlay, render


def agent_exists(_request: CallRequest, facts: Facts) -> Refused | None:
    """
    The agent is one of the account's; another account's is answered like none.
    """
    return None if facts.agent is not None else Refused(reason=Reason.AGENT_NOT_FOUND)


def contact_exists(request: CallRequest, facts: Facts) -> Refused | None:
    """
    The contact, if one is named, is one of the account's.
    """
    named = isinstance(request.content, CallFields) and request.content.contact_id is not None
    return Refused(reason=Reason.CONTACT_NOT_FOUND) if named and facts.contact is None else None


def variables_fill_the_texts(request: CallRequest, facts: Facts) -> Refused | None:
    """
    Every name in the agent's texts has a value or a fallback, before anything is dialled.
    """
    _script, missing = write_script(request, facts)
    problems = tuple(
        FieldProblem(field=f"variables.{name}", problem="The agent's texts need it and it has no value.")
        for name in missing
    )
    return Refused(reason=Reason.VALIDATION_ERROR, problems=problems) if problems else None


def agent_has_number(_request: CallRequest, facts: Facts) -> Refused | None:
    """
    The agent has a number of its own to be shown as caller ID.
    """
    has_number = facts.agent is not None and facts.agent.can_make_calls
    return None if has_number else Refused(reason=Reason.NO_PHONE_NUMBER)


def write_script(request: CallRequest, facts: Facts) -> tuple[Script, tuple[str, ...]]:
    """
    Render the agent's texts with the call's values: the request's win over the contact's, those over ours.

    A `custom_context` in the request is laid over the contact's, name by name.

    Returns:
        The script, and the names that are missing in it.
    """
    variables: Variables = request.content.variables if isinstance(request.content, CallFields) else {}
    known = {
        "phone_number": facts.callee.e164 if facts.callee is not None else None,
        "agent_name": facts.agent.name if facts.agent is not None else None,
        **(facts.contact.values if facts.contact is not None else {}),
    }
    values = overlay(variables, known)
    greeting = render(facts.agent.greeting if facts.agent is not None else "", values)
    instructions = render(facts.agent.instructions if facts.agent is not None else "", values)
    script = Script(greeting=greeting.text, instructions=instructions.text, variables=variables)
    return script, tuple(dict.fromkeys(greeting.missing + instructions.missing))
