"""
Addresses that webhooks may have: read by one strict rule, so that no two programs can see another host in them.
"""

import re
from ipaddress import IPv4Address, IPv6Address
from typing import Final

import attrs

from outdial.domain.model.public_address import is_loopback, is_public

LENGTH_MAX: Final = 2048
PORT_MAX: Final = 65535

_URL: Final = re.compile(
    r"(?P<scheme>https?)://"
    r"(?P<host>\[[0-9A-Fa-f:.]+\]|[0-9A-Za-z._-]+)"
    r"(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<target>[/?](?:[0-9A-Za-z._~!$&'()*+,;=:@/?-]|%[0-9A-Fa-f]{2})*)?"
)
_LABEL: Final = r"[0-9a-z_](?:[0-9a-z_-]{0,61}[0-9a-z_])?"
_NAME: Final = re.compile(rf"(?:{_LABEL}\.)+[a-z](?:[0-9a-z-]{{0,61}}[0-9a-z])")
"""At least two labels, the last one of which no program takes for a number such as `0x7f` or `1`."""

_NAME_LENGTH_MAX: Final = 253
_LOCAL: Final = "localhost"


@attrs.frozen(kw_only=True)
class Endpoint:
    """
    Where a message is sent.

    Attributes:
        is_local: Whether it is on this machine, and is spoken to without TLS.

        host: A name in lower case or an address, without brackets.

        target: Path and query; begins with `/`.
    """

    is_local: bool
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """
        Host and port as HTTP writes them, `Host` among others.
        """
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == _port_of(is_local=self.is_local) else f"{host}:{self.port}"


def parse_url(url: str, *, allows_loopback: bool) -> Endpoint:
    """
    Read the address of a webhook.

    Args:
        allows_loopback: Whether `http://` to this machine may be used.

    Raises:
        ValueError: It can't be one; the message is a sentence on why.
    """
    if len(url) > LENGTH_MAX:
        raise ValueError(f"It is longer than {LENGTH_MAX} characters.")
    match = _URL.fullmatch(url)
    if match is None:
        raise ValueError(
            "It is no URL that can be used: https://, a host, perhaps a port, a path and a query, and nothing else; no"
            " user name, no fragment, international names as xn--."
        )
    is_local = match["scheme"] == "http"
    host = _local_host(match["host"], allows_loopback=allows_loopback) if is_local else _public_host(match["host"])
    port = int(match["port"]) if match["port"] else _port_of(is_local=is_local)
    if not 1 <= port <= PORT_MAX:
        raise ValueError(f"Its port is not between 1 and {PORT_MAX}.")
    target = match["target"] or "/"
    return Endpoint(is_local=is_local, host=host, port=port, target=target if target[0] == "/" else f"/{target}")


def _port_of(*, is_local: bool) -> int:
    return 80 if is_local else 443


def _local_host(text: str, *, allows_loopback: bool) -> str:
    host = text.strip("[]").lower()
    if not allows_loopback:
        raise ValueError("It has to begin with https://.")
    if host != _LOCAL and not is_loopback(host):
        raise ValueError("It has to begin with https://; http:// is for 127.0.0.1, [::1] and localhost alone.")
    return host


def _public_host(text: str) -> str:
    host = text.strip("[]").lower()
    if _is_address(text):
        if not is_public(host):
            raise ValueError("Its host is an address that webhooks are not sent to: private, local or reserved.")
    elif not _NAME.fullmatch(host) or len(host) > _NAME_LENGTH_MAX:
        raise ValueError("Its host is neither a full name such as hooks.example.com nor an IP address.")
    return host


def _is_address(text: str) -> bool:
    """
    Tell whether a host is an address in its usual form; what only some programs take for one is none.
    """
    try:
        IPv6Address(text[1:-1]) if text.startswith("[") else IPv4Address(text)
    except ValueError:
        return False
    return True
