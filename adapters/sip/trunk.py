"""
What has to be known about a SIP trunk before anything is dialled over it. Needs no SIP stack.
"""

from pathlib import Path
from typing import Final

import attrs

from outdial.domain.model.sip_address import SipAddress, parse_sip_address

CANCEL_WAIT_S_MAX: Final = 5.0
"""A carrier has 10 s to stop, in which it cancels and waits."""

_PORT_MAX: Final = 65_535


def _read_address(address: SipAddress | str) -> SipAddress:
    return parse_sip_address(address) if isinstance(address, str) else address


@attrs.frozen(kw_only=True)
class Trunk:
    """
    A SIP trunk and our side of it.

    Attributes:
        address: Where INVITEs go, as `sip:host:port;transport=udp|tcp|tls` or `sips:host`.

        username: For digest authentication (RFC 3261, 22); `None` when the trunk knows us by our IP address.

        password: Goes with `username`.

        caller_id_host: Host part of the caller ID's SIP address; the trunk's host when `None`.

        bind_host: IPv4 address to listen on.

        bind_port: UDP port (and TCP port, when the trunk uses TCP) to listen on; 0 for any free one.

        advertised_host: IPv4 address under which the trunk reaches us; the address we send from when `None`.

        rtp_port_min: First port for sound; only even ones are used.

        rtp_port_max: Last port for sound.

        tls_ca_file: PEM file of a certificate authority to trust besides the system's.

        dialogs_folder: Where calls that talk are remembered for a later process to hang up; `None` for nowhere.

        no_answer_from_trunk_s: Stop sending an INVITE which the trunk does not react to after this long.

        connect_timeout_s: Longest wait for a name, a TCP connection or a TLS handshake.

        cancel_wait_s: Longest wait for the final answer to an INVITE that was cancelled; at most 5.

        agent_ring_timeout_s: Longest wait for an agent with a SIP address to answer, while the callee hears nothing.
    """

    address: SipAddress = attrs.field(converter=_read_address)
    username: str | None = None
    password: str | None = attrs.field(default=None, repr=False)
    caller_id_host: str | None = None
    bind_host: str = "0.0.0.0"  # noqa: S104 - a trunk reaches us on whichever interface leads to it
    bind_port: int = attrs.field(default=5060)
    advertised_host: str | None = None
    rtp_port_min: int = 16384
    rtp_port_max: int = 32766
    tls_ca_file: Path | None = attrs.field(default=None, converter=attrs.converters.optional(Path))
    dialogs_folder: Path | None = attrs.field(default=None, converter=attrs.converters.optional(Path))
    no_answer_from_trunk_s: float = attrs.field(default=8.0, validator=attrs.validators.gt(0))
    connect_timeout_s: float = attrs.field(default=5.0, validator=attrs.validators.gt(0))
    cancel_wait_s: float = attrs.field(
        default=5.0, validator=[attrs.validators.gt(0), attrs.validators.le(CANCEL_WAIT_S_MAX)]
    )
    agent_ring_timeout_s: float = attrs.field(default=20.0, validator=attrs.validators.gt(0))

    def __attrs_post_init__(self) -> None:
        if (self.username is None) != (self.password is None):
            raise ValueError("A trunk has both a username and a password, or neither.")
        if not 0 <= self.bind_port <= _PORT_MAX:
            raise ValueError(f"A bind port lies between 0 and 65535, not at {self.bind_port}.")
        if not 1 <= self.rtp_port_min <= self.rtp_port_max <= _PORT_MAX:
            raise ValueError("RTP ports lie between 1 and 65535, the first not above the last.")
        if self.rtp_port_min == self.rtp_port_max and self.rtp_port_min % 2:
            raise ValueError("RTP uses even ports, and the range holds none.")

    @property
    def credentials(self) -> tuple[str, str] | None:
        """
        Username and password, when the trunk wants any.
        """
        if self.username is None or self.password is None:
            return None
        return self.username, self.password
