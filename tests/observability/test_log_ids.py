"""
From a request's id to the call, and from the call to its attempt: by the lines of the log alone.
"""

import logging
from typing import Any

import pytest
import structlog
from structlog.testing import LogCapture

from tests.http.api import BODY, Api


@pytest.fixture
def lines() -> list[Any]:
    """
    What is logged while the test runs.
    """
    capture = LogCapture()
    structlog.configure(
        processors=[structlog.contextvars.merge_contextvars, capture],
        wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG),
    )
    return capture.entries


@pytest.mark.parametrize("number", ["+15551234567", "+15555550101"])
def test_a_request_leads_to_its_call_and_its_attempt(lines: list[Any], number: str) -> None:
    """
    One line has both ids of request and call; each line of the call has its id, and its attempt's once there is one.
    """
    api = Api(dials=True)
    answer = api.post({**BODY, "phone_number": number})
    call_id = answer.json()["call_id"]
    shown = api.until(answer.headers["Location"], "failed" if number.endswith("0101") else "completed")
    api.close()

    accepted = next(line for line in lines if line["event"] == "call_accepted")
    mine = [line for line in lines if line.get("call_id") == call_id]
    attempts = [line for line in mine if line["event"] in {"call_progress", "call_ended"}]

    assert call_id == shown["call_id"]
    assert answer.headers["X-Request-Id"] == accepted["request_id"]
    assert call_id == accepted["call_id"]
    assert attempts
    assert 1 == len({line["attempt_id"] for line in attempts})
    assert [] == [line for line in lines if line["event"].startswith("call_") and line.get("call_id") != call_id]


def test_every_line_of_a_request_has_its_id(lines: list[Any]) -> None:
    """
    Refused requests, too; their lines don't say what was asked for.
    """
    api = Api()
    answers = [api.post(body) for body in ({**BODY, "agent_id": 9999}, b"{")]
    api.close()

    assert [answer.headers["X-Request-Id"] for answer in answers] == [line["request_id"] for line in lines]
    assert ["agent_not_found", "invalid_json"] == [line["reason"] for line in lines]
