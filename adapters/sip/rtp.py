"""
Sound to the far end over RTP (RFC 3550, RFC 3551): paced frames of G.711 from a port of a range.
"""

import asyncio
import errno
import secrets
import socket
import struct
from typing import Final

from outdial.adapters.sip import g711
from outdial.adapters.sip.session_description import RemoteMedia

FRAME_S: Final = 0.02
FRAME_SAMPLES: Final = 160
FRAME_PCM_BYTES: Final = 2 * FRAME_SAMPLES
TAIL_FRAMES: Final = 15
"""300 ms of silence after the last word, or the BYE would overtake what the far end's jitter buffer still holds."""

_LATE_S_MAX: Final = 0.5
"""Frames later than this are not caught up in a burst, which a jitter buffer would drop."""

_VERSION: Final = 0x80
_MARKER: Final = 0x80


class NoPortLeftError(Exception):
    """
    Every port for sound is taken; calls have to end, or the range has to grow.
    """


class PortNotOpenedError(Exception):
    """
    No port can be opened for sound, whichever it is: the address is not ours, or the machine refuses.
    """


class PortPool:
    """
    Even UDP ports of a range, given out in turn so that a late packet of an old call seldom meets a new one.
    """

    def __init__(self, host: str, first: int, last: int) -> None:
        self._host = host
        self._ports = range(first + first % 2, last + 1, 2)
        self._next = secrets.randbelow(len(self._ports))

    def open(self) -> socket.socket:
        """
        Bind a socket to the next free port.

        Raises:
            NoPortLeftError: None is free.

            PortNotOpenedError: That is not for want of a free one.
        """
        for step in range(len(self._ports)):
            port = self._ports[(self._next + step) % len(self._ports)]
            try:
                opened = self._bind(port)
            except OSError as error:
                if error.errno == errno.EADDRINUSE:
                    continue
                raise PortNotOpenedError(
                    f"UDP port {port} of {self._host} can't be opened: {error.strerror}."
                ) from error
            self._next = (self._next + step + 1) % len(self._ports)
            return opened
        raise NoPortLeftError(
            f"All {len(self._ports)} RTP ports from {self._ports[0]} to {self._ports[-1]} are in use; widen the range."
        )

    def _bind(self, port: int) -> socket.socket:
        opened = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            opened.setblocking(False)
            opened.bind((self._host, port))
        except BaseException:
            opened.close()
            raise
        return opened


class _Discard(asyncio.DatagramProtocol):
    """
    Takes what the far end says and lets it go: nobody listens to it here.
    """


class RtpSender:
    """
    One stream of sound, from one socket, to wherever the far end wants it at the moment.
    """

    def __init__(self, transport: asyncio.DatagramTransport, port: int) -> None:
        self._transport = transport
        self.port = port
        self._ssrc = secrets.randbits(32)
        self._sequence = secrets.randbits(15)  # RFC 3550, 5.1: random; below 2^15 spares receivers an early wrap
        self._timestamp = secrets.randbits(31)
        self._media: RemoteMedia | None = None
        self._marker = _MARKER

    @classmethod
    async def open(cls, ports: PortPool) -> "RtpSender":
        """
        Take a port of the pool.

        Raises:
            NoPortLeftError: None is free.

            PortNotOpenedError: That is not for want of a free one.
        """
        bound = ports.open()
        port = bound.getsockname()[1]
        try:
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(_Discard, sock=bound)
        except BaseException:
            bound.close()
            raise
        return cls(transport, port)

    def direct(self, media: RemoteMedia) -> None:
        """
        Send to this media, in its codec, from now on; or wait while it is on hold.
        """
        self._media = media if media.listens else None

    async def play(self, pcm: bytes) -> None:
        """
        Send sound in real time; return when its last frame and a tail of silence are gone.

        While the far end is on hold the sound waits, and its time goes on (RFC 3551, 4.1).
        """
        loop = asyncio.get_running_loop()
        frames = -(-len(pcm) // FRAME_PCM_BYTES) + TAIL_FRAMES
        due, sent = loop.time(), 0
        while sent < frames:
            delay = due - loop.time()
            await asyncio.sleep(max(0.0, delay))
            due = (loop.time() if delay < -_LATE_S_MAX else due) + FRAME_S
            if self._media is None:
                self._marker = _MARKER
            else:
                self._send(pcm[sent * FRAME_PCM_BYTES : (sent + 1) * FRAME_PCM_BYTES], self._media)
                sent += 1
            self._timestamp = (self._timestamp + FRAME_SAMPLES) & 0xFFFFFFFF

    def _send(self, pcm: bytes, media: RemoteMedia) -> None:
        payload = g711.encode(pcm.ljust(FRAME_PCM_BYTES, b"\0"), media.codec)
        kind = self._marker | media.payload_type
        header = struct.pack("!BBHII", _VERSION, kind, self._sequence, self._timestamp, self._ssrc)
        self._transport.sendto(header + payload, (media.host, media.port))
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._marker = 0

    def close(self) -> None:
        """
        Give the port back.
        """
        self._transport.close()
