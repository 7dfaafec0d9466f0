"""
What the tools are said to be, and what they do.
"""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from mcp import Client, MCPError

from outdial.domain.model.idempotency import read_idempotency_key
from outdial.entrypoints.mcp.tools import TOOLS
from outdial.entrypoints.wire.call_requests import CallBody
from outdial.ports.errors import StorageError
from tests import strategies
from tests.documentation.test_tables import rows
from tests.entrypoints.clinic import (
    AGENT,
    CALLEE,
    CLINIC,
    DIALLING_KEY,
    KEY,
    LISTED,
    OTHERS_KEY,
    READING_KEY,
    calls_of,
)
from tests.http.api import BODY, CALLS, Api
from tests.http.storages import FailingStorage
from tests.http.test_limits import new_key
from tests.mcp.tools import ASKED, MODES, OVER_HTTP, WAYS, body_of, call, note_of, use


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS)
def test_tools_are_listed_with_valid_schemas(api: Api, way: str, mode: str) -> None:
    """
    Four tools, each with what it takes, what it answers and words for the model, whatever the version.
    """
    tools = use(api, lambda client: client.list_tools(), way=way, mode=mode).tools

    assert ["preflight_call", "initiate_call", "get_call", "hang_up"] == [tool.name for tool in tools]
    for tool in tools:
        for schema in (tool.input_schema, tool.output_schema):
            assert schema is not None
            Draft202012Validator.check_schema(schema)
            assert "object" == schema["type"]
        assert tool.input_schema["additionalProperties"] is False
        assert all("description" in field for field in tool.input_schema["properties"].values())
        assert tool.title
        assert tool.description


def test_fields_of_a_call_are_those_of_http(api: Api) -> None:
    """
    Types, descriptions and examples come from the one definition; the key stands beside them.
    """
    listed = use(api, lambda client: client.list_tools()).tools
    schemas = {tool.name: tool.input_schema for tool in listed}
    fields = {
        name: {part: said for part, said in field.items() if part != "title"}
        for name, field in CallBody.model_json_schema()["properties"].items()
    }

    for name, is_needed in (("preflight_call", False), ("initiate_call", True)):
        properties = dict(schemas[name]["properties"])
        properties.pop("idempotency_key")
        assert fields == properties
        assert is_needed == ("idempotency_key" in schemas[name]["required"])
    assert {"phone_number", "agent_id"} < set(schemas["initiate_call"]["required"])


def test_hints_tell_what_a_tool_does_to_the_world(api: Api) -> None:
    """
    Two look, two act: what acts can't be undone and may be repeated with the same arguments.
    """
    hints = {tool.name: tool.annotations for tool in use(api, lambda client: client.list_tools()).tools}

    for name, looks in (("preflight_call", True), ("initiate_call", False), ("get_call", True), ("hang_up", False)):
        told = hints[name]
        assert told is not None
        assert (looks, not looks) == (told.read_only_hint, told.destructive_hint)
        assert (True, not looks) == (told.idempotent_hint, told.open_world_hint)


def test_every_tool_is_documented() -> None:
    """
    `docs/mcp.md` has each tool once, in the order that clients see.
    """
    assert [tool.name for tool in TOOLS] == [name.strip("`") for name, *_ in rows("mcp.md", "tool")]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("way", WAYS)
def test_a_call_is_judged_made_seen_and_ended(api: Api, way: str, mode: str) -> None:
    """
    From preflight to hang-up; the bodies are those that HTTP answers.
    """

    async def work(client: Client) -> list[Any]:
        judged = await client.call_tool("preflight_call", dict(BODY))
        made = await client.call_tool("initiate_call", dict(ASKED))
        name = {"call_id": body_of(made)["call_id"]}
        seen = await client.call_tool("get_call", name)
        ended = await client.call_tool("hang_up", name)
        again = await client.call_tool("hang_up", {"call_id": str(body_of(made)["id"])})
        return [body_of(result) for result in (judged, made, seen, ended, again)]

    judged, made, seen, ended, again = use(api, work, way=way, mode=mode)

    assert ("accepted", {"holds"}) == (judged["decision"], {rule["verdict"] for rule in judged["rules"]})
    assert api.post(headers={"Idempotency-Key": "one"}).json() == made
    assert "queued" == seen["status"]
    assert api.get(f"{CALLS}/{made['id']}").json() == ended == again
    assert ("failed", "canceled") == (ended["status"], ended["ended_reason"])


@pytest.mark.parametrize("way", WAYS)
def test_asking_again_with_the_same_key_dials_nobody_twice(api: Api, way: str) -> None:
    """
    The same call is answered, over HTTP too; another request with the key is refused; preflight tells beforehand.
    """
    first, again = call(api, "initiate_call", ASKED, way=way), call(api, "initiate_call", ASKED, way=way)
    other = call(api, "initiate_call", {**ASKED, "phone_number": "+15551230000"}, way=way)
    judged = call(api, "preflight_call", ASKED, way=way)

    assert body_of(first) == body_of(again) == api.post(headers={"Idempotency-Key": "one"}).json()
    assert ("", True) == (note_of(first), "nobody is dialled again" in note_of(again))
    assert "idempotency_conflict" == body_of(other)["error"]
    assert ("replayed", body_of(first)["call_id"]) == (body_of(judged)["decision"], body_of(judged)["call_id"])
    assert 1 == len(api.read(calls_of))


@pytest.mark.parametrize("key", [None, "", "é", " ", "x" * 256, 7, ["one"]])
def test_without_a_proper_idempotency_key_nothing_is_dialled(api: Api, key: object) -> None:
    """
    The refusal names the field, as the model knows it.
    """
    before = api.everything()
    arguments = dict(BODY) if key is None else {**BODY, "idempotency_key": key}

    body = body_of(call(api, "initiate_call", arguments))

    assert ("validation_error", ["idempotency_key"]) == (body["error"], [one["field"] for one in body["details"]])
    assert before == api.everything()


def test_preflight_tells_why_and_changes_nothing(api: Api) -> None:
    """
    What would be refused is told as a decision, not as an error: the question was answered.
    """
    before = api.everything()

    body = body_of(call(api, "preflight_call", {**BODY, "phone_number": LISTED}))

    assert ("refused", "do_not_call") == (body["decision"], body["error"])
    assert before == api.everything()


@pytest.mark.parametrize("tool", ["get_call", "hang_up"])
def test_another_accounts_call_is_like_none(api: Api, tool: str) -> None:
    """
    The same answer as for a call that never was, and the call goes on.
    """
    name = body_of(call(api, "initiate_call", ASKED))["call_id"]

    theirs = call(api, tool, {"call_id": name}, key=OTHERS_KEY)
    nobodys = call(api, tool, {"call_id": "call_9_nosuch"}, key=OTHERS_KEY)

    assert "not_found" == body_of(theirs)["error"]
    assert body_of(nobodys) == body_of(theirs)
    assert "queued" == body_of(call(api, "get_call", {"call_id": name}))["status"]


@pytest.mark.parametrize("arguments", [{}, {"call_id": 1}, {"call_id": None}, {"call_id": "1", "colour": "red"}])
@pytest.mark.parametrize("tool", ["get_call", "hang_up"])
def test_a_call_has_to_be_named_properly(api: Api, tool: str, arguments: dict[str, object]) -> None:
    """
    Each problem is told.
    """
    assert "validation_error" == body_of(call(api, tool, arguments))["error"]


@pytest.mark.parametrize("tool", ["preflight_call", "initiate_call", "get_call", "hang_up"])
def test_who_may_not_learns_nothing_else(api: Api, tool: str) -> None:
    """
    Whatever is wrong with the arguments, the permission is judged first, and the key before it.
    """
    powerless = DIALLING_KEY if tool == "get_call" else READING_KEY

    assert "permission_denied" == body_of(call(api, tool, key=powerless))["error"]
    assert "authentication_required" == body_of(call(api, tool, key=None))["error"]


@pytest.mark.parametrize("way", WAYS)
def test_an_unknown_tool_is_an_error_of_the_protocol(api: Api, way: str) -> None:
    """
    Its name is not repeated.
    """

    async def work(client: Client) -> tuple[int, str]:
        with pytest.raises(MCPError) as caught:
            await client.call_tool(KEY, {})
        return caught.value.code, caught.value.message

    assert (-32602, "There is no such tool.") == use(api, work, way=way)


def test_a_used_up_limit_says_how_long_to_wait(api: Api) -> None:
    """
    Tools count as requests do, so that a model learns when to go on.
    """
    _key, text = new_key(api, 2)

    results = [call(api, "get_call", {"call_id": "1"}, key=text) for _ in range(3)]

    assert ["not_found", "not_found", "rate_limit_exceeded"] == [body_of(result)["error"] for result in results]
    assert "Wait 60 s; then repeat the same request, with the same idempotency_key." in note_of(results[2])
    assert "don't repeat it as it is" in note_of(results[0])


@pytest.mark.parametrize(("error", "code"), [(StorageError, "unavailable"), (KeyError, "server_error")])
def test_failures_are_results_that_a_model_can_read(error: type[Exception], code: str) -> None:
    """
    As over HTTP: nothing was accepted, and words of the failure stay in the log.
    """
    api = Api(OVER_HTTP, storage=FailingStorage(lambda: error("a canary")))

    result = call(api, "initiate_call", ASKED)
    api.close()

    assert code == body_of(result)["error"]
    assert "canary" not in str(result)
    assert ("Wait 1 s" in note_of(result)) == (code == "unavailable")


@pytest.fixture(scope="module")
def rich() -> Iterator[Api]:
    """
    One interface for all examples, whose account does not run out of money.
    """
    api = Api(OVER_HTTP)
    api.run(api.dialer.administration.top_up(CLINIC, "1000000"))
    yield api
    api.close()


arguments = st.fixed_dictionaries(
    {},
    optional={
        "phone_number": st.sampled_from((CALLEE, LISTED)) | st.text() | strategies.json_values,
        "agent_id": st.sampled_from((AGENT, str(AGENT))) | strategies.json_values,
        "contact_id": strategies.json_values,
        "variables": strategies.variables | strategies.json_values,
        "idempotency_key": st.text() | strategies.json_values,
        "call_id": st.text() | strategies.json_values,
    },
) | st.dictionaries(st.text(), strategies.json_values, max_size=3)
"""Whatever a model makes up."""


@settings(max_examples=60)
@given(tool=st.sampled_from(("preflight_call", "initiate_call", "get_call", "hang_up")), given_arguments=arguments)
def test_any_arguments_are_decided(rich: Api, tool: str, given_arguments: dict[str, Any]) -> None:
    """
    No arguments, NaN and lone surrogates included, give anything but a body of the one shape; no call without a key.
    """
    result = call(rich, tool, given_arguments)

    body = body_of(result)
    event(f"{tool}: {body.get('error', 'done')}")
    assert "server_error" != body.get("error")
    json.dumps(body, allow_nan=False).encode()
    if tool == "initiate_call" and not result.is_error:
        assert read_idempotency_key(given_arguments["idempotency_key"]) is not None
