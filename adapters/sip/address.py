"""
SIP addresses as settings write them: where a trunk or an agent is, and how to get there.
"""

import re
from typing import Final, Literal

import attrs

Transport = Literal["udp", "tcp", "tls"]

_URI: Final = re.compile(
    r"(?P<scheme>sips?):(?:(?P<user>[^@:;?\s]+)@)?(?P<host>[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{1,5}))?"
    r"(?P<parameters>(?:;[^;?\s]+)*)",
    re.IGNORECASE,
)
_PORTS: Final[dict[Transport, int]] = {"udp": 5060, "tcp": 5060, "tls": 5061}
"""RFC 3261, 19.1.2: the port when the address names none."""


@attrs.frozen(kw_only=True)
class SipAddress:
    """
    One `sip:` or `sips:` address, read.

    Attributes:
        host: IPv4 address or DNS name. Names are looked up for addresses only, not for SRV or NAPTR records.

        port: 1 to 65535.

        transport: How requests get there; `tls` for `sips:`.

        user: The part before the `@`; empty when there is none.

        has_port: Whether the port was written, and so belongs into Request-URIs.

        parameters: What else was written behind semicolons, each as `name` or `name=value`.
    """

    host: str
    port: int
    transport: Transport
    user: str = ""
    has_port: bool = True
    parameters: tuple[str, ...] = ()

    def request_uri(self, user: str) -> str:
        """
        Write the Request-URI for a user behind this address.
        """
        at = f"{user}@" if user else ""
        port = f":{self.port}" if self.has_port else ""
        transport = "" if self.transport == "udp" else f";transport={self.transport}"
        return f"sip:{at}{self.host}{port}{transport}" + "".join(f";{parameter}" for parameter in self.parameters)


def parse_sip_address(uri: str) -> SipAddress:
    """
    Read an address such as `sip:trunk.example:5070;transport=tcp` or `sips:trunk.example`.

    Raises:
        ValueError: It can't be used; the message says why.
    """
    written = _URI.fullmatch(uri.strip())
    if written is None:
        raise ValueError(f"A SIP address looks like sip:host:port;transport=udp, not like {uri!r}.")
    parameters = [parameter for parameter in written["parameters"].split(";") if parameter]
    transport = _transport(written["scheme"], parameters)
    port = int(written["port"] or _PORTS[transport])
    if not 1 <= port <= 65535:  # noqa: PLR2004 - the range of ports
        raise ValueError(f"A SIP address has a port from 1 to 65535, not {port}.")
    return SipAddress(
        host=written["host"],
        port=port,
        transport=transport,
        user=written["user"] or "",
        has_port=written["port"] is not None,
        parameters=tuple(parameter for parameter in parameters if not _names_transport(parameter)),
    )


def _names_transport(parameter: str) -> bool:
    return parameter.lower().startswith("transport=")


def _transport(scheme: str, parameters: list[str]) -> Transport:
    named = next(
        (parameter.lower()[len("transport=") :] for parameter in parameters if _names_transport(parameter)), ""
    )
    match scheme.lower(), named:
        case ("sips", "" | "tcp" | "tls") | ("sip", "tls"):
            return "tls"
        case "sip", "" | "udp":
            return "udp"
        case "sip", "tcp":
            return "tcp"
        case "sips", "udp":
            raise ValueError("A sips: address asks for TLS and can't name transport=udp.")
        case _:
            raise ValueError(f"A SIP address has transport=udp, tcp or tls, not {named!r}.")
