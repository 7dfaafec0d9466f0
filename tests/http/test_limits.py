"""
Requests per minute: counted for who proves a key, told in headers, refused in the contract's order.
"""

import re
from collections.abc import Sequence
from typing import Final

import httpx2
import pytest

from outdial.adapters.memory.storage import MemoryStorage
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Decision, Refused
from outdial.domain.model.identifiers import KEY_SECRET_LENGTH, write_key
from outdial.domain.model.policy import Policy
from outdial.domain.model.principal import ApiKey, PresentedKey
from outdial.domain.model.rate_limit import Limit
from outdial.domain.model.reason import Reason
from outdial.ports.storage import DecideAll
from tests.entrypoints.clinic import (
    EXHAUSTED_KEY,
    EXPIRED_KEY,
    KEY,
    READING_KEY,
    REVOKED_KEY,
    UNKNOWN_KEY,
    WRONG_SECRET_KEY,
)
from tests.http.api import BODY, CALLS, Api, problem_of

BOTH: Final = ("can_initiate_calls", "can_read_calls")


class CountingStorage(MemoryStorage):
    """
    Counts the batches that it is asked to decide.
    """

    def __init__(self) -> None:
        super().__init__()
        self.batches = 0

    async def accept(self, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
        """
        Decide a batch.
        """
        self.batches += 1
        return await super().accept(batch, policy, decide_all)


def new_key(api: Api, per_minute: int, permissions: Sequence[str] = BOTH) -> tuple[ApiKey, str]:
    """
    Make a key of the clinic's with a limit.
    """
    return api.run(api.dialer.administration.create_key(1, permissions, requests_per_minute=per_minute))


def limits_of(answer: httpx2.Response) -> tuple[list[str], list[str]]:
    """
    Return the policies that an answer tells, and what is left of them.
    """
    return answer.headers.get_list("RateLimit-Policy"), answer.headers.get_list("RateLimit")


def test_every_answer_to_a_key_tells_what_is_left(api: Api) -> None:
    """
    Accepted, shown, not found and not understood: each request is counted once.
    """
    _key, text = new_key(api, 60)

    answers = [
        api.post(key=text),
        api.get(f"{CALLS}/1", key=text),
        api.get(f"{CALLS}/9999", key=text),
        api.post(b"{", key=text),
        api.get(f"{CALLS}/1?no_such=1", key=text),
    ]

    assert [201, 200, 404, 400, 400] == [answer.status_code for answer in answers]
    assert [(['"minute";q=60;w=60'], [f'"minute";r={59 - turn};t=60']) for turn in range(5)] == [
        limits_of(answer) for answer in answers
    ]


@pytest.mark.parametrize("key", [None, "", "x", UNKNOWN_KEY, WRONG_SECRET_KEY, REVOKED_KEY, EXPIRED_KEY])
def test_strangers_are_told_of_no_limit(api: Api, key: str | None) -> None:
    """
    Nothing is counted for them, and an answer without limits does not tell whose key it nearly was.
    """
    answers = [api.post(key=key), api.get(f"{CALLS}/1", key=key)]

    assert [401, 401] == [answer.status_code for answer in answers]
    assert [([], [])] * 2 == [limits_of(answer) for answer in answers]


def test_one_request_too_many_is_refused_until_there_is_room(api: Api) -> None:
    """
    429 names the limit and says when to ask again; nothing is stored or held for it.
    """
    _key, text = new_key(api, 2)
    for _ in range(2):
        api.post(key=text)
    before = api.everything()

    answers = [api.post(key=text), api.get(f"{CALLS}/1", key=text)]

    for answer in answers:
        assert (429, "rate_limit_exceeded") == problem_of(answer)
        assert "requests_per_minute" == answer.json()["limit"]
        assert re.fullmatch("[1-5][0-9]|60", answer.headers["Retry-After"])
        assert (['"minute";q=2;w=60'], [f'"minute";r=0;t={answer.headers["Retry-After"]}']) == limits_of(answer)
    assert before == api.everything()
    assert 201 == api.post(key=KEY).status_code


def test_a_request_too_many_costs_no_transaction() -> None:
    """
    The key alone is looked at; the batches that accept calls do not hear of it.
    """
    storage = CountingStorage()
    api = Api(storage=storage)
    _key, text = new_key(api, 1)

    statuses = [api.post(key=text).status_code for _ in range(4)]
    api.close()

    assert [201, 429, 429, 429] == statuses
    assert 1 == storage.batches


def test_the_limit_is_judged_behind_the_permission_and_before_the_body(api: Api) -> None:
    """
    A key that may not call is told so even when it asked too often; one that may is told of its limit whatever it sent.
    """
    _reading, reading = new_key(api, 1, ["can_read_calls"])
    _calling, calling = new_key(api, 1, ["can_initiate_calls"])

    answers = [api.post(b"{", key=key) for key in (reading, reading, calling, calling)]

    assert [
        (403, "permission_denied"),
        (403, "permission_denied"),
        (400, "invalid_json"),
        (429, "rate_limit_exceeded"),
    ] == [problem_of(answer) for answer in answers]


def test_a_revoked_key_over_its_limit_is_invalid(api: Api) -> None:
    """
    Who asks is judged first, as it is in the database now.
    """
    key, text = new_key(api, 1)
    statuses = [api.post(key=text).status_code for _ in range(2)]

    api.run(api.dialer.administration.revoke_key(key.id))

    assert [201, 429] == statuses
    assert (401, "invalid_key") == problem_of(api.post(key=text))


def test_strangers_use_up_nobodys_limit(api: Api) -> None:
    """
    A key's number is no secret; only its secret is counted.
    """
    key, text = new_key(api, 2)
    forged = write_key(key.id, "x" * KEY_SECRET_LENGTH)

    statuses = [api.post(key=forged).status_code for _ in range(5)]

    assert [401] * 5 == statuses
    assert ['"minute";r=1;t=60'] == limits_of(api.post(key=text))[1]


def test_a_used_up_day_is_told_beside_the_minute(api: Api) -> None:
    """
    The day's limit shows when it refuses; `limit` says that it is the day.
    """
    answer = api.post(key=EXHAUSTED_KEY)

    seconds = (23 - 10) * 3600 + (59 - 15) * 60 + 30
    assert "calls_per_day" == answer.json()["limit"]
    assert {'"day";q=0;w=86400', '"minute";q=60000;w=60'} == set(limits_of(answer)[0])
    assert {f'"day";r=0;t={seconds}', '"minute";r=59999;t=60'} == set(limits_of(answer)[1])


def test_the_library_counts_as_http_does(api: Api) -> None:
    """
    Both ways in share a key's limit; the operator has none.
    """
    _key, text = new_key(api, 2)
    client = api.dialer.acting(PresentedKey(text=text))
    operator = api.dialer.client(account_id=1)

    api.post(key=text)
    shown = [api.run(client.calls.show(None)) for _ in range(2)]
    for _ in range(100):
        api.run(operator.calls.show(None))

    assert Refused(reason=Reason.NOT_FOUND) == shown[0]
    assert isinstance(shown[1], Refused)
    assert shown[1].window == client.window
    assert client.window is not None
    assert (Limit.REQUESTS_PER_MINUTE, True) == (client.window.limit, client.window.is_exceeded)
    assert operator.window is None
    assert 429 == api.post(BODY, key=text).status_code


def test_reading_alone_counts_too(api: Api) -> None:
    """
    A key without any call has the same limit.
    """
    assert 403 == api.post(key=READING_KEY).status_code
    assert ['"minute";r=59998;t=60'] == limits_of(api.get(f"{CALLS}/1", key=READING_KEY))[1]
