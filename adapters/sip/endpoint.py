"""
Our end of SIP: sockets, transactions and legs, on one event loop. Imports sippy, so the dispatcher comes first.
"""

import asyncio
import socket
import ssl
from collections.abc import Callable
from typing import Final

import attrs

from outdial.adapters.sip.dialog import Invitation
from outdial.adapters.sip.leg import Leg
from outdial.adapters.sip.streams import StreamTransport
from outdial.adapters.sip.transactions import TransactionManager
from outdial.adapters.sip.transports import Host, UdpTransport, resolve
from outdial.adapters.sip.trunk import Trunk
from outdial.domain.model.sip_address import SipAddress

_ANY_HOST: Final = "0.0.0.0"  # noqa: S104 - compared with, not bound
_POLL_S: Final = 0.05


@attrs.define
class Endpoint:
    """
    What legs are made of and sent over.

    Attributes:
        host: IPv4 address under which others reach us.

        port: SIP port.
    """

    host: str
    port: int
    _transactions: TransactionManager
    _udp: UdpTransport
    _streams: dict[str, StreamTransport]
    _timeout_s: float

    @classmethod
    async def open(cls, trunk: Trunk) -> "Endpoint":
        """
        Bind the sockets a trunk needs.

        Raises:
            OSError: A port is taken, an address is not ours, or the file of authorities holds none.
        """
        tls = _tls_context(trunk)
        host = trunk.advertised_host or await _own_address(trunk)
        transactions = TransactionManager()
        try:
            udp = await _open_udp(trunk, host, transactions)
        except BaseException:
            transactions.close()
            raise
        advertised = udp.advertised
        streams = {
            name: StreamTransport(name, advertised, transactions, trunk.connect_timeout_s, context)
            for name, context in (("tcp", None), ("tls", tls))
        }
        transactions.servers = {"udp": udp, **streams}
        endpoint = cls(host, advertised[1], transactions, udp, streams, trunk.connect_timeout_s)
        if trunk.address.transport == "tcp":
            try:
                await streams["tcp"].listen(trunk.bind_host, advertised[1])
            except BaseException:
                await endpoint.close()
                raise
        return endpoint

    async def reach(self, address: SipAddress) -> Host:
        """
        Find the way to an address: look its name up and, over TCP and TLS, be connected to it.

        Raises:
            OSError: There is no way now.
        """
        peer = (await resolve(address.host, self._timeout_s), address.port)
        stream = self._streams.get(address.transport)
        if stream is not None:
            await stream.connect(peer, address.host)
        return peer

    def leg(
        self,
        invitation: Invitation,
        *,
        on_offer: Callable[[str | None], str | None] = lambda _offer: None,
    ) -> Leg:
        """
        Make a leg; nothing is sent before its `invite`.
        """
        return Leg(self._transactions, invitation, on_offer=on_offer)

    async def drain(self, timeout_s: float) -> None:
        """
        Wait until our last requests are answered, but not longer than this.
        """
        loop = asyncio.get_running_loop()
        until = loop.time() + timeout_s
        while self._transactions.unanswered and loop.time() < until:  # noqa: ASYNC110 - sippy has no such event
            await asyncio.sleep(_POLL_S)

    async def close(self) -> None:
        """
        Give all ports back.
        """
        self._transactions.close()
        self._udp.close()
        for stream in self._streams.values():
            await stream.close()
        await asyncio.sleep(0)  # asyncio closes sockets in the loop's next turn


async def _open_udp(trunk: Trunk, host: str, transactions: TransactionManager) -> UdpTransport:
    loop = asyncio.get_running_loop()
    _, udp = await loop.create_datagram_endpoint(
        lambda: UdpTransport(host, transactions), local_addr=(trunk.bind_host, trunk.bind_port)
    )
    return udp


async def _own_address(trunk: Trunk) -> str:
    """
    Find the address that packets to the trunk leave from, without sending any.
    """
    if trunk.bind_host != _ANY_HOST:
        return trunk.bind_host
    trunk_host = await resolve(trunk.address.host, trunk.connect_timeout_s)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect((trunk_host, trunk.address.port))
        return str(probe.getsockname()[0])


def _tls_context(trunk: Trunk) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if trunk.tls_ca_file is not None:
        context.load_verify_locations(trunk.tls_ca_file)
    return context
