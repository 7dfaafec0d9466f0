"""
Connections to strangers: only to addresses that were checked, and reading only so much.
"""

import ssl
from collections.abc import Callable, Iterable
from typing import Any, Final

import attrs
import httpcore2

from outdial.adapters.webhook_http.look_up import LookUp
from outdial.ports.webhook_sender import WebhookSendError

READ_BYTES_MAX: Final = 64 * 1024

CONNECT_S: Final = 4.0
"""For one of several addresses of a name: one that does not answer leaves time for the next."""

ADDRESSES_MAX: Final = 3
"""How many of a name's addresses are tried."""

IsAllowed = Callable[[str], bool]
"""Tells whether an IP address may be connected to."""


class CappedStream(httpcore2.AsyncNetworkStream):
    """
    A connection of which at most `READ_BYTES_MAX` are read.
    """

    def __init__(self, stream: httpcore2.AsyncNetworkStream) -> None:
        self._stream = stream
        self._left = READ_BYTES_MAX

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:  # noqa: ASYNC109 - httpcore's interface
        """
        Read some bytes.

        Raises:
            WebhookSendError: No more may be read.
        """
        if self._left <= 0:
            raise WebhookSendError(f"The endpoint sent more than {READ_BYTES_MAX // 1024} KiB.")
        read = await self._stream.read(min(max_bytes, self._left), timeout)
        self._left -= len(read)
        return read

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:  # noqa: ASYNC109
        """
        Write all bytes.
        """
        await self._stream.write(buffer, timeout)

    async def aclose(self) -> None:
        """
        Close it.
        """
        await self._stream.aclose()

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109
    ) -> httpcore2.AsyncNetworkStream:
        """
        Return the connection with TLS, for the name that was asked for.
        """
        try:
            return CappedStream(await self._stream.start_tls(ssl_context, server_hostname, timeout))
        except BaseException:  # the time may be up in the middle of it: nobody else would close the socket
            await self._stream.aclose()
            raise

    def get_extra_info(self, info: str) -> Any:
        """
        Return what httpcore wants to know of the socket.
        """
        return self._stream.get_extra_info(info)


@attrs.frozen(kw_only=True)
class CheckedNetwork(httpcore2.AsyncNetworkBackend):
    """
    Looks a name up once, checks every address of it, and connects to those very addresses, by their numbers.

    A name that leads elsewhere when it is asked for again leads nobody astray: it is not asked for again.
    """

    look_up: LookUp
    is_allowed: IsAllowed

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109, ARG002 - the sender keeps the time for all of it
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.AsyncNetworkStream:
        """
        Connect to a host.

        Raises:
            WebhookSendError: It has no address, or one that is not allowed.

            httpcore2.ConnectError: Nobody answers.
        """
        addresses = await self._addresses(host, port)
        network = httpcore2.AnyIOBackend()
        error: Exception = httpcore2.ConnectError()
        for address in addresses[:ADDRESSES_MAX]:
            try:
                stream = await network.connect_tcp(address, port, CONNECT_S, local_address, socket_options)
            except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as caught:
                error = caught
            else:
                return CappedStream(stream)
        raise error

    async def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = await self.look_up(host, port)
        except OSError as error:
            raise WebhookSendError("The endpoint's name has no address.") from error
        if not addresses:
            raise WebhookSendError("The endpoint's name has no address.")
        if not all(map(self.is_allowed, addresses)):
            raise WebhookSendError("The endpoint's name leads to an address that webhooks are not sent to.")
        return addresses
