"""
A listener for RTP: what came, when, and how it sounds.
"""

import asyncio
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs

from tests.telephony.ports import free_port


@attrs.frozen(kw_only=True)
class Packet:
    """
    One RTP packet.
    """

    at_s: float
    source_port: int
    first_byte: int
    marker: bool
    payload_type: int
    sequence: int
    timestamp: int
    ssrc: int
    payload: bytes


class RtpReceiver(asyncio.DatagramProtocol):
    """
    Keeps all packets.
    """

    def __init__(self) -> None:
        self.port = 0
        self.packets: list[Packet] = []

    def connection_made(self, transport: Any) -> None:
        """
        Learn the port.
        """
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """
        Take one packet apart.
        """
        first, second, sequence, timestamp, ssrc = struct.unpack_from("!BBHII", data)
        self.packets.append(
            Packet(
                at_s=asyncio.get_running_loop().time(),
                source_port=addr[1],
                first_byte=first,
                marker=bool(second & 0x80),
                payload_type=second & 0x7F,
                sequence=sequence,
                timestamp=timestamp,
                ssrc=ssrc,
                payload=data[12:],
            )
        )


@asynccontextmanager
async def rtp_receiver() -> AsyncIterator[RtpReceiver]:
    """
    Listen for the length of a block.
    """
    loop = asyncio.get_running_loop()
    transport, receiver = await loop.create_datagram_endpoint(RtpReceiver, local_addr=("127.0.0.1", free_port()))
    try:
        yield receiver
    finally:
        transport.close()


def mu_law_decoded(byte: int) -> int:
    """
    Expand one byte by the formula of ITU-T G.711, table 2a, to 16 bits.
    """
    inverted = ~byte & 0xFF
    magnitude = ((((inverted & 0x0F) << 3) + 0x84) << ((inverted & 0x70) >> 4)) - 0x84
    return -magnitude if inverted & 0x80 else magnitude


def a_law_decoded(byte: int) -> int:
    """
    Expand one byte by the formula of ITU-T G.711, table 1a, to 16 bits.
    """
    toggled = byte ^ 0x55
    segment = (toggled & 0x70) >> 4
    magnitude = ((toggled & 0x0F) << 4) + 8
    if segment:
        magnitude = (magnitude + 0x100) << (segment - 1)
    return magnitude if toggled & 0x80 else -magnitude
