"""
The same decisions as over HTTP, with the same bodies.
"""

from collections.abc import Callable
from typing import Any, Final

import pytest

from tests.entrypoints.clinic import (
    DIALLING_KEY,
    EXPIRED_KEY,
    KEY,
    OTHERS_KEY,
    READING_KEY,
    REVOKED_KEY,
    UNKNOWN_KEY,
    WRONG_SECRET_KEY,
)
from tests.entrypoints.test_parity import ACCEPTED, INPUTS, OWN, Asked
from tests.http.api import CALLS, Api
from tests.mcp.tools import body_of, call

ALIVE: Final = (KEY, READING_KEY, DIALLING_KEY, OTHERS_KEY)
DEAD: Final = ("", "od_live_nonsense", REVOKED_KEY, EXPIRED_KEY, UNKNOWN_KEY, WRONG_SECRET_KEY)


@pytest.mark.parametrize("asked", INPUTS, ids=lambda asked: asked.expected)
def test_every_decision_is_the_one_of_http(api: Api, asked: Asked) -> None:
    """
    For the same input both answer the same body, but for what differs from call to call; refusals change nothing.
    """
    over_http = api.post(asked.fields, key=asked.key).json()
    before = api.everything()

    body = body_of(call(api, "initiate_call", {**asked.fields, "idempotency_key": "one"}, key=asked.key))

    assert asked.expected == body.get("error", body.get("status"))
    assert _without_own(over_http) == _without_own(body)
    assert (asked.expected == ACCEPTED) or before == api.everything()


@pytest.mark.parametrize("asked", INPUTS, ids=lambda asked: asked.expected)
def test_every_preflight_is_the_one_of_http(api: Api, asked: Asked) -> None:
    """
    Rule by rule, and nothing for strangers.
    """
    over_http = api.post(asked.fields, key=asked.key, path=f"{CALLS}/preflight").json()

    assert over_http == body_of(call(api, "preflight_call", asked.fields, key=asked.key))


@pytest.mark.parametrize("key", [*ALIVE, *DEAD])
def test_calls_are_shown_and_ended_by_the_same_permissions(api: Api, key: str) -> None:
    """
    Each key may as much as over HTTP, and learns as much.
    """
    name = api.post().json()["call_id"]
    ways: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("get_call", lambda: api.get(f"{CALLS}/{name}", key=key)),
        ("hang_up", lambda: api.ask("POST", f"{CALLS}/{name}/hang-up", headers={"Authorization": f"Bearer {key}"})),
    )

    for tool, over_http in ways:
        assert body_of(call(api, tool, {"call_id": name}, key=key)) == over_http().json()


def _without_own(body: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in body.items() if name not in OWN}
