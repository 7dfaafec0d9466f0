"""
Reading a call's fields from a JSON object.
"""

from typing import Any

import pytest

from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.reason import Reason
from outdial.domain.model.template import PROBLEMS_MAX
from outdial.entrypoints.wire.call_requests import read_fields

BODY = {"phone_number": "+15551234567", "agent_id": 123}
NOT_AN_ID = "It must be an integer or a string of at most 255 characters."


def test_every_field_is_read() -> None:
    """
    The reference's example gives all four fields.
    """
    variables = {"customer_name": "John Doe", "custom_context": {"account_status": "Active"}}

    fields = read_fields({**BODY, "contact_id": 456, "variables": variables})

    expected = CallFields(phone_number="+15551234567", agent_id=123, contact_id=456, variables=variables)
    assert expected == fields


@pytest.mark.parametrize("optional", [{}, {"contact_id": None}, {"variables": None}, {"variables": {}}])
def test_optional_fields_may_be_absent_null_or_empty(optional: dict[str, Any]) -> None:
    """
    Without a contact and without variables there are none.
    """
    expected = CallFields(phone_number="+15551234567", agent_id=123, contact_id=None, variables={})

    assert expected == read_fields({**BODY, **optional})


@pytest.mark.parametrize(
    ("agent_id", "reference"),
    [
        (0, 0),
        (-5, -5),
        (ID_MAX, ID_MAX),
        ("123", 123),
        ("assistant_abc123", "assistant_abc123"),
        ("x" * 255, "x" * 255),
        (" ", " "),
    ],
)
def test_an_agent_is_an_integer_or_a_text(agent_id: object, reference: object) -> None:
    """
    Whether such an agent exists is for a rule to say.
    """
    fields = read_fields({**BODY, "agent_id": agent_id})

    assert isinstance(fields, CallFields)
    assert reference == fields.agent_id


def test_a_whole_number_may_be_written_with_a_point() -> None:
    """
    JSON has one kind of numbers (RFC 8259, 6), and its schemas take 4.0 for an integer.
    """
    fields = read_fields({**BODY, "agent_id": 1.0, "contact_id": 4.0})

    assert isinstance(fields, CallFields)
    assert (1, 4) == (fields.agent_id, fields.contact_id)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, Reason.MISSING_PHONE_NUMBER),
        ({"agent_id": 123}, Reason.MISSING_PHONE_NUMBER),
        ({"phone_number": None, "agent_id": 123}, Reason.MISSING_PHONE_NUMBER),
        ({"phone_number": "", "agent_id": 123}, Reason.MISSING_PHONE_NUMBER),
        ({"phone_number": None, "agent_id": None, "other": 1}, Reason.MISSING_PHONE_NUMBER),
        ({"phone_number": "+15551234567"}, Reason.MISSING_AGENT_ID),
        ({"phone_number": "+15551234567", "agent_id": None}, Reason.MISSING_AGENT_ID),
        ({"phone_number": "+15551234567", "agent_id": ""}, Reason.MISSING_AGENT_ID),
        ({"phone_number": 15551234567, "agent_id": "", "other": 1}, Reason.MISSING_AGENT_ID),
    ],
)
def test_a_missing_field_has_a_reason_of_its_own(body: dict[str, Any], reason: Reason) -> None:
    """
    Absent, null and empty are missing; the number is missed first, and both before anything is wrong.
    """
    assert Refused(reason=reason) == read_fields(body)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("phone_number", 15551234567, "It must be a string."),
        ("phone_number", 0, "It must be a string."),
        ("phone_number", False, "It must be a string."),
        ("phone_number", ["+15551234567"], "It must be a string."),
        ("phone_number", {}, "It must be a string."),
        ("agent_id", 1.5, NOT_AN_ID),
        ("agent_id", True, NOT_AN_ID),
        ("agent_id", False, NOT_AN_ID),
        ("agent_id", [], NOT_AN_ID),
        ("agent_id", {}, NOT_AN_ID),
        ("agent_id", ID_MAX + 1, NOT_AN_ID),
        ("agent_id", -ID_MAX - 1, NOT_AN_ID),
        ("agent_id", "x" * 256, NOT_AN_ID),
        ("agent_id", "a\x00", NOT_AN_ID),
        ("agent_id", "\ud800", NOT_AN_ID),
        ("contact_id", "456", "It must be an integer."),
        ("contact_id", "", "It must be an integer."),
        ("contact_id", 4.5, "It must be an integer."),
        ("contact_id", 2.0**53, "It must be an integer."),
        ("contact_id", float("inf"), "It must be an integer."),
        ("contact_id", True, "It must be an integer."),
        ("contact_id", ID_MAX + 1, "It must be an integer."),
        ("variables", [], "It must be an object."),
        ("variables", "", "It must be an object."),
        ("variables", 0, "It must be an object."),
        ("variables", {"a": float("nan")}, "A number is not finite."),
        ("other", None, "There is no such field."),
        ("", 1, "There is no such field."),
        ("Phone_number", 1, "There is no such field."),
    ],
)
def test_a_field_of_a_wrong_type_is_told(field: str, value: object, problem: str) -> None:
    """
    Each field has its type, and a boolean is no integer.
    """
    refused = Refused(reason=Reason.VALIDATION_ERROR, problems=(FieldProblem(field=field, problem=problem),))

    assert refused == read_fields({**BODY, field: value})


def test_all_problems_are_listed_in_order() -> None:
    """
    Known fields come in the contract's order, unknown ones in the client's; nobody is told more than enough.
    """
    unknown = {f"field_{number}": None for number in reversed(range(30))}

    refused = read_fields(
        {**unknown, "variables": {"-": 1, "a": b""}, "contact_id": "1", "agent_id": 1.5, "phone_number": 1}
    )

    assert isinstance(refused, Refused)
    known = ["phone_number", "agent_id", "contact_id", "variables", "variables"]
    assert (known + list(unknown))[:PROBLEMS_MAX] == [problem.field for problem in refused.problems]
