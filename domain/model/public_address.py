"""
Which addresses a stranger may have outdial connect to: only those that lead to the whole internet.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Final

_NEVER: Final = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this host (RFC 1122)
            "10.0.0.0/8",  # private (RFC 1918)
            "100.64.0.0/10",  # shared by a carrier's customers (RFC 6598); metadata of one cloud
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # metadata of one cloud, in spite of its public range
            "169.254.0.0/16",  # link-local; metadata of most clouds
            "172.16.0.0/12",
            "192.0.0.0/24",  # protocol assignments (RFC 6890); metadata of one cloud
            "192.0.2.0/24",  # documentation (RFC 5737)
            "192.88.99.0/24",  # relays of 6to4 (RFC 7526)
            "192.168.0.0/16",
            "198.18.0.0/15",  # benchmarks (RFC 2544)
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
            "2001::/23",  # protocol assignments; Teredo, which holds an IPv4 address (RFC 4380)
            "2001:db8::/32",  # documentation (RFC 3849)
            "2002::/16",  # 6to4, which holds an IPv4 address (RFC 3056)
            "3ffe::/16",  # given back (RFC 3701)
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)

_UNICAST: Final = IPv6Network("2000::/3")
"""All that is handed out of IPv6 (RFC 4291, 2.4). Outside lie loopback, link-local, site-local, unique local, multicast
and the addresses that hold an IPv4 address: mapped, compatible, translated, NAT64 (64:ff9b::/96, 64:ff9b:1::/48)."""

_ISATAP: Final = frozenset({0x0000_5EFE, 0x0200_5EFE})
"""The third quarter of an address that holds an IPv4 address in its last (RFC 5214, 6.1)."""


def is_public(text: str) -> bool:
    """
    Tell whether an IP address, as a look-up returns it, is one of the whole internet and stands for no other address.
    """
    address = _read(text)
    if address is None or not address.is_global or address.is_multicast:
        return False
    if isinstance(address, IPv6Address) and not _is_plain(address):
        return False
    return not any(address in network for network in _NEVER if network.version == address.version)


def is_loopback(text: str) -> bool:
    """
    Tell whether an IP address leads to this machine and nowhere else.
    """
    address = _read(text)
    return address is not None and address in (IPv4Address("127.0.0.1"), IPv6Address("::1"))


def _read(text: str) -> IPv4Address | IPv6Address | None:
    try:
        return ip_address(text)
    except ValueError:
        return None


def _is_plain(address: IPv6Address) -> bool:
    third_quarter = int(address) >> 32 & 0xFFFF_FFFF
    return address.scope_id is None and address in _UNICAST and third_quarter not in _ISATAP
