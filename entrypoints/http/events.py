"""
The operations that tell of events as they happen: server-sent events.
"""

import asyncio
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import Final

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from outdial.domain.model.decision import Refused
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.client.event_stream import EventStream
from outdial.entrypoints.http.operation import Answered, Asked, Operation
from outdial.entrypoints.wire.events import (
    HEARTBEAT,
    LAST_EVENT_ID,
    CallEventBody,
    EventsQuery,
    write_beginning,
    write_event,
)

MEDIA_TYPE: Final = "text/event-stream"

LIFETIME_S: Final = 3600.0
"""Then a client connects again and goes on where it was: so streams spread anew over processes that came and went."""

_HEADERS: Final = {
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",  # nginx would keep events until it has some kilobytes
}


class EventStreamResponse(StreamingResponse):
    """
    Sends events until there are no more, the client has left, or its time is up; then leaves the place to others.

    A client that does not read is not read for, and its connection is closed as that of any other (`connections.py`).
    """

    media_type = MEDIA_TYPE

    def __init__(self, stream: EventStream) -> None:
        super().__init__(_written(stream), headers=_HEADERS)
        self._stream = stream

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """
        Send.
        """
        with self._stream:
            if scope["method"] == "HEAD":
                await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
                await send({"type": "http.response.body", "body": b""})
            else:
                await super().__call__(scope, receive, send)


async def _written(stream: EventStream) -> AsyncIterator[bytes]:
    now = asyncio.get_running_loop().time
    end_s = now() + LIFETIME_S
    yield write_beginning(stream.last_event_id)
    async for changes in stream.pages():
        yield b"".join(map(write_event, changes)) or HEARTBEAT
        if now() > end_s:
            return


async def follow_account(client: Client, asked: Asked[EventsQuery, None]) -> Response | Refused:
    """
    Tell of all calls.
    """
    stream = await client.calls.events(last_event_id=_last_event_id(asked))
    return stream if isinstance(stream, Refused) else EventStreamResponse(stream)


async def follow_call(client: Client, asked: Asked[EventsQuery, None]) -> Answered | Response | Refused:
    """
    Tell of one call; who has heard everything is told to stay away (HTML, 9.2.3).
    """
    stream = await client.calls.events(asked.path["call_id"], last_event_id=_last_event_id(asked))
    if isinstance(stream, Refused):
        return stream
    if stream.is_over:
        stream.close()
        return Answered(body=None, status=HTTPStatus.NO_CONTENT)
    return EventStreamResponse(stream)


def _last_event_id(asked: Asked[EventsQuery, None]) -> str | None:
    """
    Return what the client handled last; the header is the newer one when a browser connects to the same URL again.
    """
    return asked.request.headers.get(LAST_EVENT_ID) or asked.query.last_event_id


_GO_ON: Final = {LAST_EVENT_ID: "The last event that was handled: goes on behind it."}

OPERATIONS: Final = (
    Operation(
        method="GET",
        path="/api/v1/events",
        name="follow_calls",
        summary="Tell of all calls as their status changes, from now on.",
        permission=Permission.READ_CALLS,
        endpoint=follow_account,
        query=EventsQuery,
        answer=CallEventBody,
        media_type=MEDIA_TYPE,
        request_headers=_GO_ON,
    ),
    Operation(
        method="GET",
        path="/api/v1/calls/{call_id}/events",
        name="follow_call",
        summary="Tell of one call as its status changes, from its beginning to its end.",
        permission=Permission.READ_CALLS,
        endpoint=follow_call,
        query=EventsQuery,
        answer=CallEventBody,
        media_type=MEDIA_TYPE,
        empty_answers={HTTPStatus.NO_CONTENT: "The call is over and nothing follows: don't connect again."},
        reasons=(Reason.NOT_FOUND,),
        request_headers=_GO_ON,
    ),
)
