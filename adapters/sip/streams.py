"""
TCP and TLS (RFC 3261, 18): messages cut from streams, one connection for each peer.
"""

import asyncio
import ssl
from typing import Any, Final
from weakref import WeakValueDictionary

import structlog
from sippy.Network_server import Remote_address

from outdial.adapters.sip.transports import Host, Receiver, Server, octets, resolve

MESSAGE_BYTES_MAX: Final = 65_535
INBOUND_MAX: Final = 256
"""Connections that others opened: a trunk needs a few, and each may hold a message that never gets whole."""

INBOUND_IDLE_S: Final = 120.0
"""One of these without a whole message for so long is closed; RFC 3261, 18 asks for 32 s at least."""

NAMES_MAX: Final = 1024
"""Peers whose names are kept for another connection: a trunk and the agents of the calls that live."""

_HEADER_END: Final = b"\r\n\r\n"

log = structlog.get_logger()


class FramingError(Exception):
    """
    What comes in on a stream can't be cut into messages; the connection is of no further use.
    """


def take_message(buffer: bytearray) -> bytes | None:
    """
    Cut the first whole message off a stream's buffer; `None` while there is none.

    Raises:
        FramingError: It is too long or its Content-Length is no length (RFC 3261, 18.3).
    """
    while buffer[:2] == b"\r\n":  # keep-alives of RFC 5626, 3.5.1
        del buffer[:2]
    header_bytes = buffer.find(_HEADER_END)
    if header_bytes < 0:
        if len(buffer) > MESSAGE_BYTES_MAX:
            raise FramingError("A message's header has no end.")
        return None
    length = header_bytes + len(_HEADER_END) + _content_length(bytes(buffer[:header_bytes]))
    if len(buffer) < length:
        return None
    message = bytes(buffer[:length])
    del buffer[:length]
    return message


def _content_length(header: bytes) -> int:
    for line in header.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() in {b"content-length", b"l"}:
            digits = value.strip()
            if not digits.isdigit() or len(digits) > len(str(MESSAGE_BYTES_MAX)) or int(digits) > MESSAGE_BYTES_MAX:
                raise FramingError("A message's Content-Length is no length.")
            return int(digits)
    return 0


class StreamConnection(Server, asyncio.Protocol):
    """
    One TCP or TLS connection; responses to its requests go back on it (RFC 3261, 18.2.2).
    """

    reliable = True

    def __init__(self, owner: "StreamTransport", receiver: Receiver, *, is_inbound: bool = False) -> None:
        super().__init__(owner.advertised)
        self.is_inbound = is_inbound
        self.transport = owner.transport
        self.peer: Host = ("", 0)
        self._owner = owner
        self._receiver = receiver
        self._buffer = bytearray()
        self._stream: asyncio.Transport | None = None
        self._idle: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Learn who is at the other end.
        """
        self._stream = transport  # type: ignore[assignment]  # asyncio types it by its base; uvloop's has another
        self.peer = transport.get_extra_info("peername")[:2]
        if self._owner.adopt(self):
            self._wait()
        else:
            self.close()

    def data_received(self, data: bytes) -> None:
        """
        Pass on whole messages.
        """
        self._buffer += data
        try:
            while (message := take_message(self._buffer)) is not None:
                self._wait()
                self._receiver.receive(message, Remote_address(self.peer, self.transport), self)
        except FramingError as error:
            log.warning("sip_stream_not_understood", error=str(error))
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """
        Tell the owner.
        """
        del exc
        if self._idle is not None:
            self._idle.cancel()
        self._owner.lose(self)

    @property
    def is_open(self) -> bool:
        """
        Whether something can be written.
        """
        return self._stream is not None and not self._stream.is_closing()

    def send_to(self, data: str | bytes, address: Host) -> None:
        """
        Write one message; on another connection if this one is gone.
        """
        if self._stream is not None and self.is_open:
            self._stream.write(octets(data))
        else:
            self._owner.send_to(data, address)

    def close(self) -> None:
        """
        Hang up the connection.
        """
        if self._stream is not None:
            self._stream.close()

    def _wait(self) -> None:
        """
        Give an inbound connection its time for the next message.
        """
        if self._idle is not None:
            self._idle.cancel()
        if self.is_inbound:
            self._idle = asyncio.get_running_loop().call_later(self._owner.inbound_idle_s, self.close)


class StreamTransport(Server):
    """
    All TCP, or all TLS, connections: one for each peer, opened when first needed.
    """

    reliable = True
    inbound_max = INBOUND_MAX
    inbound_idle_s = INBOUND_IDLE_S

    def __init__(
        self, transport: str, advertised: Host, receiver: Receiver, timeout_s: float, tls: ssl.SSLContext | None = None
    ) -> None:
        super().__init__(advertised)
        self.transport = transport
        self._receiver = receiver
        self._timeout_s = timeout_s
        self._tls = tls
        self._connections: dict[Host, StreamConnection] = {}
        self._names: dict[Host, str] = {}
        self._connecting: WeakValueDictionary[Host, asyncio.Lock] = WeakValueDictionary()  # while somebody holds one
        self._inbound: set[StreamConnection] = set()
        self._sending: set[asyncio.Task[None]] = set()
        self._listener: asyncio.Server | None = None

    async def listen(self, host: str, port: int) -> None:
        """
        Accept connections, as a trunk may open one of its own to end a call.

        Raises:
            OSError: The port is taken.
        """
        loop = asyncio.get_running_loop()
        self._listener = await loop.create_server(
            lambda: StreamConnection(self, self._receiver, is_inbound=True), host, port
        )

    async def connect(self, peer: Host, name: str | None = None) -> None:
        """
        Make sure a connection to the peer is open.

        Args:
            name: Whom the peer's certificate must name; its address when `None`.

        Raises:
            OSError: It can't be reached, or its certificate is not to be trusted.
        """
        if name is not None:
            self._remember(peer, name)
        async with self._connecting.setdefault(peer, asyncio.Lock()):
            connection = self._connections.get(peer)
            if connection is not None and connection.is_open:
                return
            options: dict[str, Any] = {}
            if self._tls is not None:
                options = {"ssl": self._tls, "server_hostname": self._names.get(peer, peer[0])}
            loop = asyncio.get_running_loop()
            opening = loop.create_connection(lambda: StreamConnection(self, self._receiver), *peer, **options)
            async with asyncio.timeout(self._timeout_s):
                await opening

    def _remember(self, peer: Host, name: str) -> None:
        """
        Keep a peer's name, for it may have to be connected to again; forget the longest unused that is not connected.
        """
        self._names.pop(peer, None)
        self._names[peer] = name
        unused = (known for known in self._names if known not in self._connections and known != peer)
        if len(self._names) > NAMES_MAX and (oldest := next(unused, None)) is not None:
            del self._names[oldest]

    def send_to(self, data: str | bytes, address: Host) -> None:
        """
        Write one message, on a new connection if there is none.
        """
        peer = (str(address[0]), int(address[1]))
        connection = self._connections.get(peer)
        if connection is not None and connection.is_open:
            connection.send_to(data, peer)
            return
        sending = asyncio.get_running_loop().create_task(self._connect_and_send(data, peer))
        self._sending.add(sending)
        sending.add_done_callback(self._sending.discard)

    async def _connect_and_send(self, data: str | bytes, peer: Host) -> None:
        try:
            address = (await resolve(peer[0], self._timeout_s), peer[1])
            await self.connect(address)
        except OSError as error:
            log.warning("sip_connection_failed", transport=self.transport, error=type(error).__name__)
            self._receiver.connection_lost(self, peer)
            return
        connection = self._connections.get(address)
        if connection is not None and connection.is_open:
            connection.send_to(data, address)

    def adopt(self, connection: StreamConnection) -> bool:
        """
        Use a new connection for whatever goes to its peer; `False` when others have opened enough.
        """
        if connection.is_inbound:
            if len(self._inbound) >= self.inbound_max:
                log.warning("sip_connection_refused", transport=self.transport, connections=len(self._inbound))
                return False
            self._inbound.add(connection)
        self._connections[connection.peer] = connection
        return True

    def lose(self, connection: StreamConnection) -> None:
        """
        Forget a connection that was closed.
        """
        self._inbound.discard(connection)
        if self._connections.get(connection.peer) is connection:
            del self._connections[connection.peer]
        self._receiver.connection_lost(self, connection.peer)

    async def close(self) -> None:
        """
        Close all connections and the listening port.
        """
        for task in self._sending:
            task.cancel()
        for connection in list(self._connections.values()):
            connection.close()
        if self._listener is not None:
            self._listener.close()
            await asyncio.sleep(0)
