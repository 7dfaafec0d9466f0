"""
A client that listens to a stream of events in this process, one event after the other.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs
from starlette.types import ASGIApp, Message, Scope

from tests.entrypoints.clinic import KEY

EVENTS: Final = "/api/v1/events"
PATIENCE_S: Final = 10.0


@attrs.frozen(kw_only=True)
class Block:
    """
    What stands between two empty lines of a stream.

    Attributes:
        id: What the client is to remember; `None` for nothing new.

        event: Its type; `None` for what is no event.
    """

    id: str | None = None
    event: str | None = None
    data: Any = None

    @property
    def is_heartbeat(self) -> bool:
        """
        Whether it tells nothing but that the connection lives.
        """
        return self == Block()


def read_block(text: str) -> Block:
    """
    Read a block (HTML, 9.2.6).
    """
    fields = dict(line.partition(":")[::2] for line in text.splitlines())
    data = fields.get("data")
    return Block(
        id=fields["id"].strip() if "id" in fields else None,
        event=fields["event"].strip() if "event" in fields else None,
        data=json.loads(data) if data is not None else None,
    )


class Listener:
    """
    One request for a stream, and what was answered so far.
    """

    def __init__(self) -> None:
        self.messages: list[Message] = []
        self._sent: asyncio.Queue[Message] = asyncio.Queue()
        self._leaves = asyncio.Event()
        self._text = ""

    @property
    def status(self) -> int:
        """
        The answer's status.
        """
        status: int = self.messages[0]["status"]
        return status

    @property
    def headers(self) -> dict[str, str]:
        """
        The answer's headers, their names in small letters.
        """
        return {name.decode(): value.decode() for name, value in self.messages[0]["headers"]}

    async def block(self) -> Block | None:
        """
        Wait for what comes next; `None` when the answer is complete.
        """
        while "\n\n" not in self._text:
            message = await self._next()
            self._text += message.get("body", b"").decode()
            if not message.get("more_body"):
                assert self._text == ""
                return None
        text, _, self._text = self._text.partition("\n\n")
        return read_block(text)

    async def event(self) -> Block:
        """
        Wait for the next event.
        """
        while (block := await self.block()) is not None:
            if block.event is not None:
                return block
        raise AssertionError("The stream has ended.")

    async def rest(self) -> list[Block]:
        """
        Wait for the end of the stream, and return all events until then.
        """
        found: list[Block] = []
        while (block := await self.block()) is not None:
            found += [block] if block.event is not None else []
        return found

    async def begun(self) -> None:
        """
        Wait for the answer's head.
        """
        self.messages.append(await self._next())

    def leave(self) -> None:
        """
        Close the connection.
        """
        self._leaves.set()

    async def send(self, message: Message) -> None:
        """
        Take what the application sends.
        """
        self._sent.put_nowait(message)

    async def receive(self) -> Message:
        """
        Give the application the request, which has no body, and then nothing until the client leaves.
        """
        await self._leaves.wait()
        return {"type": "http.disconnect"}

    async def _next(self) -> Message:
        async with asyncio.timeout(PATIENCE_S):
            return await self._sent.get()


@asynccontextmanager
async def listening(
    app: ASGIApp,
    path: str = EVENTS,
    *,
    key: str = KEY,
    last_event_id: str | None = None,
    headers: Mapping[str, str] | None = None,
    method: str = "GET",
) -> AsyncIterator[Listener]:
    """
    Ask for a stream, and leave it in the end.
    """
    sent = {"authorization": f"Bearer {key}", **(headers or {})}
    if last_event_id is not None:
        sent["last-event-id"] = last_event_id
    path, _, query = path.partition("?")
    scope: Scope = {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.encode(), value.encode()) for name, value in sent.items()],
        "client": ("127.0.0.1", 50000),
        "server": ("127.0.0.1", 80),
    }
    listener = Listener()
    task = asyncio.ensure_future(app(scope, listener.receive, listener.send))
    try:
        await listener.begun()
        yield listener
    finally:
        listener.leave()
        async with asyncio.timeout(PATIENCE_S):
            await task
