"""
Session descriptions (RFC 8866): our offers and answers (RFC 3264), and what the far end's say about its sound.
"""

import re
import secrets
from enum import Enum, StrEnum
from ipaddress import IPv4Address
from typing import Final

import attrs


class Codec(Enum):
    """
    The two kinds of G.711, best first; the value is the static RTP payload type (RFC 3551, 6).
    """

    PCMU = 0
    PCMA = 8


class Direction(StrEnum):
    """
    Who sends, seen from the side that says so.
    """

    SENDRECV = "sendrecv"
    SENDONLY = "sendonly"
    RECVONLY = "recvonly"
    INACTIVE = "inactive"

    @property
    def mirrored(self) -> "Direction":
        """
        The same, seen from the other side.
        """
        swapped = {Direction.SENDONLY: Direction.RECVONLY, Direction.RECVONLY: Direction.SENDONLY}
        return swapped.get(self, self)


_DIRECTIONS: Final = frozenset(Direction)
UNSPECIFIED_HOST: Final = "0.0.0.0"  # noqa: S104 - the old way to put a call on hold (RFC 3264, 8.4), never bound
DISCARD_PORT: Final = 9
"""Stands where a port is wanted but no sound shall come (RFC 3725, 10)."""

_LENGTH_MAX: Final = 65_535
_CONNECTION: Final = re.compile(r"IN IP4 ([0-9.]+)(?:/[0-9/]+)?")
_MEDIA: Final = re.compile(r"(?P<kind>[!-~]+) (?P<port>[0-9]{1,5})(?:/[0-9]+)? (?P<profile>[!-~]+) (?P<formats>[ -~]+)")
_PAYLOAD_TYPE_MAX: Final = 127
"""RTP's header has 7 bits for it (RFC 3550, 5.1)."""

_RTPMAP: Final = re.compile(r"rtpmap:([0-9]{1,3}) (PCMU|PCMA)/8000(?:/1)?", re.IGNORECASE)


@attrs.frozen(kw_only=True)
class RemoteMedia:
    """
    Where and how the far end wants its sound.

    Attributes:
        host: IPv4 address.

        port: 1 to 65535.

        codec: The best of those it takes.

        payload_type: The number it gave that codec.

        direction: As the far end says it.
    """

    host: str
    port: int
    codec: Codec
    payload_type: int
    direction: Direction = Direction.SENDRECV

    @property
    def listens(self) -> bool:
        """
        Whether it wants to receive sound now, and is not on hold.
        """
        return self.host != UNSPECIFIED_HOST and self.direction in {Direction.SENDRECV, Direction.RECVONLY}


@attrs.define
class _Section:
    """
    Lines of one media section, or of the session when `media` is empty.
    """

    media: str
    lines: list[tuple[str, str]] = attrs.field(factory=list)

    def first(self, kind: str) -> str | None:
        return next((value for key, value in self.lines if key == kind), None)

    def attributes(self) -> list[str]:
        return [value for key, value in self.lines if key == "a"]


def parse_media(description: str) -> RemoteMedia | None:
    """
    Read where the far end's sound goes; `None` when it takes no G.711 over plain RTP. Any text is safe.
    """
    session, *media = _sections(description)
    audio = next((section for section in media if _is_audio(section)), None)
    if audio is None:
        return None
    written = _MEDIA.fullmatch(audio.media)
    host = _host(audio) or _host(session)
    if written is None or host is None or not 0 < int(written["port"]) <= 65535:  # noqa: PLR2004 - the range of ports
        return None
    best = _best_codec(audio, written["formats"].split())
    if best is None:
        return None
    codec, payload_type = best
    return RemoteMedia(
        host=host,
        port=int(written["port"]),
        codec=codec,
        payload_type=payload_type,
        direction=_direction(audio) or _direction(session) or Direction.SENDRECV,
    )


@attrs.define
class LocalSession:
    """
    Our half of one leg's session: its descriptions share an `o=` line whose version counts up (RFC 3264, 8).

    Attributes:
        host: Our IPv4 address.
    """

    host: str
    _id: int = attrs.field(factory=lambda: secrets.randbelow(2**31) + 1)
    _version: int = 0

    def offer(self, port: int, direction: Direction = Direction.SENDRECV) -> str:
        """
        Offer G.711 sound at a port of ours.
        """
        media = [
            f"m=audio {port} RTP/AVP 0 8 101",
            "a=rtpmap:0 PCMU/8000",
            "a=rtpmap:8 PCMA/8000",
            "a=rtpmap:101 telephone-event/8000",
            "a=fmtp:101 0-15",
            "a=ptime:20",
            f"a={direction}",
        ]
        return self._describe(media)

    def answer(self, offer: str, port: int) -> str | None:
        """
        Answer an offer with its best codec at a port of ours, refusing all else in it; `None` when none fits.
        """
        remote = parse_media(offer)
        if remote is None:
            return None
        media: list[str] = []
        taken = False
        for section in _sections(offer)[1:]:
            if _is_audio(section) and not taken:
                taken = True
                media += [
                    f"m=audio {port} RTP/AVP {remote.payload_type}",
                    f"a=rtpmap:{remote.payload_type} {remote.codec.name}/8000",
                    "a=ptime:20",
                    f"a={remote.direction.mirrored}",
                ]
            else:
                media.append(_refusal(section))
        return self._describe(media)

    def relay(self, description: str, direction: Direction = Direction.SENDRECV) -> str:
        """
        Pass on another party's media as ours: its own lines under our `o=` line (RFC 3725, 4).
        """
        session, *media = _sections(description)
        connection = session.first("c")
        lines: list[str] = []
        for section in media:
            lines.append(f"m={section.media}")
            if section.first("c") is None and connection is not None:
                lines.append(f"c={connection}")
            lines += [f"{key}={value}" for key, value in section.lines if value not in _DIRECTIONS]
            lines.append(f"a={direction}")
        return self._describe(lines)

    def _describe(self, media: list[str]) -> str:
        self._version += 1
        session = [
            "v=0",
            f"o=outdial {self._id} {self._version} IN IP4 {self.host}",
            "s=-",
            f"c=IN IP4 {self.host}",
            "t=0 0",
        ]
        return "".join(f"{line}\r\n" for line in session + media)


def _sections(description: str) -> list[_Section]:
    sections = [_Section("")]
    # The length of a body is counted in characters further down, so a description is kept to one byte each.
    for line in description[:_LENGTH_MAX].encode("ascii", "ignore").decode().splitlines():
        kind, equals, value = line.partition("=")
        if not equals or len(kind) != 1:
            continue
        if kind == "m":
            sections.append(_Section(value.strip()))
        else:
            sections[-1].lines.append((kind, value.strip()))
    return sections


def _is_audio(section: _Section) -> bool:
    kind, port, profile, *_ = [*section.media.split(), "", "", ""]
    return kind == "audio" and port != "0" and profile in {"RTP/AVP", "RTP/AVPF"}


def _refusal(section: _Section) -> str:
    """
    Refuse a media section by port 0 (RFC 3264, 6).
    """
    kind, _port, *rest = [*section.media.split(), "", ""]
    return " ".join(["m=" + kind, "0", *(part for part in rest if part)])


def _host(section: _Section) -> str | None:
    written = _CONNECTION.fullmatch(section.first("c") or "")
    if written is None:
        return None
    try:
        return str(IPv4Address(written[1]))
    except ValueError:
        return None


def _direction(section: _Section) -> Direction | None:
    return next((Direction(attribute) for attribute in section.attributes() if attribute in _DIRECTIONS), None)


def _best_codec(section: _Section, formats: list[str]) -> tuple[Codec, int] | None:
    numbers = {str(codec.value): codec for codec in Codec}
    for attribute in section.attributes():
        written = _RTPMAP.fullmatch(attribute)
        if written is not None and int(written[1]) <= _PAYLOAD_TYPE_MAX:
            numbers[written[1]] = Codec[written[2].upper()]
    for codec in Codec:
        for number in formats:
            if numbers.get(number) is codec:
                return codec, int(number)
    return None
