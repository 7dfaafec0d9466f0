"""
Asking twice for the same call, and using up a key's day.
"""

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.model.idempotency import read_idempotency_key
from tests.entrypoints.clinic import DIALLING_KEY, EXHAUSTED_KEY, KEY, OTHERS_AGENT, OTHERS_KEY, calls_of
from tests.http.api import BODY, CALLS, Api, problem_of

ONE = {"Idempotency-Key": "one"}
DAY_S = 86_400


def test_same_request_is_answered_again_and_dialled_once(api: Api) -> None:
    """
    The second answer is the first, byte for byte, and says that it was given before.
    """
    first = api.post(headers=ONE)
    before = api.everything()

    second = api.post(headers=ONE)

    assert (201, first.content, first.headers["Location"]) == (
        second.status_code,
        second.content,
        second.headers["Location"],
    )
    assert ("true", None) == (second.headers.get("Idempotent-Replayed"), first.headers.get("Idempotent-Replayed"))
    assert before == api.everything()


@pytest.mark.parametrize(
    "again",
    [
        {"agent_id": str(BODY["agent_id"]), "phone_number": BODY["phone_number"]},
        {**BODY, "variables": {}, "contact_id": None},
        {**BODY, "variables": None},
    ],
)
def test_other_spelling_is_the_same_request(api: Api, again: dict[str, object]) -> None:
    """
    What counts is what was asked for, not how its JSON was written.
    """
    first = api.post(headers=ONE)

    assert first.content == api.post(again, headers={"Idempotency-Key": '"one"'}).content


def test_equal_numbers_and_orders_are_the_same_request(api: Api) -> None:
    """
    Members in another order, and 1.0 for 1, ask for the same.
    """
    first = api.post({**BODY, "variables": {"a": 1, "b": [2, {"c": 3, "d": 4}]}}, headers=ONE)
    second = api.post({"variables": {"b": [2.0, {"d": 4, "c": 3.0}], "a": 1.0}, **BODY}, headers=ONE)

    assert (201, first.content) == (second.status_code, second.content)


@pytest.mark.parametrize(
    "other", [{"phone_number": "+15551230000"}, {"variables": {"a": 1}}, {"contact_id": 456}, {"variables": {"a": "1"}}]
)
def test_other_request_with_the_same_key_is_a_conflict(api: Api, other: dict[str, object]) -> None:
    """
    Nothing is dialled for it, and the first answer stands.
    """
    first = api.post(headers=ONE)
    before = api.everything()

    conflict = api.post({**BODY, **other}, headers=ONE)

    assert (409, "idempotency_conflict") == problem_of(conflict)
    assert before == api.everything()
    assert first.content == api.post(headers=ONE).content


def test_key_belongs_to_the_account(api: Api) -> None:
    """
    Another API key of the account is answered again; another account's request is its own.
    """
    first = api.post(headers=ONE)

    same = api.post(headers=ONE, key=DIALLING_KEY)
    other = api.post({**BODY, "agent_id": OTHERS_AGENT}, headers=ONE, key=OTHERS_KEY)

    assert first.content == same.content
    assert 201 == other.status_code
    assert 2 == len(api.read(calls_of))


def test_refusal_does_not_spend_the_key(api: Api) -> None:
    """
    After the mistake is mended the same key may be used.
    """
    refused = api.post({**BODY, "agent_id": 9999}, headers=ONE)
    accepted = api.post(headers=ONE)

    assert (404, 201) == (refused.status_code, accepted.status_code)


def test_key_expires_and_never_dials_again(api: Api) -> None:
    """
    Thirty days later the answer is no longer given, and no second call is made.
    """
    api.post(headers=ONE)
    api.clock.advance(30 * DAY_S)
    in_time = api.post(headers=ONE)
    api.clock.advance(1)

    late = api.post(headers=ONE)

    assert (201, "true") == (in_time.status_code, in_time.headers["Idempotent-Replayed"])
    assert (409, "idempotency_key_expired") == problem_of(late)
    assert 1 == len(api.read(calls_of))


@pytest.mark.parametrize("keys", [[""], ["a b"], ["\x7f"], ["x" * 256], ["a", "a"], ['"a'], ['""']])
def test_key_that_is_none_is_told(api: Api, keys: Sequence[str]) -> None:
    """
    A header that is sent twice or holds anything but visible ASCII is refused before anything is dialled.
    """
    headers = [("Content-Type", "application/json"), ("Authorization", f"Bearer {KEY}")]
    answer = api.ask(
        "POST",
        CALLS,
        headers=[*headers, *(("Idempotency-Key", key) for key in keys)],
        content=b'{"phone_number": "+15551234567", "agent_id": 123}',
    )

    assert (400, "validation_error") == problem_of(answer)
    assert ["Idempotency-Key"] == [problem["field"] for problem in answer.json()["details"]]


@given(text=st.text(max_size=300))
def test_any_text_is_a_key_or_none(text: str) -> None:
    """
    What is read as a key is visible ASCII without quotes, and reading it again gives it again.
    """
    key = read_idempotency_key(text)

    if key is not None:
        assert key in (text, text[1:-1])
        assert all("!" <= character <= "~" and character != '"' for character in key)
        assert key == read_idempotency_key(key) == read_idempotency_key(f'"{key}"')


def test_used_up_day_is_told_with_its_end(api: Api) -> None:
    """
    `Retry-After` is the time until midnight UTC.
    """
    answer = api.post(key=EXHAUSTED_KEY)

    assert (429, "rate_limit_exceeded") == problem_of(answer)
    assert str((23 - 10) * 3600 + (59 - 15) * 60 + 30) == answer.headers["Retry-After"]


def test_day_begins_anew_at_midnight(api: Api) -> None:
    """
    A key with two calls a day has two on each, asked again or not; refusals and repeats don't count.
    """
    key = api.run(api.dialer.administration.create_key(1, ["can_initiate_calls"], calls_per_day=2))[1]
    statuses = [
        api.post({**BODY, "agent_id": 9999}, key=key).status_code,
        api.post(key=key, headers=ONE).status_code,
        api.post(key=key, headers=ONE).status_code,
        api.post(key=key).status_code,
        api.post(key=key).status_code,
        api.post(key=key, headers=ONE).status_code,
    ]
    api.clock.advance(DAY_S)

    assert [404, 201, 201, 201, 429, 201] == statuses
    assert [201, 201, 429] == [api.post(key=key).status_code for _ in range(3)]


def test_day_counts_within_one_batch(api: Api) -> None:
    """
    Requests that are decided together share what is left of the day, and one idempotency key makes one call.
    """
    key = api.run(api.dialer.administration.create_key(1, ["can_initiate_calls"], calls_per_day=3))[1]

    async def all_at_once() -> list[int]:
        answers = await asyncio.gather(
            *(api.send(key=key, headers=ONE) for _ in range(3)), *(api.send(key=key) for _ in range(4))
        )
        return [answer.status_code for answer in answers]

    assert [201, 201, 201, 201, 201, 429, 429] == api.run(all_at_once())
    assert 3 == len(api.read(calls_of))
