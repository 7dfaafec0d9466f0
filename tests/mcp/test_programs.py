"""
The same over real pipes and sockets: `outdial mcp` and `outdial serve` as programs.
"""

import asyncio
import json
import signal
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, Final

import pytest
from mcp import Client

from tests.entrypoints.clinic import KEY, calls_of
from tests.http.api import BODY
from tests.http.live import LiveServer, look_into, serving
from tests.http.test_secrets import SECRETS
from tests.mcp.programs import HELLO, PROGRAM, answer_to, over_http, over_stdio, run, started, tell
from tests.mcp.tools import ASKED, body_of

CALL: Final = {"jsonrpc": "2.0", "id": 7, "method": "tools/call"}
WAYS: Final = (over_http, over_stdio)

Way = Callable[[LiveServer, Path], AbstractAsyncContextManager[Client]]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """
    One server that dials, slowly enough for a call to be hung up.
    """
    settings = {"OUTDIAL_MCP": "on", "OUTDIAL_SIMULATOR_TIME_SCALE": "0.3", "OUTDIAL_LOG_LEVEL": "debug"}
    with serving(tmp_path_factory.mktemp("server"), settings) as running:
        yield running
    assert "Traceback" not in running.log
    assert [] == [secret for secret in SECRETS if secret in running.log]
    assert 0 == running.process.returncode


async def _until(client: Client, name: str, statuses: set[str]) -> dict[str, Any]:
    async with asyncio.timeout(10):
        while True:
            body = body_of(await client.call_tool("get_call", {"call_id": name}))
            if body["status"] in statuses:
                return body
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("way", WAYS)
def test_a_call_rings_and_is_hung_up(server: LiveServer, tmp_path: Path, way: Way) -> None:
    """
    Preflight, a call, the same call again, a look, a hang-up: the simulator rings once, and keys stay out of logs.
    """
    log = tmp_path / "errors.log"
    asked = {**ASKED, "idempotency_key": way.__name__}

    async def work() -> tuple[Any, ...]:
        async with way(server, log) as client:
            judged = body_of(await client.call_tool("preflight_call", dict(BODY)))
            made = body_of(await client.call_tool("initiate_call", asked))
            again = body_of(await client.call_tool("initiate_call", asked))
            await _until(client, made["call_id"], {"ringing", "in-progress"})
            await client.call_tool("hang_up", {"call_id": made["call_id"]})
            return judged, made, again, await _until(client, made["call_id"], {"completed", "failed"})

    before = len(look_into(server.database, calls_of))
    judged, made, again, ended = asyncio.run(work())

    assert ("accepted", "queued") == (judged["decision"], made["status"])
    assert made == again
    assert "canceled" == ended["ended_reason"] or "hang_up" in ended["ended_reason"]
    assert before + 1 == len(look_into(server.database, calls_of))
    assert not log.exists() or [] == [secret for secret in SECRETS if secret in log.read_text()]


def test_standard_output_is_the_protocol_alone(server: LiveServer) -> None:
    """
    Whatever comes in, each line that goes out is a message, and the process lives on; its end is the end of its input.
    """
    hostile: list[str | dict[str, Any]] = [
        "garbage",
        "[" * 100_000,
        "\u2603" * 10,
        {**CALL, "id": {"a": KEY}},
        {**CALL, "id": 1, "method": KEY},
        {
            **CALL,
            "id": 2,
            "params": {"name": "initiate_call", "arguments": {**ASKED, "variables": {"x": float("nan")}}},
        },
        {**CALL, "id": 3, "params": {"name": "get_call", "arguments": {"call_id": "9" * 300_000}}},
    ]
    with started(server.database, OUTDIAL_LOG_LEVEL="debug") as process:
        tell(
            process,
            [HELLO, {"jsonrpc": "2.0", "method": "notifications/initialized"}, *hostile, {**CALL, "method": "ping"}],
        )
        answer = answer_to(process, 7)

        out, errors = process.communicate(timeout=20)

    assert {} == answer["result"]
    assert 0 == process.returncode
    assert all(json.loads(line)["jsonrpc"] == "2.0" for line in out.splitlines())
    assert [] == [secret for secret in SECRETS if secret in errors]


def test_an_interrupt_ends_it_at_once(server: LiveServer) -> None:
    """
    Also while its input stays open, which a thread waits for.
    """
    with started(server.database) as process:
        tell(process, [HELLO])
        answer_to(process, 0)

        process.send_signal(signal.SIGINT)

        assert -signal.SIGINT == process.wait(10)


def test_the_operator_dials_for_an_account(server: LiveServer) -> None:
    """
    Without a key and without a limit; the call is the account's.
    """
    call = {**CALL, "params": {"name": "initiate_call", "arguments": {**ASKED, "idempotency_key": "operator"}}}
    with started(server.database, "--account", "1", OUTDIAL_API_KEY="") as process:
        tell(process, [HELLO, {"jsonrpc": "2.0", "method": "notifications/initialized"}, call])

        answer = answer_to(process, 7)

    assert "queued" == answer["result"]["structuredContent"]["status"]


@pytest.mark.parametrize(
    ("words", "variables"),
    [(["mcp"], {"OUTDIAL_API_KEY": KEY}), (["serve"], {"OUTDIAL_MCP": "on", "OUTDIAL_PORT": "0"})],
)
def test_a_missing_extra_is_told_with_what_to_install(
    tmp_path: Path, words: list[str], variables: dict[str, str]
) -> None:
    """
    One sentence, before anything is opened.
    """
    database = tmp_path / "outdial.db"
    program = f"import sys; sys.modules['mcp'] = None; {PROGRAM}"

    ended = run(database, *words, program=program, **variables)

    sentence = "The Model Context Protocol needs the extra `mcp`: pip install 'outdial[mcp]'.\n"
    assert (2, "", sentence) == (ended.returncode, ended.stdout, ended.stderr)
    assert not database.exists()


def test_nothing_else_needs_the_extra(tmp_path: Path) -> None:
    """
    Without it, all other commands are there.
    """
    program = f"import sys; sys.modules['mcp'] = None; {PROGRAM}"

    assert 0 == run(tmp_path / "outdial.db", "account", "create", "Clinic", program=program).returncode
