"""
An endpoint on a real socket that notes what it gets and answers as a test wants.
"""

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

import attrs

OK: Final = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"


@attrs.frozen
class Received:
    """
    A request.

    Attributes:
        headers: By name in lower case.
    """

    line: str
    headers: dict[str, str]
    body: bytes


Answer = Callable[[Received, asyncio.StreamWriter], Awaitable[None]]


def status(code: int, *headers: str) -> Answer:
    """
    Return what answers with a status and without a body.
    """

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        lines = [f"HTTP/1.1 {code} Status", "content-length: 0", *headers]
        writer.write("\r\n".join([*lines, "", ""]).encode())

    return answer


def raw(data: bytes) -> Answer:
    """
    Return what answers with these bytes.
    """

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(data)

    return answer


@attrs.define
class Receiver:
    """
    Where requests arrive.

    Attributes:
        answers: What the next requests are answered with; afterwards the last one for ever.
    """

    answers: list[Answer]
    port: int = 0
    received: list[Received] = attrs.field(factory=list)
    connections: int = 0
    writers: list[asyncio.StreamWriter] = attrs.field(factory=list)
    arrived: asyncio.Event = attrs.field(factory=asyncio.Event)

    @property
    def url(self) -> str:
        """
        Its address.
        """
        return f"http://127.0.0.1:{self.port}/hooks?a=1"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """
        Read one request and answer it.
        """
        self.connections += 1
        self.writers.append(writer)
        with suppress(OSError, asyncio.IncompleteReadError, ssl.SSLError):
            request = await _read(reader)
            self.received.append(request)
            self.arrived.set()
            answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
            await answer(request, writer)
            await writer.drain()
        writer.close()


async def _read(reader: asyncio.StreamReader) -> Received:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in head[1:] if line}
    body = await reader.readexactly(int(headers["content-length"]))
    return Received(line=head[0], headers=headers, body=body)


@asynccontextmanager
async def receiver(*answers: Answer, tls: ssl.SSLContext | None = None) -> AsyncIterator[Receiver]:
    """
    Listen on a free port of this machine.
    """
    listening = Receiver(list(answers) or [raw(OK)])
    tasks: set[asyncio.Task[None]] = set()

    def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(listening.serve(reader, writer))
        tasks.add(task)
        task.add_done_callback(tasks.discard)

    server = await asyncio.start_server(take, "127.0.0.1", 0, ssl=tls)
    listening.port = server.sockets[0].getsockname()[1]
    try:
        yield listening
    finally:
        server.close()
        for task in [*tasks]:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        for writer in listening.writers:
            writer.transport.abort()
        await asyncio.sleep(0)  # the sockets are closed in the loop's next turn
