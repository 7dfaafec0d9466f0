"""
`POST /api/v1/calls/{id}/hang-up`: whatever a call does, it ends, and the answer is the call.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import attrs
import httpx2
import pytest

from outdial.domain.model.agent import RuntimeKind
from tests import builders
from tests.entrypoints.clinic import CLINIC, DIALLING_KEY, KEY, OTHERS_AGENT, OTHERS_KEY, READING_KEY
from tests.http.api import BODY, CALLS, MEMORY, Api, problem_of

NO_ANSWER: Final = "+15555550102"
BUSY: Final = "+15555550101"
TALKER: Final = builders.agent(
    id=700, assistant_id="assistant_sip", runtime=RuntimeKind.SIP_URI, sip_uri="sip:agent@example.com"
)
"""Talks for half a simulated minute."""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    """
    Where the simulated network writes down what it rings.
    """
    return tmp_path / "orders.jsonl"


@pytest.fixture
def dialling(log: Path) -> Iterator[Api]:
    """
    The interface in a process that dials one call at a time, on a network ten times as fast as the world.
    """
    settings = attrs.evolve(MEMORY, simulator_time_scale=0.1, simulator_log=str(log), live_calls_max=1)
    api = Api(settings, dials=True)
    api.run(api.storage.transact(lambda transaction: transaction.directory.add(TALKER)))
    yield api
    api.close()


def hang_up(api: Api, location: object, *, key: str | None = KEY) -> httpx2.Response:
    """
    Ask for a call's end.
    """
    headers = {"Authorization": f"Bearer {key}"} if key is not None else {}
    return api.ask("POST", f"{location}/hang-up", headers=headers)


def ended(body: dict[str, Any]) -> tuple[object, ...]:
    """
    Return how a call ended.
    """
    return body["status"], body["ended_reason"], body["billing"]["status"], body["billing"]["total_charge"]


def ordered(log: Path) -> list[str]:
    """
    Return the attempts that the simulated network rang.
    """
    return [json.loads(line)["attempt_id"] for line in log.read_text().splitlines()] if log.exists() else []


def test_a_queued_call_is_canceled_and_costs_nothing(api: Api) -> None:
    """
    The answer is the call as it is read from then on; its hold is free again.
    """
    location = api.post().headers["Location"]

    answer = hang_up(api, location)

    assert 200 == answer.status_code
    assert ("failed", "canceled", "released", 0.0) == ended(answer.json())
    assert ("2025-04-24T10:15:30Z", None, 0) == tuple(
        answer.json()[name] for name in ("ended_at", "started_at", "duration_seconds")
    )
    assert api.get(location).content == answer.content
    wallet = api.run(api.dialer.administration.wallet(CLINIC))
    assert (25_000_000, 0) == (wallet.balance_micros, wallet.held_micros)


def test_a_canceled_call_is_never_dialled(dialling: Api, log: Path) -> None:
    """
    The network's own log knows nothing of it, only of the calls before and after it.
    """
    first, canceled, third = (dialling.post({**BODY, "agent_id": TALKER.id}).json()["call_id"] for _ in range(3))
    dialling.until(f"{CALLS}/{first}", "in-progress")

    answer = hang_up(dialling, f"{CALLS}/{canceled}")
    hang_up(dialling, f"{CALLS}/{first}")
    dialling.until(f"{CALLS}/{third}", "in-progress")

    assert ("failed", "canceled", "released", 0.0) == ended(answer.json())
    assert [f"{first}_1", f"{third}_1"] == ordered(log)


def test_a_ringing_call_is_canceled_on_the_line(dialling: Api) -> None:
    """
    It is answered as it is, and has failed as soon as the network says so; it rings no longer than that.
    """
    location = dialling.post({**BODY, "phone_number": NO_ANSWER}).headers["Location"]
    dialling.until(location, "ringing")

    answer = hang_up(dialling, location)
    over = dialling.until(location, "failed")

    assert (200, "ringing") == (answer.status_code, answer.json()["status"])
    assert ("failed", "canceled", "released", 0.0) == ended(over)
    assert over["started_at"] is None


def test_a_call_in_progress_is_hung_up_and_billed(dialling: Api) -> None:
    """
    It is completed, and what was talked is paid.
    """
    location = dialling.post({**BODY, "agent_id": TALKER.id}).headers["Location"]
    dialling.until(location, "in-progress")

    answer = hang_up(dialling, location)
    over = dialling.until(location, "completed")

    assert (200, "in-progress", "held") == (
        answer.status_code,
        answer.json()["status"],
        answer.json()["billing"]["status"],
    )
    assert ("completed", "canceled", "billed", 0.05) == ended(over)
    assert 1 <= over["duration_seconds"] < 30


def test_again_and_too_late_are_answered_with_the_call(api: Api, dialling: Api) -> None:
    """
    A repeated request, and one for a call that is over, get the bytes of reading it.
    """
    canceled = api.post().headers["Location"]
    busy = dialling.post({**BODY, "phone_number": BUSY}).headers["Location"]
    dialling.until(busy, "failed")

    first, second = hang_up(api, canceled), hang_up(api, canceled)
    late = hang_up(dialling, busy)

    assert first.content == second.content == api.get(canceled).content
    assert ("failed", "busy", "released", 0.0) == ended(late.json())
    assert late.content == dialling.get(busy).content


def test_what_is_not_ones_own_is_not_found(api: Api) -> None:
    """
    Another account's call, an unknown one and what is no name at all get the same bytes, and nothing happens.
    """
    others = api.post({**BODY, "agent_id": OTHERS_AGENT}, key=OTHERS_KEY).json()
    before = api.everything()

    answers = [hang_up(api, f"{CALLS}/{name}") for name in (others["id"], others["call_id"], 999, "nonsense")]

    assert (404, "not_found") == problem_of(answers[0])
    assert 1 == len({answer.content for answer in answers})
    assert before == api.everything()


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (None, (401, "authentication_required")),
        ("od_live_nonsense", (401, "invalid_key")),
        (READING_KEY, (403, "permission_denied")),
    ],
)
def test_only_who_may_ask_for_calls_may_end_them(api: Api, key: str | None, expected: tuple[int, str]) -> None:
    """
    Whoever may not learns nothing, not even whether there is such a call.
    """
    location = api.post().headers["Location"]
    before = api.everything()

    answers = [hang_up(api, path, key=key) for path in (location, f"{CALLS}/999")]

    assert [expected] * 2 == [problem_of(answer) for answer in answers]
    assert before == api.everything()


def test_a_key_that_may_only_ask_for_calls_may_end_them(api: Api) -> None:
    """
    Reading is another permission.
    """
    location = api.post().headers["Location"]

    assert 200 == hang_up(api, location, key=DIALLING_KEY).status_code


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT"])
def test_nothing_is_hung_up_by_another_method(api: Api, method: str) -> None:
    """
    Following a link ends no call.
    """
    location = api.post().headers["Location"]

    answer = api.ask(method, f"{location}/hang-up", headers={"Authorization": f"Bearer {KEY}"})

    assert (405, "method_not_allowed", "POST") == (*problem_of(answer), answer.headers["Allow"])
    assert "queued" == api.get(location).json()["status"]
