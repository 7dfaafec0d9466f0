"""
Clients that stall or are too many, over raw sockets: they lose their connection, and nobody else notices.
"""

import asyncio
import resource
import socket
import time
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import ExitStack, asynccontextmanager
from functools import wraps
from pathlib import Path
from typing import Final

import attrs
import pytest
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from outdial.entrypoints.http import connections
from outdial.entrypoints.http.connections import connections_max
from tests.http.live import serving
from tests.http.on_a_port import on_a_port

REQUEST: Final = b"POST / HTTP/1.1\r\nHost: outdial.test\r\nContent-Length: 2\r\n\r\n{}"
HALVES: Final = {
    "nothing": b"",
    "half a head": REQUEST[:30],
    "half a body": REQUEST[:-1],
    "half a second request": REQUEST + REQUEST[:30],
    "half a second body": REQUEST + REQUEST[:-1],
    "no HTTP": b"hello\r\n",
}
"""What stalled clients have sent."""

PATIENT_S: Final = 5.0


@attrs.define
class Service:
    """
    A server in this process.

    Attributes:
        answers: Set while it answers; what it is asked waits otherwise.

        port: Where it listens.

        body: What it answers.

        state: uvicorn's own count of connections and requests.
    """

    answers: asyncio.Event
    port: int = 0
    body: bytes = b"{}"
    state: ServerState = attrs.field(factory=ServerState)

    async def __call__(self, _scope: Scope, receive: Receive, send: Send) -> None:
        """
        Answer a request as soon as its body was read.
        """
        while (message := await receive()).get("more_body"):
            pass
        if message["type"] == "http.disconnect":
            return
        await self.answers.wait()
        length = str(len(self.body)).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", length)]})
        await send({"type": "http.response.body", "body": self.body})

    async def ask(self, sent: bytes) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """
        Connect and send something.
        """
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(sent)
        return reader, writer


@asynccontextmanager
async def listening() -> AsyncIterator[Service]:
    """
    Serve until the block ends.
    """
    service = Service(asyncio.Event())
    service.answers.set()
    async with on_a_port(service, service.state) as service.port:
        yield service


def awaited(scenario: Callable[..., Coroutine[None, None, None]]) -> Callable[..., None]:
    """
    Run a test on an event loop of its own.
    """

    @wraps(scenario)
    def test(*arguments: object, **named: object) -> None:
        asyncio.run(scenario(*arguments, **named))

    return test


async def until_closed(reader: asyncio.StreamReader) -> bytes:
    """
    Return what comes until the server closes.
    """
    async with asyncio.timeout(PATIENT_S):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Let clients have less time.
    """
    monkeypatch.setattr(connections, "CLIENT_S", 0.2)


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("sent", HALVES.values(), ids=HALVES.keys())
@awaited
async def test_client_that_sends_no_whole_request_is_closed(sent: bytes) -> None:
    """
    Whatever part of a request came, also after an earlier one that was answered.
    """
    async with listening() as service:
        reader, writer = await service.ask(sent)

        received = await until_closed(reader)
        writer.close()

    assert sent.count(b"{}") == received.count(b"HTTP/1.1 200")


@pytest.mark.usefixtures("hasty")
@awaited
async def test_request_that_trickles_is_closed() -> None:
    """
    The time counts for the whole request; each byte does not win it anew.
    """
    async with listening() as service:
        reader, writer = await service.ask(b"")
        closed = asyncio.ensure_future(until_closed(reader))
        for byte in REQUEST[:40]:
            writer.write(bytes([byte]))
            await asyncio.wait([closed], timeout=0.02)
            if closed.done():
                break

        is_closed = closed.done()
        await closed
        writer.close()

    assert is_closed


@pytest.mark.usefixtures("hasty")
@awaited
async def test_line_ends_between_requests_win_no_time() -> None:
    """
    Bytes that a server has to ignore (RFC 9112, 2.2) end uvicorn's keep-alive, and begin a request's time instead.
    """
    async with listening() as service:
        reader, writer = await service.ask(REQUEST)
        await asyncio.wait_for(reader.readexactly(40), PATIENT_S)
        writer.write(b"\r\n")

        await until_closed(reader)
        writer.close()


@pytest.mark.usefixtures("hasty")
@awaited
async def test_client_that_does_not_read_is_closed() -> None:
    """
    Answers that pile up do not keep their requests in flight for ever.
    """
    async with listening() as service:
        service.body = b" " * 20_000_000
        _reader, writer = await service.ask(REQUEST)
        writer.transport.pause_reading()  # type: ignore[attr-defined]
        while not service.state.total_requests:
            await asyncio.sleep(0.02)

        async with asyncio.timeout(PATIENT_S):
            while service.state.connections:
                await asyncio.sleep(0.02)
        writer.close()


@pytest.mark.usefixtures("hasty")
@awaited
async def test_client_that_waits_for_its_answer_is_not_closed() -> None:
    """
    However long it takes, and whatever part of the next request was sent meanwhile.
    """
    async with listening() as service:
        service.answers.clear()
        waiting = [await service.ask(sent) for sent in (REQUEST, REQUEST + REQUEST[:30], REQUEST + REQUEST)]
        await asyncio.sleep(0.6)
        service.answers.set()

        answers = [await asyncio.wait_for(reader.readexactly(40), PATIENT_S) for reader, _writer in waiting]
        for _reader, writer in waiting:
            writer.close()

    assert [True] * 3 == [answer.startswith(b"HTTP/1.1 200") for answer in answers]


@pytest.mark.usefixtures("hasty")
@awaited
async def test_idle_connection_is_kept_alive() -> None:
    """
    Between requests uvicorn's keep-alive counts, which is longer.
    """
    async with listening() as service:
        reader, writer = await service.ask(REQUEST)
        await asyncio.sleep(0.6)
        writer.write(REQUEST.replace(b"Host", b"Connection: close\r\nHost"))

        received = await until_closed(reader)
        writer.close()

    assert 2 == received.count(b"HTTP/1.1 200")


@awaited
async def test_newest_connection_over_the_limit_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Those who came before stay, and are answered.
    """
    monkeypatch.setattr(connections, "CONNECTIONS_MAX", 3)
    async with listening() as service:
        silent = [await service.ask(b"") for _ in range(2)]
        asking, asking_writer = await service.ask(REQUEST)
        await asyncio.wait_for(asking.readexactly(40), PATIENT_S)
        newest, newest_writer = await service.ask(b"")

        closed = await until_closed(newest)
        asking_writer.write(REQUEST)
        again = await asyncio.wait_for(asking.readexactly(40), PATIENT_S)
        for writer in (asking_writer, newest_writer, *(writer for _reader, writer in silent)):
            writer.close()

    assert b"" == closed
    assert b"HTTP/1.1 200" in again
    assert [False, False] == [reader.at_eof() for reader, _writer in silent]


def test_connections_leave_files_for_others(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    At most half of the files that a process may open are connections.
    """
    limits = iter([1024, 1_000_000, resource.RLIM_INFINITY])
    monkeypatch.setattr(resource, "getrlimit", lambda _kind: (next(limits), resource.RLIM_INFINITY))

    assert [512, 8192, 8192] == [connections_max() for _ in range(3)]


def test_served_connections_that_stall_are_closed_within_10_s(tmp_path: Path) -> None:
    """
    Of whatever kind, side by side, by `outdial serve` itself; who asks meanwhile is answered.
    """
    with serving(tmp_path) as server, ExitStack() as opened:
        stalled = [opened.enter_context(server.connect()) for _ in HALVES]
        for connection, sent in zip(stalled, HALVES.values(), strict=True):
            connection.sendall(sent)
        deadline_s = time.monotonic() + 10
        with server.client() as client:
            answer = client.get("/healthz")
        are_closed = [_is_closed_by(connection, deadline_s) for connection in stalled]

    assert 200 == answer.status_code
    assert dict.fromkeys(HALVES, True) == dict(zip(HALVES, are_closed, strict=True))


def _is_closed_by(connection: socket.socket, deadline_s: float) -> bool:
    try:
        while (left_s := deadline_s - time.monotonic()) > 0:
            connection.settimeout(left_s)
            if not connection.recv(65536):
                return True
    except ConnectionResetError:
        return True
    except TimeoutError:
        pass
    return False
