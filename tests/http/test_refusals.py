"""
The contract's table of errors: each row answers with its status, its code and the one shape, and changes nothing.
"""

from collections.abc import Callable
from http import HTTPStatus

import attrs
import httpx2
import pytest

from outdial.domain.model.reason import Reason
from outdial.entrypoints.http.problems import STATUS
from outdial.ports.errors import StorageError
from tests.entrypoints.clinic import (
    AGENT,
    CALLEE,
    CURIOUS_AGENT,
    EXHAUSTED_KEY,
    KEY,
    LISTED,
    OTHERS_AGENT,
    OTHERS_CONTACT,
    POOR_AGENT,
    POOR_KEY,
    PREMIUM,
    READING_KEY,
    SILENT_AGENT,
    UNKNOWN_KEY,
)
from tests.http.api import BODY, CALLS, Api, problem_of
from tests.http.storages import FailingStorage

ELSEWHERE = {
    Reason.UNAVAILABLE,
    Reason.SERVER_ERROR,
    Reason.IDEMPOTENCY_CONFLICT,
    Reason.IDEMPOTENCY_KEY_EXPIRED,
    Reason.HEADERS_TOO_LARGE,
    Reason.ORIGIN_NOT_ALLOWED,
}


@attrs.frozen
class Row:
    """
    One way to be refused.
    """

    status: int
    code: str
    ask: Callable[[Api], httpx2.Response]

    def __str__(self) -> str:
        return self.code


def _post(**fields: object) -> Callable[[Api], httpx2.Response]:
    return lambda api: api.post({**BODY, **fields})


ROWS = (
    Row(401, "authentication_required", lambda api: api.post(key=None)),
    Row(401, "invalid_key", lambda api: api.post(key=UNKNOWN_KEY)),
    Row(403, "permission_denied", lambda api: api.post(key=READING_KEY)),
    Row(413, "payload_too_large", lambda api: api.post(b" " * 65_537)),
    Row(415, "unsupported_media_type", lambda api: api.post(headers={"Content-Type": "text/plain"})),
    Row(400, "invalid_json", lambda api: api.post(b"{")),
    Row(400, "missing_phone_number", lambda api: api.post({"agent_id": AGENT})),
    Row(400, "missing_phone_number", _post(phone_number=None)),
    Row(400, "missing_phone_number", _post(phone_number="")),
    Row(400, "missing_agent_id", lambda api: api.post({"phone_number": CALLEE})),
    Row(400, "missing_agent_id", _post(agent_id=None)),
    Row(400, "missing_agent_id", _post(agent_id="")),
    Row(400, "validation_error", _post(phone_number=15551234567)),
    Row(400, "validation_error", _post(agent_id=1.5)),
    Row(400, "validation_error", _post(agent_id=True)),
    Row(400, "validation_error", _post(agent_id=2**63)),
    Row(400, "validation_error", _post(agent_id="a" * 256)),
    Row(400, "validation_error", _post(contact_id="456")),
    Row(400, "validation_error", _post(variables=[])),
    Row(400, "validation_error", _post(variables={"not a name": 1})),
    Row(400, "validation_error", _post(variables={"text": "x" * 16_384})),
    Row(400, "validation_error", _post(colour="blue")),
    Row(400, "validation_error", _post(agent_id=CURIOUS_AGENT)),
    Row(429, "rate_limit_exceeded", lambda api: api.post(key=EXHAUSTED_KEY)),
    Row(400, "invalid_phone_number", _post(phone_number="call me")),
    Row(400, "invalid_phone_number", _post(phone_number="5551234567")),
    Row(400, "invalid_phone_number", _post(phone_number="+1911")),
    Row(400, "invalid_phone_number", _post(phone_number="+49110")),
    Row(400, "invalid_phone_number", _post(phone_number="+15551234567;ext=1")),
    Row(404, "agent_not_found", _post(agent_id=9999)),
    Row(404, "agent_not_found", _post(agent_id="assistant_nobody")),
    Row(404, "agent_not_found", _post(agent_id=OTHERS_AGENT)),
    Row(404, "contact_not_found", _post(contact_id=9999)),
    Row(404, "contact_not_found", _post(contact_id=OTHERS_CONTACT)),
    Row(404, "no_phone_number", _post(agent_id=SILENT_AGENT)),
    Row(403, "destination_not_allowed", _post(phone_number=PREMIUM)),
    Row(403, "do_not_call", _post(phone_number=LISTED)),
    Row(402, "insufficient_funds", lambda api: api.post({**BODY, "agent_id": POOR_AGENT}, key=POOR_KEY)),
    Row(400, "invalid_http", lambda api: api.ask("GET", CALLS, headers=[("X-API-Key", KEY), ("X-API-Key", KEY)])),
    Row(404, "not_found", lambda api: api.get(f"{CALLS}/1")),
    Row(404, "not_found", lambda api: api.get("/api/v2/calls")),
    Row(405, "method_not_allowed", lambda api: api.ask("DELETE", CALLS)),
)


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_row_answers_its_status_and_code_and_changes_nothing(api: Api, row: Row) -> None:
    """
    A refused request is told why in one shape, and leaves wallets, ledgers, calls and records as they were.
    """
    before = api.everything()

    answer = row.ask(api)

    assert (row.status, row.code) == problem_of(answer)
    assert before == api.everything()


def test_table_covers_every_reason_that_a_request_can_get() -> None:
    """
    What is missing in the table above has tests of its own: a broken server, and requests that came before.
    """
    covered = {row.code for row in ROWS}

    assert set(Reason) - ELSEWHERE == covered


def test_every_reason_has_a_status() -> None:
    """
    The dictionary from reason to status is total, and every status tells of an error.
    """
    assert set(Reason) == set(STATUS)
    assert all(HTTPStatus.BAD_REQUEST <= status for status in STATUS.values())


def test_insufficient_funds_carries_its_figures(api: Api) -> None:
    """
    402 tells what there is and what it takes, in currency units.
    """
    answer = api.post({**BODY, "agent_id": POOR_AGENT}, key=POOR_KEY)

    assert {
        "error": "insufficient_funds",
        "message": "Insufficient funds to make the call.",
        "current_balance": 0.02,
        "available_balance": 0.02,
        "required_rate": 0.05,
        "required_amount": 0.05,
        "currency": "USD",
    } == answer.json()


def test_available_balance_is_what_open_holds_leave(api: Api) -> None:
    """
    Calls that are under way lower what is available, not what is owned.
    """
    while (answer := api.post()).status_code == HTTPStatus.CREATED:
        pass

    body = answer.json()
    assert (402, 25.0, 0.0) == (answer.status_code, body["current_balance"], body["available_balance"])


def test_validation_error_lists_each_problem(api: Api) -> None:
    """
    All wrong fields are told at once, each by its name on the wire.
    """
    answer = api.post({**BODY, "phone_number": 1, "agent_id": [], "contact_id": "x", "variables": 1, "colour": "blue"})

    details = answer.json()["details"]
    assert ["phone_number", "agent_id", "contact_id", "variables", "colour"] == [detail["field"] for detail in details]
    assert all(set(detail) == {"field", "problem"} and detail["problem"].endswith(".") for detail in details)


def test_missing_variable_is_named(api: Api) -> None:
    """
    A name that the greeting needs is told before anything is dialled.
    """
    answer = api.post({**BODY, "agent_id": CURIOUS_AGENT})

    assert ["variables.customer_name"] == [detail["field"] for detail in answer.json()["details"]]


@pytest.mark.parametrize(
    ("others", "unknown"),
    [({"agent_id": OTHERS_AGENT}, {"agent_id": 9999}), ({"contact_id": OTHERS_CONTACT}, {"contact_id": 9999})],
)
def test_another_accounts_record_is_answered_like_none(
    api: Api, others: dict[str, object], unknown: dict[str, object]
) -> None:
    """
    The bytes of the answer don't tell whether the record exists elsewhere.
    """
    answers = [api.post({**BODY, **fields}) for fields in (others, unknown)]

    assert 404 == answers[0].status_code
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize("key", [None, UNKNOWN_KEY])
def test_unauthorized_names_the_scheme(api: Api, key: str | None) -> None:
    """
    401 carries `WWW-Authenticate` (RFC 9110, 11.6.1).
    """
    answer = api.post(key=key)

    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_storage_that_cannot_commit_is_unavailable_and_accepts_nothing() -> None:
    """
    Without a durable row there is no 201: the client is told when to try again.
    """
    api = Api(storage=FailingStorage(lambda: StorageError("The disk is full. Nothing was written.")))
    before = api.everything()

    answer = api.post()

    assert (503, "unavailable") == problem_of(answer)
    assert "1" == answer.headers["Retry-After"]
    assert before == api.everything()
    api.close()
