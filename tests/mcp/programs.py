"""
`outdial mcp` as a program that the SDK's client starts, or that a test talks to line by line.
"""

import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
from mcp import Client
from mcp.client.stdio import StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.entrypoints.clinic import KEY
from tests.http.live import LiveServer

PROGRAM: Final = "from outdial.entrypoints.cli import main; main()"
PATIENCE_S: Final = 30
HELLO: Final = {
    "jsonrpc": "2.0",
    "id": 0,
    "method": "initialize",
    "params": {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "1"}},
}


def environment(database: Path, **variables: str) -> dict[str, str]:
    """
    Return this process's variables with outdial's own replaced.
    """
    kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")}
    return {**kept, "OUTDIAL_DATABASE": f"sqlite:///{database}", **variables}


def run(database: Path, *words: str, program: str = PROGRAM, **variables: str) -> "subprocess.CompletedProcess[str]":
    """
    Run a command to its end, with nothing on standard input.
    """
    return subprocess.run(
        [sys.executable, "-c", program, *words],
        env=environment(database, **variables),
        input="",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@contextmanager
def started(database: Path, *words: str, **variables: str) -> Iterator["subprocess.Popen[str]"]:
    """
    Start `outdial mcp`, which does not outlive the block.
    """
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "mcp", *words],
        env=environment(database, **{"OUTDIAL_API_KEY": KEY, **variables}),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def tell(process: "subprocess.Popen[str]", messages: Iterable[str | Mapping[str, Any]]) -> None:
    """
    Send lines.
    """
    assert process.stdin is not None
    for message in messages:
        process.stdin.write((message if isinstance(message, str) else json.dumps(message)) + "\n")
    process.stdin.flush()


def answer_to(process: "subprocess.Popen[str]", number: int) -> dict[str, Any]:
    """
    Read lines, each of which must be a message, up to the answer to a request.
    """
    assert process.stdout is not None
    for line in process.stdout:
        message: dict[str, Any] = json.loads(line)
        assert "2.0" == message["jsonrpc"]
        if message.get("id") == number:
            return message
    raise AssertionError("It said no more.")


@asynccontextmanager
async def over_stdio(server: LiveServer, log: Path) -> AsyncIterator[Client]:
    """
    Start `outdial mcp` beside a server that dials; its standard error goes to a file.
    """
    parameters = StdioServerParameters(
        command=sys.executable,
        args=["-c", PROGRAM, "mcp"],
        env=environment(server.database, OUTDIAL_API_KEY=KEY, OUTDIAL_LOG_LEVEL="debug"),
    )
    with log.open("w") as errors:
        async with Client(stdio_client(parameters, errlog=errors)) as client:
            yield client


@asynccontextmanager
async def over_http(server: LiveServer, _log: Path) -> AsyncIterator[Client]:
    """
    Connect to a server.
    """
    async with (
        httpx2.AsyncClient(headers={"Authorization": f"Bearer {KEY}"}, timeout=PATIENCE_S) as http,
        Client(streamable_http_client(f"{server.url}/mcp", http_client=http)) as client,
    ):
        yield client
