"""
What messages travel over, in the shape that sippy's transaction manager expects; and UDP (RFC 3261, 18).
"""

import asyncio
import socket
from abc import ABC, abstractmethod
from ipaddress import IPv4Address
from typing import Any, Final, Protocol

import structlog
from sippy.Network_server import Remote_address

Host = tuple[str, int]
"""IPv4 address and port."""

RECEIVE_BUFFER_BYTES: Final = 4 << 20
"""Room for the answers to a burst of calls."""

log = structlog.get_logger()


class Receiver(Protocol):
    """
    Who is told what arrives.
    """

    def receive(self, data: bytes, source: Any, server: "Server") -> None:
        """
        Take one message; must not raise.
        """

    def connection_lost(self, server: "Server", peer: Host) -> None:
        """
        Hear that nothing sent to this peer will be answered on its connection any more.
        """


class Server(ABC):
    """
    Something messages are sent with; sippy writes its address into Via and Contact.
    """

    transport: str
    reliable: bool

    def __init__(self, advertised: Host) -> None:
        self.advertised = advertised
        self.uopts = self

    def isWildCard(self) -> bool:  # noqa: N802 - sippy's name
        """
        Tell that this address is a particular one.
        """
        return False

    def getSIPaddr(self) -> tuple[Host, str]:  # noqa: N802 - sippy's name
        """
        Return the address to write into messages.
        """
        return self.advertised, self.transport

    def addr2str(self, address: Host) -> str:
        """
        Write an address for a log.
        """
        return f"{self.transport}:{address[0]}:{address[1]}"

    @abstractmethod
    def send_to(self, data: str | bytes, address: Host) -> None:
        """
        Send one message, now or soon; never raises.
        """


def octets(data: str | bytes) -> bytes:
    """
    Undo the decoding of received messages, in which each character stands for one octet.
    """
    return data if isinstance(data, bytes) else data.encode("latin-1", "replace")


def is_numeric(host: str) -> bool:
    """
    Tell an IPv4 address from a name.
    """
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


async def resolve(host: str, timeout_s: float) -> str:
    """
    Look up a name's first IPv4 address.

    Raises:
        OSError: It has none, or the lookup took too long.
    """
    if is_numeric(host):
        return host
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(timeout_s):
            found = await loop.getaddrinfo(host, None, family=socket.AF_INET)
    except UnicodeError as error:
        raise OSError(f"{host!r} is no name of a host.") from error
    return str(found[0][4][0])


class UdpTransport(Server, asyncio.DatagramProtocol):
    """
    One UDP socket for all calls.
    """

    transport = "udp"
    reliable = False

    def __init__(self, advertised_host: str, receiver: Receiver) -> None:
        super().__init__((advertised_host, 0))
        self._receiver = receiver
        self._socket: asyncio.DatagramTransport | None = None
        self._lookups: set[asyncio.Task[None]] = set()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """
        Learn the bound port.
        """
        self._socket = transport  # type: ignore[assignment]  # asyncio types it by its base; uvloop's has another
        bound = transport.get_extra_info("socket")
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, RECEIVE_BUFFER_BYTES)
        self.advertised = (self.advertised[0], transport.get_extra_info("sockname")[1])

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """
        Pass a message on.
        """
        self._receiver.receive(data, Remote_address(addr[:2], self.transport), self)

    def error_received(self, exc: Exception) -> None:
        """
        Log why a datagram did not leave; its transaction repeats it, or fails in time.
        """
        log.warning("sip_not_sent", error=str(exc))

    def send_to(self, data: str | bytes, address: Host) -> None:
        """
        Send one datagram, after looking up the address's name if it has one.
        """
        host, port = str(address[0]), int(address[1])
        if is_numeric(host):
            self._send(octets(data), (host, port))
            return
        lookup = asyncio.get_running_loop().create_task(self._look_up_and_send(octets(data), host, port))
        self._lookups.add(lookup)
        lookup.add_done_callback(self._lookups.discard)

    async def _look_up_and_send(self, data: bytes, host: str, port: int) -> None:
        try:
            self._send(data, (await resolve(host, 5), port))
        except OSError as error:
            log.warning("sip_name_not_found", error=str(error))

    def _send(self, data: bytes, address: Host) -> None:
        if self._socket is not None and not self._socket.is_closing():
            self._socket.sendto(data, address)

    def close(self) -> None:
        """
        Give the port back.
        """
        for lookup in self._lookups:
            lookup.cancel()
        if self._socket is not None:
            self._socket.close()
