"""
The way to a trunk: whether there is one, and which of our addresses it leaves from. Nothing is sent to find out.
"""

import socket
from typing import Final

import structlog

from outdial.adapters.sip.transports import resolve
from outdial.adapters.sip.trunk import Trunk

_ANY_HOST: Final = "0.0.0.0"  # noqa: S104 - compared with, not bound

log = structlog.get_logger()


class NoRouteError(Exception):
    """
    No packet of ours can get to the trunk; the message says what to change.
    """


async def own_address(trunk: Trunk) -> str:
    """
    Return the IPv4 address under which the trunk reaches us.

    A name that can't be looked up is logged: name servers may be away for a moment, and calls look it up again.

    Raises:
        NoRouteError: There is no way from the bind host to the trunk, or no way to tell our address.
    """
    try:
        trunk_host = await resolve(trunk.address.host, trunk.connect_timeout_s)
    except OSError as error:
        known = trunk.advertised_host or (None if trunk.bind_host == _ANY_HOST else trunk.bind_host)
        if known is None:
            raise NoRouteError(
                f"The trunk's name {trunk.address.host} can't be looked up, so nothing tells which address of ours "
                "leads to it: bind to one address, or advertise one."
            ) from error
        log.warning("sip_name_not_found", name=trunk.address.host, error=str(error) or type(error).__name__)
        return known
    leaving = _leaving_address(trunk, trunk_host)
    return trunk.advertised_host or leaving


def _leaving_address(trunk: Trunk, trunk_host: str) -> str:
    """
    Return the address that packets leave from: connecting a UDP socket looks the route up and sends none.
    """
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((trunk.bind_host, 0))
            probe.connect((trunk_host, trunk.address.port))
        except OSError as error:
            raise NoRouteError(
                f"No packet gets from {trunk.bind_host} to the trunk {trunk.address.host} ({error.strerror}): "
                "change the bind host or the trunk."
            ) from error
        return str(probe.getsockname()[0])
