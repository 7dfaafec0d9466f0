"""
Our end of SIP: sockets, transactions and legs, on one event loop. Imports sippy, so the dispatcher comes first.
"""

import asyncio
import errno
import ssl
from collections.abc import Callable
from typing import Final

import attrs

from outdial.adapters.sip.dialog import Invitation
from outdial.adapters.sip.ending_lost_calls import LostCallEnder
from outdial.adapters.sip.leg import Leg
from outdial.adapters.sip.lost_calls import LostCalls
from outdial.adapters.sip.route import own_address
from outdial.adapters.sip.streams import StreamTransport
from outdial.adapters.sip.transactions import TransactionManager
from outdial.adapters.sip.transports import Host, UdpTransport, resolve
from outdial.adapters.sip.trunk import Trunk
from outdial.domain.model.sip_address import SipAddress

_POLL_S: Final = 0.05
_TRIES: Final = 8
"""How often another free port is looked for when any will do."""


@attrs.define
class Endpoint:
    """
    What legs are made of and sent over.

    Attributes:
        host: IPv4 address under which others reach us.

        port: SIP port.

        lost_calls: Where dialogs that talk are kept.
    """

    host: str
    port: int
    _transactions: TransactionManager
    _udp: UdpTransport
    _streams: dict[str, StreamTransport]
    _timeout_s: float
    lost_calls: LostCalls

    @classmethod
    async def open(cls, trunk: Trunk) -> "Endpoint":
        """
        Bind the sockets a trunk needs.

        Raises:
            NoRouteError: No packet gets from the bind host to the trunk.

            OSError: A port is taken, an address is not ours, or the file of authorities holds none.
        """
        tls = _tls_context(trunk)
        host = await own_address(trunk)
        for _ in range(0 if trunk.bind_port else _TRIES - 1):
            try:
                return await cls._bound(trunk, host, tls)
            except OSError as error:  # what is free for UDP, and so was chosen, may be taken for TCP
                if error.errno != errno.EADDRINUSE:
                    raise
        return await cls._bound(trunk, host, tls)

    @classmethod
    async def _bound(cls, trunk: Trunk, host: str, tls: ssl.SSLContext) -> "Endpoint":
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
        endpoint = cls(
            host, advertised[1], transactions, udp, streams, trunk.connect_timeout_s, LostCalls(trunk.dialogs_folder)
        )
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
        return Leg(self._transactions, invitation, lost_calls=self.lost_calls, on_offer=on_offer)

    def lost_call_ender(self, trunk: Trunk) -> LostCallEnder:
        """
        Return who hangs up the calls of processes that were killed.
        """
        return LostCallEnder(
            lost_calls=self.lost_calls,
            transactions=self._transactions,
            streams=self._streams,
            host=self.host,
            credentials=trunk.credentials,
        )

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
        self.lost_calls.close()
        await asyncio.sleep(0)  # asyncio closes sockets in the loop's next turn


async def _open_udp(trunk: Trunk, host: str, transactions: TransactionManager) -> UdpTransport:
    loop = asyncio.get_running_loop()
    _, udp = await loop.create_datagram_endpoint(
        lambda: UdpTransport(host, transactions), local_addr=(trunk.bind_host, trunk.bind_port)
    )
    return udp


def _tls_context(trunk: Trunk) -> ssl.SSLContext:
    context = ssl.create_default_context()
    if trunk.tls_ca_file is not None:
        context.load_verify_locations(trunk.tls_ca_file)
    return context
