"""
Streams of events over real sockets: they outlive a request's time, end with the server, and don't wait for who stalls.
"""

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest
from uvicorn.server import ServerState

from outdial.entrypoints.client import event_hub, event_stream
from outdial.entrypoints.http import connections
from outdial.entrypoints.wire import events as wire
from tests.entrypoints.clinic import KEY
from tests.http.api import BODY, CALLS, Api
from tests.http.listening import EVENTS, Block, read_block
from tests.http.live import LiveServer, serving
from tests.http.on_a_port import on_a_port
from tests.http.test_events import accept

STALLING_S = 0.2
PATIENCE_S = 10.0
REQUEST = f"GET {EVENTS} HTTP/1.1\r\nHost: outdial.test\r\nAuthorization: Bearer {KEY}\r\n\r\n".encode()


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let clients have less time, and look at the log more often.
    """
    monkeypatch.setattr(connections, "CLIENT_S", STALLING_S)
    monkeypatch.setattr(event_hub, "POLL_S", 0.005)
    monkeypatch.setattr(event_stream, "CHECK_S", 0.05)
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", STALLING_S / 2)


async def until_gone(state: ServerState) -> None:
    """
    Wait until no connection and no request is left.
    """
    async with asyncio.timeout(PATIENCE_S):
        while state.connections or state.tasks:
            await asyncio.sleep(0.01)


@pytest.mark.usefixtures("hasty")
def test_a_stream_outlives_the_time_of_a_request(api: Api) -> None:
    """
    As long as the client reads; what happens then is told on the same connection.
    """

    async def main() -> None:
        async with on_a_port(api.app, ServerState()) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(REQUEST)
            async with asyncio.timeout(PATIENCE_S):
                for _ in range(4):
                    await reader.readuntil(wire.HEARTBEAT)
                await accept(api)
                await reader.readuntil(b"event: call.queued\n")
            writer.close()

    api.run(main())


@pytest.mark.usefixtures("hasty")
def test_a_client_that_does_not_read_is_closed(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Nothing is kept for it, and its place is free again.
    """
    monkeypatch.setattr(event_hub, "STREAMS_MAX", 1)
    monkeypatch.setattr(wire, "HEARTBEAT", b":" * 1_000_000)
    monkeypatch.setattr("outdial.entrypoints.http.events.HEARTBEAT", b":" * 1_000_000)
    monkeypatch.setattr(event_stream, "HEARTBEAT_S", 0.0)
    monkeypatch.setattr(event_stream, "CHECK_S", 0.001)

    async def main() -> None:
        state = ServerState()
        async with on_a_port(api.app, state) as port:
            for _ in range(2):
                _reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.transport.pause_reading()  # type: ignore[attr-defined]
                writer.write(REQUEST)
                while not state.tasks:
                    await asyncio.sleep(0.01)
                await until_gone(state)
                writer.close()

    api.run(main())


@pytest.mark.usefixtures("hasty")
def test_a_client_that_leaves_makes_room(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Its connection is gone, and so is its stream, before anything happens.
    """
    monkeypatch.setattr(event_hub, "STREAMS_MAX", 1)

    async def main() -> None:
        state = ServerState()
        async with on_a_port(api.app, state) as port:
            for _ in range(3):
                reader, writer = await asyncio.open_connection("127.0.0.1", port)
                writer.write(REQUEST)
                assert b"HTTP/1.1 200 OK\r\n" == await reader.readline()
                writer.close()
                await until_gone(state)

    api.run(main())


def _blocks(answer: httpx2.Response) -> Iterator[Block]:
    lines: list[str] = []
    for line in answer.iter_lines():
        if line:
            lines.append(line)
        else:
            yield read_block("\n".join(lines))
            lines.clear()


def _events(server: LiveServer, path: str, count: int, last_event_id: str = "") -> list[Block]:
    """
    Connect and return the next events.
    """
    found: list[Block] = []
    with server.client() as client, client.stream("GET", path, headers={"Last-Event-ID": last_event_id}) as answer:
        for block in _blocks(answer):
            found += [block] if block.event is not None else []
            if len(found) == count:
                break
    return found


def test_a_served_call_is_told_over_several_connections(tmp_path: Path) -> None:
    """
    Cut off after each event, a client gets all of them, in the order of a call's life.
    """
    with serving(tmp_path) as server:
        with server.client() as client:
            path = f"{client.post(CALLS, json=BODY).headers['Location']}/events"
        found = _events(server, path, 1)
        while found[-1].event not in {"call.completed", "call.failed"}:
            found += _events(server, path, 1, last_event_id=str(found[-1].id))

    assert ["call.queued", "call.dialing", "call.ringing", "call.in-progress", "call.completed"] == [
        block.event for block in found
    ]


def test_a_server_that_ends_ends_its_streams(tmp_path: Path) -> None:
    """
    At once, and in order: the client sees the end of the answer, and the log shows no trouble.
    """
    with serving(tmp_path) as server, server.client() as client, client.stream("GET", EVENTS) as answer:
        blocks = _blocks(answer)
        next(blocks)
        began_s = time.monotonic()
        exit_code = server.stop()
        took_s = time.monotonic() - began_s
        rest = list(blocks)

    assert (0, []) == (exit_code, rest)
    assert took_s < 3
    assert "rror" not in server.log
