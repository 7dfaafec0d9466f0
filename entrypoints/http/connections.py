"""
How long a connection may keep the server waiting, and how many there are.

uvicorn itself waits for ever, both for a request that has begun and for a client that does not read its answer.
"""

import asyncio
import resource
from collections.abc import Callable
from http import HTTPStatus
from typing import Any, Final

import structlog
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from outdial.domain.model.decision import Refused
from outdial.domain.model.reason import Reason
from outdial.entrypoints.http.problems import refusal
from outdial.entrypoints.http.request_id import HEADER, LENGTH
from outdial.ports.randomness import Randomness

CLIENT_S: Final = 8.0
"""A request has 64 KiB at most and an answer less: clients that need longer for either have stalled."""

CONNECTIONS_MAX: Final = 8192

HEAD_BYTES_MAX: Final = 32 * 1024
"""Of the address and the headers together; clients and proxies send 2 KiB or so."""

HEADERS_MAX: Final = 100

_log = structlog.get_logger()


def connections_max() -> int:
    """
    Return how many connections are kept: half of the files that the process may open; database and calls need others.
    """
    files_max, _hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return CONNECTIONS_MAX if files_max == resource.RLIM_INFINITY else min(CONNECTIONS_MAX, files_max // 2)


class ImpatientProtocol(HttpToolsProtocol):
    """
    HTTP that closes connections whose client stalls, and the newest ones over the limit.

    A client owes a request from its connection on, and from the first bytes after an earlier request; it owes reading
    as long as its answers pile up. In between, uvicorn's keep-alive counts.
    """

    def __init__(self, *arguments: Any, randomness: Randomness, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._randomness = randomness
        self._wrong = Reason.INVALID_HTTP
        self._request = _Deadline(self.loop, self._on_late_request)
        self._reading = _Deadline(self.loop, self._abort)
        self._head_bytes = 0
        """What came of a head that is not complete yet; 0 between heads."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """
        Begin to wait for a request.
        """
        super().connection_made(transport)
        if len(self.connections) > connections_max():
            _log.warning("connection_closed", problem="There are too many.")
            self._abort()
        else:
            self._request.start()

    def connection_lost(self, exc: Exception | None) -> None:
        """
        Wait no more.
        """
        self._request.stop()
        self._reading.stop()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """
        Wait for the rest, unless this is the end of a request.
        """
        self._request.start()
        super().data_received(data)
        if self._head_bytes > 0 and not self.transport.is_closing():
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_BYTES_MAX:
                self._refuse(Reason.HEADERS_TOO_LARGE)

    def on_message_begin(self) -> None:
        """
        Wait for the rest of a request that came together with the end of another.
        """
        self._request.start()
        self._head_bytes = 1
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """
        Take the request, unless its head is too large.
        """
        self._head_bytes = 0
        length = len(self.url) + sum(len(name) + len(value) for name, value in self.headers)
        if len(self.headers) > HEADERS_MAX or length > HEAD_BYTES_MAX:
            self._wrong = Reason.HEADERS_TOO_LARGE
            raise ValueError(self._wrong.sentence)  # the parser stops, and `send_400_response` follows
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """
        Answer what is no HTTP in the shape of all refusals.
        """
        _log.warning("request_refused", problem=msg)
        self._refuse(self._wrong)

    def on_message_complete(self) -> None:
        """
        Owe the client an answer.
        """
        self._request.stop()
        super().on_message_complete()

    def pause_writing(self) -> None:
        """
        Begin to wait for the client to read.
        """
        self._reading.start()
        super().pause_writing()

    def resume_writing(self) -> None:
        """
        Go on, as the client has read.
        """
        self._reading.stop()
        super().resume_writing()

    def _on_late_request(self) -> None:
        is_answering = self.cycle is not None and not (self.cycle.more_body or self.cycle.response_complete)
        if self.flow.read_paused or is_answering:  # an earlier request's answer is what takes so long
            self._request.start()
        else:
            self._abort()

    def _refuse(self, reason: Reason) -> None:
        """
        Answer what never became a whole request and close; where another answer is under way, only close.
        """
        cycle = self.cycle
        if cycle is not None and not cycle.response_complete:
            if cycle.response_started or self.pipeline or not cycle.more_body:
                self._abort()
                return
            cycle.disconnected = True  # whoever waits for the rest of the body waits no more, and is not heard
            cycle.message_event.set()
        response = refusal(Refused(reason=reason))
        status = HTTPStatus(response.status_code)
        headers = [*response.raw_headers, (HEADER.encode(), self._randomness.base62(LENGTH).encode())]
        head = b"".join(b"%s: %s\r\n" % header for header in headers)
        self.transport.write(b"HTTP/1.1 %d %s\r\n%s\r\n%s" % (status, status.phrase.encode(), head, response.body))
        self.transport.close()

    def _abort(self) -> None:
        self.transport.abort()


class _Deadline:
    """
    Does something unless it is stopped in time.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, action: Callable[[], None]) -> None:
        self._loop = loop
        self._action = action
        self._timer: asyncio.TimerHandle | None = None

    def start(self) -> None:
        """
        Begin to count, if that was not begun before.
        """
        if self._timer is None:
            self._timer = self._loop.call_later(CLIENT_S, self._passed)

    def stop(self) -> None:
        """
        Let it be.
        """
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _passed(self) -> None:
        self._timer = None
        self._action()
