"""
Whatever a stranger sends, the answer is a decision in the one shape, never a failure.
"""

import json
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests import strategies
from tests.entrypoints.clinic import AGENT, ASSISTANT, CALLEE, CLINIC, CONTACT, KEY, LISTED, PREMIUM
from tests.http.api import CALLS, Api, problem_of

bodies = st.fixed_dictionaries(
    {},
    optional={
        "phone_number": st.sampled_from((CALLEE, LISTED, PREMIUM, "")) | st.text() | strategies.json_values,
        "agent_id": st.sampled_from((AGENT, ASSISTANT, str(AGENT), "")) | st.integers() | strategies.json_values,
        "contact_id": st.sampled_from((None, CONTACT)) | st.integers() | strategies.json_values,
        "variables": strategies.variables | strategies.json_values,
        "colour": strategies.json_values,
    },
)
"""Objects that may have the contract's fields."""

likely_bodies = st.fixed_dictionaries(
    {
        "phone_number": st.sampled_from((CALLEE, LISTED, PREMIUM)) | strategies.phone_numbers.map(str) | st.text(),
        "agent_id": st.sampled_from((AGENT, ASSISTANT, str(AGENT))) | st.integers(-1, 400) | st.text(),
    },
    optional={"contact_id": st.sampled_from((None, CONTACT, 1)), "variables": strategies.variables},
)
"""Objects whose fields have their types, so that many are accepted."""


@pytest.fixture(scope="module")
def rich() -> Iterator[Api]:
    """
    One interface for all examples, whose account does not run out of money.
    """
    api = Api()
    api.run(api.dialer.administration.top_up(CLINIC, "1000000"))
    yield api
    api.close()


def check(api: Api, body: bytes) -> None:
    """
    Post a body and see that it is accepted or refused in the one shape.
    """
    answer = api.post(body)

    if answer.status_code != 201:
        status, code = problem_of(answer)
        assert 400 <= status < 500
        event(code)
    else:
        event("accepted")


@given(body=likely_bodies | bodies | strategies.json_values)
def test_any_json_is_decided(rich: Api, body: object) -> None:
    """
    No JSON text, NaN and lone surrogates included, gives a 5xx or another shape.
    """
    check(rich, json.dumps(body).encode())


@given(body=st.binary())
def test_any_bytes_are_decided(rich: Api, body: bytes) -> None:
    """
    No bytes do either.
    """
    check(rich, body)


@given(body=likely_bodies, at=st.integers(0), bit=st.integers(0, 7))
def test_any_damaged_json_is_decided(rich: Api, body: object, at: int, bit: int) -> None:
    """
    One flipped bit in a good body does no harm.
    """
    damaged = bytearray(json.dumps(body).encode())
    damaged[at % len(damaged)] ^= 1 << bit

    check(rich, bytes(damaged))


keys = st.binary(max_size=60) | st.builds(
    lambda length, rest: KEY.encode()[:length] + rest, st.integers(0, len(KEY)), st.binary(max_size=3)
)
"""Any bytes, and beginnings of a right key."""


@given(key=keys)
def test_any_key_is_decided(rich: Api, key: bytes) -> None:
    """
    No bytes in the place of a key give a 5xx or another shape.
    """
    answer = rich.ask("POST", CALLS, headers={b"Authorization": b"Bearer " + key})

    assert problem_of(answer)[1] in {"authentication_required", "invalid_key", "unsupported_media_type"}


@given(name=st.text().filter(lambda name: name not in {".", ".."}))
def test_any_name_of_a_call_is_decided(rich: Api, name: str) -> None:
    """
    No address below the calls gives a 5xx or another shape; clients take dot segments out by themselves.
    """
    answer = rich.get(f"{CALLS}/{quote(name, safe='', errors='replace')}")

    assert answer.status_code == 200 or problem_of(answer) == (404, "not_found")
