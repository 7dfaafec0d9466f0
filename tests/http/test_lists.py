"""
Finding calls again: `GET /api/v1/calls`.
"""

from typing import Any

import pytest

from tests.entrypoints.clinic import (
    AGENT,
    ASSISTANT,
    CONTACT,
    DIALLING_KEY,
    KEY,
    OTHERS_AGENT,
    OTHERS_KEY,
    READING_KEY,
    UNKNOWN_KEY,
)
from tests.http.api import BODY, CALLS, Api, problem_of

WITH_CONTACT = {**BODY, "contact_id": CONTACT}


def _ids(body: dict[str, Any]) -> list[str]:
    return [call["id"] for call in body["calls"]]


def _ask(api: Api, count: int, body: dict[str, Any] = BODY) -> list[str]:
    """
    Have calls accepted and return their ids, newest first.
    """
    return [api.post(body).json()["call_id"] for _ in range(count)][::-1]


def test_a_list_tells_what_the_contract_says(api: Api) -> None:
    """
    The contract's fields, with the contact as it is now.
    """
    call_id = api.post(WITH_CONTACT).json()["call_id"]

    body = api.get(CALLS).json()

    expected = {
        "id": call_id,
        "agent_id": ASSISTANT,
        "agent_name": "Appointment Scheduler",
        "status": "queued",
        "type": "outbound",
        "phone_number": BODY["phone_number"],
        "created_at": "2025-04-24T10:15:30Z",
        "started_at": None,
        "ended_at": None,
        "duration_seconds": None,
        "summary": None,
        "recording_url": None,
        "contact": api.get(f"{CALLS}/{call_id}").json()["contact"],
        "ended_reason": None,
    }
    assert [expected] == body.pop("calls")
    assert {"count": 1, "count_is_exact": True, "page": 1, "limit": 10, "pages": 1, "next_cursor": None} == body


def test_pages_by_number_and_by_cursor(api: Api) -> None:
    """
    Ten calls a page unless asked otherwise; a cursor's pages stay as they were when calls come in between.
    """
    asked = _ask(api, 12)

    first = api.get(CALLS).json()
    newer = _ask(api, 1)
    by_cursor = api.get(f"{CALLS}?cursor={first['next_cursor']}").json()
    by_number = api.get(f"{CALLS}?page=3&limit=5").json()

    assert (asked[:10], asked[10:]) == (_ids(first), _ids(by_cursor))
    assert by_cursor["next_cursor"] is None
    assert (newer + asked)[10:] == _ids(by_number)
    assert (13, 3, 5, 3) == tuple(by_number[name] for name in ("count", "page", "limit", "pages"))


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", 3),
        (f"agent_id={AGENT}", 3),
        (f"agent_id={ASSISTANT}", 3),
        (f"agent_id={OTHERS_AGENT}", 0),
        ("agent_id=nobody", 0),
        (f"contact_id={CONTACT}", 1),
        ("contact_id=2222", 0),
        (f"contact_id={CONTACT}&agent_id={AGENT}&status=queued&type=outbound", 1),
        ("status=queued", 3),
        ("status=in-progress", 0),
        ("type=outbound", 3),
        ("page=2", 0),
        ("cursor=0", 0),
    ],
)
def test_filters(api: Api, query: str, found: int) -> None:
    """
    What belongs to others is like what is not there: nothing fits.
    """
    _ask(api, 2)
    _ask(api, 1, WITH_CONTACT)

    assert found == len(api.get(f"{CALLS}?{query}").json()["calls"])


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("limit=1e1", "limit"),
        ("limit=1_0", "limit"),
        ("limit=+5", "limit"),
        ("limit=", "limit"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=1002", "limit"),
        ("page=99999999999999999999", "page"),
        ("page=2&cursor=5", "cursor"),
        ("cursor=-1", "cursor"),
        ("cursor=call_1", "cursor"),
        (f"cursor={2**63}", "cursor"),
        ("status=ended", "status"),
        ("status=QUEUED", "status"),
        ("type=inbound", "type"),
        ("agent_id=", "agent_id"),
        (f"agent_id={'x' * 256}", "agent_id"),
        ("agent_id=%00", "agent_id"),
        ("contact_id=first", "contact_id"),
        (f"contact_id={2**64}", "contact_id"),
        ("idempotency_key=", "idempotency_key"),
        ("idempotency_key=%C3%A4", "idempotency_key"),
        ("state=queued", "state"),
        ("Status=queued", "Status"),
        ("limit=5&limit=6", "limit"),
    ],
)
def test_what_can_t_be_asked_for_is_told(api: Api, query: str, field: str) -> None:
    """
    Unknown names and values are refused, not ignored.
    """
    answer = api.get(f"{CALLS}?{query}")

    assert (400, "validation_error") == problem_of(answer)
    assert [field] == [problem["field"] for problem in answer.json()["details"]]


def test_a_stranger_learns_nothing_of_what_is_wrong(api: Api) -> None:
    """
    The key and its permission come before the question.
    """
    for query in ("", "?limit=0"):
        assert (401, "invalid_key") == problem_of(api.get(CALLS + query, key=UNKNOWN_KEY))
        assert (403, "permission_denied") == problem_of(api.get(CALLS + query, key=DIALLING_KEY))


def test_each_account_lists_its_own(api: Api) -> None:
    """
    Counts and cursors tell nothing of others either.
    """
    mine = _ask(api, 2)
    others = api.post({**BODY, "agent_id": OTHERS_AGENT}, key=OTHERS_KEY).json()["call_id"]

    assert mine == _ids(api.get(CALLS, key=READING_KEY).json())
    assert ([others], 1) == ((body := api.get(CALLS, key=OTHERS_KEY).json()) and _ids(body), body["count"])


def test_a_call_whose_answer_was_lost_is_found_by_its_key(api: Api) -> None:
    """
    The `Idempotency-Key` of the request finds the call; of another account's key, nothing.
    """
    call_id = api.post(headers={"Idempotency-Key": "order-17"}).json()["call_id"]
    _ask(api, 1)
    query = f"{CALLS}?idempotency_key=order-17"

    assert [call_id] == _ids(api.get(query).json())
    assert [call_id] == _ids(api.get(f"{query}&status=queued&agent_id={AGENT}").json())
    assert [] == _ids(api.get(f"{query}&status=failed").json())
    assert [] == _ids(api.get(f"{query}&cursor=1").json())
    assert [] == _ids(api.get(f"{CALLS}?idempotency_key=order-18").json())
    assert [] == _ids(api.get(query, key=OTHERS_KEY).json())


@pytest.mark.parametrize("key", [KEY, READING_KEY])
def test_other_operations_refuse_a_query_that_they_don_t_know(api: Api, key: str) -> None:
    """
    Whoever misspells a name must not believe that it was heard.
    """
    call_id = api.post().json()["call_id"]

    assert (400, "validation_error") == problem_of(api.get(f"{CALLS}/{call_id}?verbose=1", key=key))
    assert (400, "validation_error") == problem_of(api.post(path=f"{CALLS}?dry_run=1"))
