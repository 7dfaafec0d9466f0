"""
SIP addresses as settings and agents write them: where a trunk or an agent is, and how to get there.

What is read here can be put into an INVITE as it is: an address that is no good is found when it is set, and not by the
call that needs it.
"""

import re
from ipaddress import IPv4Address
from typing import Final, Literal

import attrs

Transport = Literal["udp", "tcp", "tls"]

LENGTH_MAX: Final = 512
"""A longer address would leave no room for the rest of an INVITE in one UDP packet."""

_HOST_LENGTH_MAX: Final = 253
_PORT_MAX: Final = 65_535
_PORTS: Final[dict[Transport, int]] = {"udp": 5060, "tcp": 5060, "tls": 5061}
"""RFC 3261, 19.1.2: the port when the address names none."""

_REFUSED: Final = frozenset({"maddr", "method", "ttl"})
"""Parameters that say where else or how else to send; requests go to the host, and nowhere else."""

# RFC 3261, 25.1, without passwords, headers, and parameters of the user.
_ESCAPED: Final = r"%[0-9A-Fa-f]{2}"
_USER: Final = rf"(?:[A-Za-z0-9_.!~*'()&=+$,/-]|{_ESCAPED})+"
_WORD: Final = rf"(?:[A-Za-z0-9_.!~*'()\[\]/:&+$-]|{_ESCAPED})+"
_URI: Final = re.compile(
    rf"(?P<scheme>[Ss][Ii][Pp][Ss]?):(?:(?P<user>{_USER})@)?(?P<host>[A-Za-z0-9._-]+)(?::(?P<port>[0-9]{{1,5}}))?"
    rf"(?P<parameters>(?:;{_WORD}(?:={_WORD})?)*)"
)
_LABEL: Final = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?")
_NUMBER: Final = re.compile(r"[0-9]+")


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
    if len(uri) > LENGTH_MAX:
        raise ValueError(f"A SIP address has at most {LENGTH_MAX} characters.")
    written = _URI.fullmatch(uri)
    if written is None:
        raise ValueError(f"A SIP address looks like sip:user@host:port;transport=udp, not like {uri!r}.")
    host = parse_host(written["host"])
    parameters = [parameter for parameter in written["parameters"].split(";") if parameter]
    _check_names([parameter.partition("=")[0].lower() for parameter in parameters])
    transport = _transport(written["scheme"], parameters)
    port = int(written["port"] or _PORTS[transport])
    if not 1 <= port <= _PORT_MAX:
        raise ValueError(f"A SIP address has a port from 1 to {_PORT_MAX}, not {port}.")
    return SipAddress(
        host=host,
        port=port,
        transport=transport,
        user=written["user"] or "",
        has_port=written["port"] is not None,
        parameters=tuple(parameter for parameter in parameters if not _names_transport(parameter)),
    )


def parse_host(host: str) -> str:
    """
    Return the host of a SIP address, which is an IPv4 address or a DNS name.

    Raises:
        ValueError: It is neither.
    """
    labels = host.removesuffix(".").split(".")
    is_name = len(host) <= _HOST_LENGTH_MAX and all(_LABEL.fullmatch(label) for label in labels)
    is_number = _NUMBER.fullmatch(labels[-1])  # RFC 3261, 25.1: the last label of a name begins with a letter
    if not (_is_ipv4(host) if is_number else is_name):
        raise ValueError(f"{host!r} is neither an IPv4 address nor the name of a host.")
    return host


def _is_ipv4(host: str) -> bool:
    try:
        IPv4Address(host)
    except ValueError:
        return False
    return True


def _check_names(names: list[str]) -> None:
    """
    Refuse a parameter that stands there twice (RFC 3261, 19.1.1) or that we don't follow.
    """
    for name in names:
        if names.count(name) > 1:
            raise ValueError(f"A SIP address has the parameter {name} once.")
        if name in _REFUSED:
            raise ValueError(f"A SIP address has no parameter {name} here.")


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
