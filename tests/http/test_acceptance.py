"""
Calls that are accepted, as clients see it.
"""

import re

import pytest

from outdial.domain.model.wallet import EntryKind
from tests.entrypoints.clinic import AGENT, ASSISTANT, CALLEE, CLINIC, CONTACT, calls_of
from tests.http.api import CALLS, Api

EXAMPLE = {
    "phone_number": "+15551234567",
    "agent_id": 123,
    "contact_id": 456,
    "variables": {
        "customer_name": "John Doe",
        "appointment_time": "3:30 PM tomorrow",
        "custom_context": {"previous_purchase": "Premium Plan", "account_status": "Active"},
    },
}
"""The contract's example of a request."""


def test_contracts_example_is_answered_with_exactly_its_fields(api: Api) -> None:
    """
    The published example answers 201 with the published fields, in their order.
    """
    answer = api.post(EXAMPLE)

    body = answer.json()
    call_id = body["call_id"]
    assert 201 == answer.status_code
    assert [
        ("id", 1),
        ("call_id", call_id),
        ("status", "queued"),
        ("type", "outbound"),
        ("phone_number", "+15551234567"),
        ("agent", {"id": 123, "name": "Appointment Scheduler", "assistant_id": "assistant_abc123"}),
        ("created_at", "2025-04-24T10:15:30Z"),
        ("estimated_start", "2025-04-24T10:15:35Z"),
    ] == list(body.items())
    assert re.fullmatch(r"call_1_[0-9A-Za-z]{12}", call_id)


def test_acceptance_names_the_calls_address(api: Api) -> None:
    """
    `Location` leads to the call.
    """
    answer = api.post(EXAMPLE)

    location = answer.headers["Location"]
    assert f"{CALLS}/{answer.json()['call_id']}" == location
    assert answer.json()["id"] == api.get(location).json()["id"]


def test_acceptance_stores_one_call_and_one_hold(api: Api) -> None:
    """
    After 201 the call and its hold are in the database, and nothing else was posted.
    """
    api.post(EXAMPLE)

    (call,) = api.read(calls_of)
    entries = api.read(lambda reader: reader.wallets.entries(CLINIC))
    assert [(EntryKind.DEPOSIT, None), (EntryKind.HOLD, call.id)] == [(entry.kind, entry.call_id) for entry in entries]
    assert (CONTACT, EXAMPLE["variables"]) == (call.contact_id, call.script.variables)
    assert "Hello John Doe, this is Appointment Scheduler." == call.script.greeting


@pytest.mark.parametrize("agent_id", [AGENT, str(AGENT), ASSISTANT])
def test_agent_is_named_by_row_or_public_id(api: Api, agent_id: object) -> None:
    """
    A row as a number, a row as text and an `assistant_...` id name the same agent.
    """
    answer = api.post({"phone_number": CALLEE, "agent_id": agent_id})

    assert (201, AGENT) == (answer.status_code, answer.json()["agent"]["id"])


@pytest.mark.parametrize("written", ["+1 555 123 4567", "+1 (555) 123-4567", "+1.555.123.4567", "+15551234567"])
def test_number_is_answered_as_e164(api: Api, written: str) -> None:
    """
    Punctuation between the digits is dropped.
    """
    answer = api.post({"phone_number": written, "agent_id": AGENT})

    assert (201, CALLEE) == (answer.status_code, answer.json()["phone_number"])


@pytest.mark.parametrize("absent", [{}, {"contact_id": None, "variables": None}, {"variables": {}}])
def test_optional_fields_may_be_absent_or_null(api: Api, absent: dict[str, object]) -> None:
    """
    A call needs neither contact nor variables.
    """
    answer = api.post({"phone_number": CALLEE, "agent_id": AGENT, **absent})

    assert 201 == answer.status_code


@pytest.mark.parametrize("media_type", ["application/json", "Application/JSON", "application/json; charset=utf-8"])
def test_media_type_may_carry_parameters_in_any_case(api: Api, media_type: str) -> None:
    """
    `application/json` is recognised as RFC 9110, 8.3.1 writes media types.
    """
    answer = api.post(headers={"Content-Type": media_type})

    assert 201 == answer.status_code


def test_every_answer_has_a_request_id_of_its_own(api: Api) -> None:
    """
    No two answers share an `X-Request-Id`.
    """
    answers = [api.post(), api.post({}), api.get("/healthz"), api.get("/nowhere")]

    assert 4 == len({answer.headers["X-Request-Id"] for answer in answers})
