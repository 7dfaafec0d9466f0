"""
How the texts of `OUTDIAL_*` variables are read: each reader returns the value, or raises `ValueError`.
"""

import re
from collections.abc import Callable
from ipaddress import IPv4Address, ip_address
from typing import Final, Self

from outdial.domain.model.sip_address import parse_host

MEMORY_DATABASE: Final = "memory:"
SQLITE_PREFIX: Final = "sqlite:///"
POSTGRES_PREFIX: Final = "postgresql://"

_SERVER: Final = r"(?:[0-9A-Za-z._%-]*|\[[0-9A-Fa-f:]+\])(?::[0-9]{1,5})?"
_SERVERS: Final = rf"{_SERVER}(?:,{_SERVER})*"


class PostgresUrl(str):
    """
    An address as it may be shown, in answers and logs too: whatever may be its password is left out.

    Attributes:
        whole: The address to connect with.
    """

    __slots__ = ("whole",)
    whole: str

    def __new__(cls, whole: str) -> Self:
        """
        Take an address; one that was taken before stays whole.
        """
        url = super().__new__(cls, without_password(whole))
        url.whole = whole.whole if isinstance(whole, PostgresUrl) else whole
        return url


def without_password(text: str) -> str:
    """
    Return a text that may be an address of PostgreSQL or SIP without what may be its password, however wrong it is.
    """
    if text.lower().startswith(("sip:", "sips:")):
        return re.sub(r"^([^:]*:[^:]*:).*@", r"\1***@", text, flags=re.DOTALL)
    if not text.startswith("postgres"):
        return text
    before, at, after = text.rpartition("@")
    scheme = "".join(re.findall(r"^[a-z+]*:/*", before))
    user, colon, _secret = before.removeprefix(scheme).partition(":")
    shown = scheme + user + (":***" if colon else "") + at
    return re.sub(r"(password=)[^&]*", r"\1***", shown + after)


def integer(least: int, most: int) -> Callable[[str], int]:
    """
    Return what reads a whole number from `least` to `most`.
    """

    def parse(text: str) -> int:
        if not re.fullmatch(r"[0-9]{1,9}", text) or not least <= int(text) <= most:
            raise ValueError(text)
        return int(text)

    return parse


def decimal(most: float) -> Callable[[str], float]:
    """
    Return what reads a decimal number from 0 to `most`.
    """

    def parse(text: str) -> float:
        if not re.fullmatch(r"[0-9]{1,6}(\.[0-9]{1,6})?", text) or float(text) > most:
            raise ValueError(text)
        return float(text)

    return parse


def one_of(*choices: str) -> Callable[[str], str]:
    """
    Return what reads one of some words.
    """

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError(text)
        return text

    return parse


def read_boolean(text: str) -> bool:
    """
    Read `on` or `off`; `true` and `false` mean the same.
    """
    return one_of("on", "off", "true", "false")(text) in {"on", "true"}


def read_text(text: str) -> str:
    """
    Take any text.
    """
    return text


def read_database(text: str) -> str:
    """
    Read a database's address; its password is kept out of sight.
    """
    is_file = text.startswith(SQLITE_PREFIX) and len(text) > len(SQLITE_PREFIX)
    is_server = re.fullmatch(rf"{POSTGRES_PREFIX}([^\s/?@]*@)?{_SERVERS}(/[^\s/?@]*)?(\?\S*)?", text)
    if text != MEMORY_DATABASE and not is_file and not (is_server and len(text) > len(POSTGRES_PREFIX)):
        raise ValueError(text)
    return shown_database(text)


def read_collector(text: str) -> str:
    """
    Read the address that traces are sent to.
    """
    if not re.fullmatch(rf"https?://{_SERVER}(/[!-~]*)?", text):
        raise ValueError(text)
    return text


def read_token(text: str) -> str:
    """
    Read what a header can carry.
    """
    if not re.fullmatch(r"[!-~]{1,255}", text):
        raise ValueError(text)
    return text


def read_redis(text: str) -> str:
    """
    Read the address of a Redis.
    """
    if not re.fullmatch(rf"rediss?://([^\s/?@]*@)?{_SERVER}(/[0-9]{{1,4}})?", text):
        raise ValueError(text)
    return text


def shown_database(database: str) -> str:
    """
    Keep the password of an address out of sight.
    """
    return PostgresUrl(database) if database.startswith(POSTGRES_PREFIX) else database


def read_host(text: str) -> str:
    """
    Read an IP address or a name.
    """
    return text if ":" in text and ip_address(text) else parse_host(text)


def checked(check: Callable[[str], object]) -> Callable[[str], str]:
    """
    Return what takes a text that passes a check.
    """
    return lambda text: (check(text), text)[1]


def read_user_name(text: str) -> str:
    """
    Read a name that a digest can quote (RFC 3261, 25.1).
    """
    if not text.isprintable() or not set(text).isdisjoint('"\\'):
        raise ValueError(text)
    return text


def read_address(text: str) -> tuple[str, int]:
    """
    Read an IPv4 address with its port.
    """
    host, _colon, port = text.rpartition(":")
    return str(IPv4Address(host)), integer(0, 65535)(port)


def read_reachable(text: str) -> str:
    """
    Read an IPv4 address that others can send to.
    """
    if IPv4Address(text).is_unspecified or IPv4Address(text).is_multicast:
        raise ValueError(text)
    return text


def read_port_range(text: str) -> tuple[int, int]:
    """
    Read a range of ports, the first below the last.
    """
    match = re.fullmatch(r"([0-9]{1,5})-([0-9]{1,5})", text)
    if match is None:
        raise ValueError(text)
    first, last = integer(1024, 65534)(match[1]), integer(1024, 65535)(match[2])
    if first >= last:
        raise ValueError(text)
    return first, last
