"""
`GET /api/v1/calls/{id}`: what became of a call, at each stage of its life.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import attrs
import pytest

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.model.listing import Page, PageRange
from outdial.domain.service.reading import CallView
from outdial.entrypoints.wire.calls import call_body, call_page_body
from tests import builders
from tests.entrypoints.clinic import AGENT, CLINIC, CONTACT, OTHERS_AGENT, OTHERS_KEY
from tests.http.api import BODY, CALLS, MEMORY, Api, problem_of

TYPES: Final[dict[str, Callable[[object], bool]]] = {
    "id": lambda value: type(value) is int,
    "agent": lambda value: isinstance(value, dict) and {"id", "name", "assistant_id"} == set(value),
    "call_id": lambda value: isinstance(value, str),
    "status": lambda value: isinstance(value, str),
    "type": lambda value: value == "outbound",
    "phone_number": lambda value: isinstance(value, str),
    "created_at": lambda value: isinstance(value, str) and value.endswith("Z"),
    "started_at": lambda value: value is None or (isinstance(value, str) and value.endswith("Z")),
    "ended_at": lambda value: value is None or (isinstance(value, str) and value.endswith("Z")),
    "duration_seconds": lambda value: value is None or type(value) is int,
    "summary": lambda value: value is None,
    "transcript": lambda value: value is None,
    "recording_url": lambda value: value is None,
    "contact": lambda value: (
        value is None or (isinstance(value, dict) and {"id", "name", "email", "company"} == set(value))
    ),
    "variables": lambda value: isinstance(value, dict),
    "billing": lambda value: (
        isinstance(value, dict)
        and {"status", "initial_charge", "final_charge", "total_charge", "currency"} == set(value)
    ),
    "ended_reason": lambda value: value is None or isinstance(value, str),
    "hang_up_cause": lambda value: value is None or isinstance(value, str),
}
"""The contract's fields, and what each may be."""

BUSY: Final = "+15555550101"
NO_ANSWER: Final = "+15555550102"


@contextmanager
def dialling(time_scale: float) -> Iterator[Api]:
    """
    Open an interface whose calls are dialled on the simulated network.
    """
    api = Api(attrs.evolve(MEMORY, simulator_time_scale=time_scale), dials=True)
    try:
        yield api
    finally:
        api.close()


def checked(body: dict[str, Any]) -> dict[str, Any]:
    """
    Return a body once it is sure that it has exactly the contract's fields, each of its type.
    """
    assert set(TYPES) == set(body)
    assert [] == [name for name, is_right in TYPES.items() if not is_right(body[name])]
    return body


def test_queued_call_has_its_hold_and_nothing_else(api: Api) -> None:
    """
    Before it is dialled, nothing has begun or ended and nothing is charged.
    """
    accepted = api.post({**BODY, "contact_id": CONTACT, "variables": {"plan": {"name": "Premium"}}}).json()

    body = checked(api.get(f"{CALLS}/{accepted['call_id']}").json())

    assert {name: accepted[name] for name in accepted if name != "estimated_start"} == {
        name: body[name] for name in accepted if name != "estimated_start"
    }
    assert ("queued", {"plan": {"name": "Premium"}}) == (body["status"], body["variables"])
    assert [None] * 5 == [
        body[name] for name in ("started_at", "ended_at", "duration_seconds", "ended_reason", "hang_up_cause")
    ]
    assert {"id": CONTACT, "name": "John Doe", "email": "john@example.com", "company": "Example"} == body["contact"]
    assert {
        "status": "held",
        "initial_charge": 1.5,
        "final_charge": None,
        "total_charge": None,
        "currency": "USD",
    } == body["billing"]


def test_ringing_call_has_not_started() -> None:
    """
    A phone that rings is not yet a conversation.
    """
    with dialling(time_scale=1.0) as api:
        location = api.post({**BODY, "phone_number": NO_ANSWER}).headers["Location"]

        body = checked(api.until(location, "ringing"))

    assert (None, None, "held") == (body["started_at"], body["ended_at"], body["billing"]["status"])


def test_call_in_progress_has_started() -> None:
    """
    From the answer on there is a start, but neither end nor duration.
    """
    with dialling(time_scale=0.1) as api:
        agent = builders.agent(
            id=700, assistant_id="assistant_sip", runtime=RuntimeKind.SIP_URI, sip_uri="sip:agent@example.com"
        )
        api.run(api.storage.transact(lambda transaction: transaction.directory.add(agent)))
        location = api.post({**BODY, "agent_id": 700}).headers["Location"]

        body = checked(api.until(location, "in-progress"))

    assert ("2025-04-24T10:15:30Z", None, None) == (body["started_at"], body["ended_at"], body["duration_seconds"])
    assert "held" == body["billing"]["status"]


def test_completed_call_is_billed_by_its_talk_time() -> None:
    """
    After the conversation the charge stands beside the hold, and the rest of it is free again.
    """
    with dialling(time_scale=0.0) as api:
        location = api.post().headers["Location"]

        body = checked(api.until(location, "completed"))
        wallet = api.run(api.dialer.administration.wallet(CLINIC))

    assert (3, "hang_up_agent", None) == (body["duration_seconds"], body["ended_reason"], body["hang_up_cause"])
    assert {
        "status": "billed",
        "initial_charge": 1.5,
        "final_charge": 0.05,
        "total_charge": 0.05,
        "currency": "USD",
    } == body["billing"]
    assert (24_950_000, 0) == (wallet.balance_micros, wallet.held_micros)


def test_failed_call_costs_nothing_and_says_why() -> None:
    """
    A busy callee ends the call as failed: our reason, the network's words, and the hold released.
    """
    with dialling(time_scale=0.0) as api:
        location = api.post({**BODY, "phone_number": BUSY}).headers["Location"]

        body = checked(api.until(location, "failed"))
        wallet = api.run(api.dialer.administration.wallet(CLINIC))

    assert ("busy", "486 Busy Here") == (body["ended_reason"], body["hang_up_cause"])
    assert (None, 0) == (body["started_at"], body["duration_seconds"])
    assert ("released", 0.0, 0.0) == tuple(body["billing"][name] for name in ("status", "final_charge", "total_charge"))
    assert (25_000_000, 0) == (wallet.balance_micros, wallet.held_micros)


def test_call_that_waits_for_its_next_attempt_has_no_end() -> None:
    """
    Whoever waits for an `ended_reason` is not told that of an attempt; the network's words are there to be read.
    """
    waiting = builders.call(disposition=Disposition.CARRIER_ERROR, cause=HangUpCause(code=503, words="Down"), attempt=1)

    body = checked(json.loads(json.dumps(call_body(CallView(call=waiting, contact=None)))))
    page = Page(records=(CallView(call=waiting, contact=None),), count=1, range=PageRange(limit=1), following=None)
    (summary,) = call_page_body(page)["calls"]

    assert ("queued", None, "503 Down") == (body["status"], body["ended_reason"], body["hang_up_cause"])
    assert summary["ended_reason"] is None


def test_call_whose_outcome_came_too_late_was_not_billed() -> None:
    """
    Its hold was released, and what it cost is not its account's.
    """
    revealed = builders.call(
        state=State.REVEALED, answered_at=builders.NOW, disposition=Disposition.HANG_UP_CALLEE, talk_s=60
    )

    body = call_body(CallView(call=revealed, contact=None))

    assert ("completed", "released", 0) == (body["status"], body["billing"]["status"], body["billing"]["total_charge"])


def test_call_is_read_by_row_and_by_its_public_id(api: Api) -> None:
    """
    Both names lead to the same answer.
    """
    accepted = api.post().json()

    answers = [api.get(f"{CALLS}/{accepted[name]}") for name in ("id", "call_id")]

    assert [200, 200] == [answer.status_code for answer in answers]
    assert answers[0].content == answers[1].content


@pytest.mark.parametrize(
    "name",
    [
        "2",
        "0",
        "-1",
        "01",
        "1.0",
        "+1",
        "\N{ARABIC-INDIC DIGIT ONE}",
        "9" * 19,
        "9" * 5000,
        "call_1_000000000000",
        "call_1_",
        "call_1",
        "call_2_{token}",
        "CALL_1_{token}",
        "call_1_{token}0",
        "call_1_{token}%0A",
        "call_1_{token}%00",
        "%2e%2e",
    ],
    ids=lambda name: ascii(name)[:30],
)
def test_every_other_name_is_not_found(api: Api, name: str) -> None:
    """
    A wrong token, a wrong row and what is no name at all get the same bytes.
    """
    token = api.post().json()["call_id"].removeprefix("call_1_")

    answer = api.get(f"{CALLS}/{name.format(token=token)}")

    assert (404, "not_found") == problem_of(answer)
    assert api.get(f"{CALLS}/999").content == answer.content


def test_another_accounts_call_is_answered_like_none(api: Api) -> None:
    """
    The bytes of the answer don't tell whether a call exists elsewhere.
    """
    others = api.post({**BODY, "agent_id": OTHERS_AGENT}, key=OTHERS_KEY).json()

    answers = [api.get(f"{CALLS}/{name}") for name in (others["id"], others["call_id"], 999)]

    assert (404, "not_found") == problem_of(answers[0])
    assert 1 == len({answer.content for answer in answers})


def test_call_keeps_what_was_true_when_it_was_accepted(api: Api) -> None:
    """
    The agent of the answer is the one that was asked for.
    """
    location = api.post({**BODY, "agent_id": AGENT}).headers["Location"]

    assert {"id": AGENT, "name": "Appointment Scheduler", "assistant_id": "assistant_abc123"} == (
        api.get(location).json()["agent"]
    )
