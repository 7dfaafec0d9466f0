"""
Where a key may stand in a request, and which keys work.
"""

from collections.abc import Iterator

import attrs
import pytest

from tests import builders
from tests.entrypoints.clinic import (
    AGENT,
    CALLEE,
    DIALLING_KEY,
    EXPIRED_KEY,
    KEY,
    OTHERS_KEY,
    READING_KEY,
    REVOKED_KEY,
    UNKNOWN_KEY,
    WRONG_SECRET_KEY,
)
from tests.http.api import CALLS, MEMORY, Api, problem_of


@pytest.fixture
def open_api() -> Iterator[Api]:
    """
    An interface whose settings allow `?api_key=`.
    """
    api = Api(attrs.evolve(MEMORY, api_key_in_query=True))
    yield api
    api.close()


@pytest.mark.parametrize(
    "headers",
    [
        {"Authorization": f"Bearer {KEY}"},
        {"Authorization": f"bearer {KEY}"},
        {"Authorization": f"BEARER   {KEY}"},
        {"authorization": f"Bearer {KEY}"},
        {"X-API-Key": KEY},
        {"x-api-key": KEY},
        {"Authorization": f"Bearer {KEY}", "X-API-Key": UNKNOWN_KEY},
        {"Authorization": "Basic dXNlcjpwYXNz", "X-API-Key": KEY},
    ],
)
def test_key_is_found_in_either_header(api: Api, headers: dict[str, str]) -> None:
    """
    `Authorization: Bearer` in any case comes first, then `X-API-Key`; other schemes are none.
    """
    answer = api.post(key=None, headers=headers)

    assert 201 == answer.status_code


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer  "},
        {"Authorization": KEY},
        {"Authorization": "Basic dXNlcjpwYXNz"},
        {"X-API-Key": ""},
        {"Cookie": f"api_key={KEY}"},
    ],
)
def test_request_without_a_key_needs_one(api: Api, headers: dict[str, str]) -> None:
    """
    An absent or empty key is told apart from a wrong one.
    """
    answer = api.post(key=None, headers=headers)

    assert (401, "authentication_required") == problem_of(answer)


MALFORMED = (
    "secret",
    KEY[:-1],
    KEY + "0",
    KEY.upper(),
    KEY[:-1] + ("0" if KEY[-1] != "0" else "1"),
    KEY.replace("od_live_11_", "od_live_12_"),
    KEY.replace("od_live_11_", "od_live_011_"),
    KEY.replace("od_live_11_", "od_live_0_"),
    "od_live_" + "9" * 19 + KEY.removeprefix("od_live_11"),
    "od_live_\N{ARABIC-INDIC DIGIT ONE}1" + KEY.removeprefix("od_live_11"),
    f'"{KEY}"',
    f"{KEY}, {KEY}",
    "x" * 10_000,
)


@pytest.mark.parametrize(
    "key",
    [*MALFORMED, UNKNOWN_KEY, WRONG_SECRET_KEY, REVOKED_KEY, EXPIRED_KEY, builders.key_text(2**63 - 1)],
    ids=lambda key: ascii(key)[:40],
)
def test_every_key_that_does_not_work_is_answered_alike(api: Api, key: str) -> None:
    """
    Malformed, unknown, with another secret, revoked or expired: the same bytes, so that nobody can tell which.
    """
    answer = api.ask("POST", CALLS, headers={b"X-API-Key": key.encode()})

    assert (401, "invalid_key") == problem_of(answer)
    assert api.post(key="other").content == answer.content


def test_key_works_until_it_expires(api: Api) -> None:
    """
    The same key answers 201 before its time, and 401 from its time on.
    """
    api.clock.advance(-2)
    before = api.post(key=EXPIRED_KEY)
    api.clock.advance(1)

    after = api.post(key=EXPIRED_KEY)

    assert 201 == before.status_code
    assert (401, "invalid_key") == problem_of(after)


def test_key_is_revoked_at_once(api: Api) -> None:
    """
    A key that worked before is refused after it was revoked.
    """
    before = api.post()
    api.run(api.dialer.administration.revoke_key(builders.KEY_ID))

    after = api.post()

    assert 201 == before.status_code
    assert (401, "invalid_key") == problem_of(after)


def test_key_in_the_query_is_ignored_by_default(api: Api) -> None:
    """
    Addresses end in logs and histories, so `?api_key=` counts as no key.
    """
    answer = api.post(key=None, path=f"{CALLS}?api_key={KEY}")

    assert (401, "authentication_required") == problem_of(answer)


def test_key_in_the_query_works_where_the_setting_allows_it(open_api: Api) -> None:
    """
    For trying things out, `?api_key=` may be switched on, for asking and for reading.
    """
    accepted = open_api.post(key=None, path=f"{CALLS}?api_key={KEY}")

    shown = open_api.get(f"{accepted.headers['Location']}?api_key={KEY}", key=None)

    assert (201, 200) == (accepted.status_code, shown.status_code)


def test_header_comes_before_the_query(open_api: Api) -> None:
    """
    A wrong key in a header is not mended by a right one in the address.
    """
    answer = open_api.post(key=UNKNOWN_KEY, path=f"{CALLS}?api_key={KEY}")

    assert (401, "invalid_key") == problem_of(answer)


def test_permissions_are_told_apart(api: Api) -> None:
    """
    A key that may read may not dial, and one that may dial may not read.
    """
    location = api.post().headers["Location"]

    assert (403, "permission_denied") == problem_of(api.post(key=READING_KEY))
    assert (403, "permission_denied") == problem_of(api.get(location, key=DIALLING_KEY))
    assert 200 == api.get(location, key=READING_KEY).status_code
    assert 201 == api.post(key=DIALLING_KEY).status_code


def test_key_of_another_account_finds_nothing_of_this_one(api: Api) -> None:
    """
    An account's key neither dials with nor reads what belongs to another.
    """
    location = api.post().headers["Location"]

    dialled = api.post({"phone_number": CALLEE, "agent_id": AGENT}, key=OTHERS_KEY)
    shown = api.get(location, key=OTHERS_KEY)

    assert (404, "agent_not_found") == problem_of(dialled)
    assert (404, "not_found") == problem_of(shown)
