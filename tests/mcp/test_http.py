"""
The protocol at `/mcp`: who comes in, and what is answered before the protocol is spoken.
"""

import asyncio
import json
import logging
from collections.abc import Mapping
from typing import Any, Final

import attrs
import httpx2
import pytest
from mcp import Client

from outdial.domain.model.reason import Reason
from outdial.entrypoints.http.bodies import BODY_BYTES_MAX
from outdial.entrypoints.http.problems import STATUS
from tests.entrypoints.clinic import (
    EXPIRED_KEY,
    KEY,
    KEYS,
    READING_KEY,
    REVOKED_KEY,
    UNKNOWN_KEY,
    WRONG_SECRET_KEY,
)
from tests.http.api import MEMORY, Api, problem_of
from tests.http.test_limits import new_key
from tests.http.test_secrets import SECRETS
from tests.mcp.tools import ASKED, OVER_HTTP, body_of, talking, use

PATH: Final = "/mcp"
BEARER: Final = {"Authorization": f"Bearer {KEY}"}
LIST: Final = {"jsonrpc": "2.0", "id": 1, "method": "tools/list"}
LOOK: Final = {
    "jsonrpc": "2.0",
    "id": 1,
    "method": "tools/call",
    "params": {"name": "get_call", "arguments": {"call_id": "1"}},
}


def post(api: Api, body: object = LIST, headers: Mapping[str, str] = BEARER, path: str = PATH) -> httpx2.Response:
    """
    Send one message as clients without a handshake do; bytes are sent as they are.
    """
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    sent = {"Content-Type": "application/json", "Accept": "application/json, text/event-stream", **headers}
    return api.ask("POST", path, headers=sent, content=content)


@pytest.mark.parametrize("headers", [BEARER, {"X-API-Key": KEY}, {"Authorization": f"Bearer {READING_KEY}"}])
def test_a_key_that_works_comes_in(api: Api, headers: dict[str, str]) -> None:
    """
    In either header; what it may do is for each tool to say. The answer is JSON, with the request's name.
    """
    answer = post(api, headers=headers)

    assert (200, "application/json") == (answer.status_code, answer.headers["Content-Type"])
    assert 4 == len(answer.json()["result"]["tools"])
    assert answer.headers["X-Request-Id"]
    assert "Mcp-Session-Id" not in answer.headers


@pytest.mark.parametrize(
    ("headers", "code", "challenge"),
    [
        ({}, "authentication_required", "Bearer"),
        ({"Authorization": "Basic eDp5"}, "authentication_required", "Bearer"),
        *(
            ({"Authorization": f"Bearer {key}"}, "invalid_key", 'Bearer error="invalid_token"')
            for key in ("nonsense", REVOKED_KEY, EXPIRED_KEY, UNKNOWN_KEY, WRONG_SECRET_KEY)
        ),
    ],
)
@pytest.mark.parametrize("body", [LIST, LOOK, b"{", b"x" * (BODY_BYTES_MAX + 1)], ids=["list", "call", "bad", "huge"])
def test_strangers_learn_that_they_are_strangers(
    api: Api, headers: dict[str, str], code: str, challenge: str, body: object
) -> None:
    """
    401 with a challenge, whatever they send.
    """
    answer = post(api, body, headers)

    assert (401, code) == problem_of(answer)
    assert challenge == answer.headers["WWW-Authenticate"]


def test_a_key_in_the_address_is_not_taken() -> None:
    """
    Not even where the rest of the interface takes it: addresses end up in logs of clients.
    """
    api = Api(attrs.evolve(OVER_HTTP, api_key_in_query=True))

    answer = post(api, headers={}, path=f"{PATH}?api_key={KEY}")
    api.close()

    assert (401, "authentication_required") == problem_of(answer)


@pytest.mark.parametrize("origin", ["https://example.com", "http://127.0.0.1:8080", "http://outdial.test", "null", ""])
@pytest.mark.parametrize("headers", [{}, BEARER])
def test_web_pages_are_turned_away(api: Api, headers: dict[str, str], origin: str) -> None:
    """
    Whatever their name: one that was bound to this server's address is of its own origin (DNS rebinding).
    """
    assert (403, "origin_not_allowed") == problem_of(post(api, headers={**headers, "Origin": origin}))


@pytest.mark.parametrize(
    ("body", "headers", "reason"),
    [
        (b"x" * (BODY_BYTES_MAX + 1), {}, Reason.PAYLOAD_TOO_LARGE),
        (json.dumps(LIST).encode(), {"Content-Type": "text/plain"}, Reason.UNSUPPORTED_MEDIA_TYPE),
        (b"\xff", {}, Reason.INVALID_JSON),
        (b"[]", {}, Reason.INVALID_JSON),
        (json.dumps([LIST, LIST]).encode(), {}, Reason.INVALID_JSON),
        (b'{"jsonrpc": "2.0", "id": 1, "id": 2, "method": "tools/list"}', {}, Reason.INVALID_JSON),
        (b'{"a":' * 40 + b"1" + b"}" * 40, {}, Reason.INVALID_JSON),
        (b'{"jsonrpc": "2.0", "id": NaN, "method": "tools/list"}', {}, Reason.INVALID_JSON),
    ],
)
def test_bodies_are_read_as_strictly_as_elsewhere(
    api: Api, body: bytes, headers: dict[str, str], reason: Reason
) -> None:
    """
    The cap, the media type and one way to understand the JSON, before the protocol sees it.
    """
    assert (STATUS[reason], reason) == problem_of(post(api, body, {**BEARER, **headers}))


@pytest.mark.parametrize(
    "message",
    [
        {},
        {"jsonrpc": "1.0", "id": 1, "method": "tools/list"},
        {**LIST, "id": {"a": 1}},
        {**LIST, "method": None},
        {**LIST, "params": []},
        {**LOOK, "params": {"name": 7}},
        {**LOOK, "params": {"name": "get_call", "arguments": "1"}},
        {**LIST, "method": "resources/list"},
        {"jsonrpc": "2.0", "id": 1, "result": {}},
    ],
)
@pytest.mark.parametrize("version", [None, "2025-06-18", "2026-07-28", "1999-01-01", "\x7f"])
def test_what_is_no_proper_message_is_an_error_of_the_protocol(
    api: Api, message: dict[str, Any], version: str | None
) -> None:
    """
    Never a 5xx, and nothing is called.
    """
    answer = post(api, message, {**BEARER, **({"MCP-Protocol-Version": version} if version is not None else {})})

    assert 200 <= answer.status_code < 500
    assert answer.status_code == 202 or answer.json()["error"]["code"] < 0


@pytest.mark.parametrize("method", ["GET", "DELETE", "PUT", "OPTIONS"])
def test_there_are_no_streams_and_no_sessions(api: Api, method: str) -> None:
    """
    Requests come in by POST alone.
    """
    answer = api.ask(method, PATH, headers=BEARER)

    assert (405, "method_not_allowed") == problem_of(answer)
    assert "POST" == answer.headers["Allow"]


@pytest.mark.parametrize("settings", [MEMORY, attrs.evolve(OVER_HTTP, role="worker")], ids=["default", "worker"])
def test_nothing_is_served_unless_it_is_wanted(settings: Any) -> None:
    """
    Not by default, and not by a worker.
    """
    api = Api(settings)

    answer = post(api)
    api.close()

    assert (404, "not_found") == problem_of(answer)


@pytest.mark.parametrize("mode", ["auto", "legacy"])
def test_a_key_stops_working_for_clients_that_are_connected(api: Api, mode: str) -> None:
    """
    No session outlives its key.
    """
    key, text = new_key(api, 60)

    async def work(client: Client) -> None:
        assert "not_found" == body_of(await client.call_tool("get_call", {"call_id": "1"}))["error"]
        await api.dialer.administration.revoke_key(key.id)
        with pytest.raises(Exception, match=r"401|Unauthorized|Server returned an error"):
            await client.call_tool("get_call", {"call_id": "1"})

    use(api, work, way="http", mode=mode, key=text)


def test_tools_tell_of_the_limit_as_other_requests_do(api: Api) -> None:
    """
    A tool is one request; listing tools costs nothing of the limit.
    """
    _key, text = new_key(api, 2)
    headers = {"Authorization": f"Bearer {text}"}

    answers = [post(api, message, headers) for message in (LIST, LOOK, LIST, LOOK, LOOK)]

    told = [answer.headers.get("RateLimit") for answer in answers]
    assert [None, '"minute";r=1;t=60', None, '"minute";r=0;t=60', '"minute";r=0;t=60'] == told
    assert [200] * 5 == [answer.status_code for answer in answers]
    assert "rate_limit_exceeded" == answers[-1].json()["result"]["structuredContent"]["error"]


@pytest.mark.parametrize("message", [LIST, LOOK, {"jsonrpc": "2.0", "method": "notifications/initialized"}, {}])
@pytest.mark.parametrize("version", ["2025-11-25", "2026-07-28"])
def test_nothing_of_a_request_outlives_it(api: Api, message: dict[str, Any], version: str) -> None:
    """
    No task is left when its answer was sent.
    """
    before = api.run(_tasks())

    post(api, message, {**BEARER, "MCP-Protocol-Version": version})

    assert before == api.run(_tasks())


def test_clients_are_served_beside_each_other_each_with_its_key(api: Api) -> None:
    """
    Twenty at once, half of which may not call: none acts with another's key.
    """

    async def ask(number: int) -> str:
        key = KEY if number % 2 else READING_KEY
        async with talking(api, key=key, way="http", mode=("auto", "legacy")[number % 4 // 2]) as client:
            result = await client.call_tool("initiate_call", {**ASKED, "idempotency_key": f"number-{number}"})
        return str(body_of(result).get("error", "queued"))

    async def work() -> list[str]:
        return await asyncio.gather(*(ask(number) for number in range(20)))

    assert ["permission_denied", "queued"] * 10 == api.run(work())


def test_no_log_line_holds_a_key(api: Api, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """
    With every logger at its most talkative, wherever the key stands in a request.
    """
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "mcp")
    for key in KEYS:
        for headers in ({"Authorization": f"Bearer {key}"}, {"X-API-Key": key}):
            named = {**LOOK, "params": {"name": key, "arguments": {key: key}}}
            given = {**LOOK, "params": {"name": "get_call", "arguments": {"call_id": key, "api_key": key}}}
            for message in (LIST, LOOK, named, given, {**LIST, "method": key}, {**LIST, "id": {key: key}}):
                post(api, message, headers)
            post(api, b"{", headers)
            post(api, LIST, {**headers, "Origin": "null"})

    captured = capfd.readouterr()
    lines = [caplog.handler.format(one) for one in caplog.records if not one.name.startswith("httpx2")]
    written = "\n".join([captured.out, captured.err, *lines])
    assert [] == [secret for secret in SECRETS if secret in written]


async def _tasks() -> int:
    await asyncio.sleep(0)
    return len(asyncio.all_tasks())
