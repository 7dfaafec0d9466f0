"""
Webhooks over HTTP/1.1 with httpcore: one connection a message, no proxy, no redirect, no retry.
"""

import asyncio
import ssl
from collections.abc import Mapping
from typing import Final

import httpcore2

from outdial.adapters.webhook_http.look_up import LookUp, look_up
from outdial.adapters.webhook_http.network import CheckedNetwork, IsAllowed
from outdial.domain.model.public_address import is_loopback, is_public
from outdial.domain.model.webhook_url import Endpoint, parse_url
from outdial.ports.webhook_sender import WebhookSendError

DEADLINE_S: Final = 15.0
"""From the look-up of the name to the answer's end (Standard Webhooks, "Request timeouts": 15 to 30 s)."""

_SENTENCES: Final = (
    (httpcore2.ConnectTimeout, "The endpoint can't be reached."),
    (httpcore2.ConnectError, "The endpoint can't be reached."),
    (httpcore2.ProtocolError, "The endpoint gave no answer that is HTTP."),
    (httpcore2.NetworkError, "The connection broke before the endpoint answered."),
    (TimeoutError, f"The endpoint did not answer within {DEADLINE_S:.0f} s."),
)


class HttpWebhookSender:
    """
    Posts messages to endpoints on the internet, and on this machine where that is allowed.
    """

    def __init__(
        self,
        *,
        allows_loopback: bool,
        tls: ssl.SSLContext | None = None,
        look_up: LookUp = look_up,
        is_allowed: IsAllowed = is_public,
        deadline_s: float = DEADLINE_S,
    ) -> None:
        self._allows_loopback = allows_loopback
        self._tls = tls if tls is not None else httpcore2.default_ssl_context()
        self._look_up = look_up
        self._is_allowed = is_allowed
        self._deadline_s = deadline_s

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """
        Post a body once, and return the status that was answered; what follows it is read and dropped, within limits.
        """
        try:
            endpoint = parse_url(url, allows_loopback=self._allows_loopback)
        except ValueError as error:
            raise WebhookSendError(f"The webhook's URL can't be used any more. {error}") from error
        status = None
        connection = self._connection(endpoint)
        try:
            async with (
                asyncio.timeout(self._deadline_s),
                connection.stream(
                    "POST", _url(endpoint), headers=_headers(endpoint, headers), content=body
                ) as response,
            ):
                status = response.status
                async for _part in response.aiter_stream():
                    pass
        except Exception as error:
            if status is None:
                raise _send_error(error) from error
        finally:
            await connection.aclose()
        return status

    def _connection(self, endpoint: Endpoint) -> httpcore2.AsyncHTTPConnection:
        is_allowed = is_loopback if endpoint.is_local else self._is_allowed
        return httpcore2.AsyncHTTPConnection(
            _url(endpoint).origin,
            ssl_context=self._tls,
            network_backend=CheckedNetwork(look_up=self._look_up, is_allowed=is_allowed),
        )


def _url(endpoint: Endpoint) -> httpcore2.URL:
    return httpcore2.URL(
        scheme="http" if endpoint.is_local else "https",
        host=endpoint.host,
        port=endpoint.port,
        target=endpoint.target,
    )


def _headers(endpoint: Endpoint, headers: Mapping[str, str]) -> list[tuple[str, str]]:
    return [("host", endpoint.authority), *headers.items(), ("connection", "close")]


def _send_error(error: Exception) -> WebhookSendError:
    if isinstance(error, WebhookSendError):
        return error
    if isinstance(error.__cause__, ssl.SSLCertVerificationError):
        return WebhookSendError(f"The endpoint's certificate is not valid: {error.__cause__.verify_message}.")
    if isinstance(error.__cause__, ssl.SSLError):
        return WebhookSendError("The endpoint does not agree on TLS.")
    sentences = (sentence for kind, sentence in _SENTENCES if isinstance(error, kind))
    return WebhookSendError(next(sentences, "The message could not be sent."))
