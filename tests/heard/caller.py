"""
A caller of few words: places one call over UDP (RFC 3261), plays sound as PCMU (RFC 3550, 3551), hangs up.

It exists to try the callee without outdial.
"""

import re
import socket
import struct
import time
from typing import Final

import attrs

HOST: Final = "127.0.0.1"
FRAME_BYTES: Final = 160
FRAME_S: Final = 0.02

_ANSWER_S: Final = 10.0
_SSRC: Final = 0x0DD1A1


class CallerError(Exception):
    """
    The call was not answered.
    """


@attrs.frozen(kw_only=True)
class _Call:
    sip: socket.socket
    port: int
    user: str
    to_tag: str = ""

    def request(self, method: str, sequence: int, body: str = "") -> None:
        own = self.sip.getsockname()[1]
        tag = f";tag={self.to_tag}" if self.to_tag else ""
        lines = (
            f"{method} sip:{self.user}@{HOST}:{self.port} SIP/2.0",
            f"Via: SIP/2.0/UDP {HOST}:{own};branch=z9hG4bK-{own}-{method}-{sequence};rport",
            "Max-Forwards: 70",
            f"From: <sip:caller@{HOST}:{own}>;tag=caller",
            f"To: <sip:{self.user}@{HOST}:{self.port}>{tag}",
            f"Call-ID: caller-{own}",
            f"CSeq: {sequence} {method}",
            f"Contact: <sip:caller@{HOST}:{own}>",
            *(("Content-Type: application/sdp",) if body else ()),
            f"Content-Length: {len(body)}",
            "",
            body,
        )
        self.sip.sendto("\r\n".join(lines).encode(), (HOST, self.port))

    def final_answer(self) -> str:
        deadline = time.monotonic() + _ANSWER_S
        while (left_s := deadline - time.monotonic()) > 0:
            self.sip.settimeout(left_s)
            answer = self.sip.recv(65_535).decode()
            if answer.startswith("SIP/2.0 ") and not answer.startswith("SIP/2.0 1"):
                return answer
        raise CallerError("The call was not answered.")


def play(pcmu: bytes, *, port: int, user: str = "callee") -> None:
    """
    Call, play the sound in real time, hang up with its last frame.

    Raises:
        CallerError: The call was refused or not answered.
    """
    with socket.socket(type=socket.SOCK_DGRAM) as sip, socket.socket(type=socket.SOCK_DGRAM) as rtp:
        sip.bind((HOST, 0))
        rtp.bind((HOST, 0))
        call = _Call(sip=sip, port=port, user=user)
        call.request("INVITE", 1, _offer(rtp.getsockname()[1]))
        answer = call.final_answer()
        to_tag = re.search(r"^To:.*;tag=([^;\s]+)", answer, re.MULTILINE | re.IGNORECASE)
        media = re.search(r"^m=audio (\d+) ", answer, re.MULTILINE)
        if not answer.startswith("SIP/2.0 200 ") or to_tag is None or media is None:
            raise CallerError(f"The call was refused: {answer.splitlines()[0]}")
        call = attrs.evolve(call, to_tag=to_tag[1])
        call.request("ACK", 1)
        _send_sound(rtp, (HOST, int(media[1])), pcmu)
        call.request("BYE", 2)
        call.final_answer()


def _offer(rtp_port: int) -> str:
    lines = (
        "v=0",
        f"o=caller 1 1 IN IP4 {HOST}",
        "s=-",
        f"c=IN IP4 {HOST}",
        "t=0 0",
        f"m=audio {rtp_port} RTP/AVP 0",
        "a=rtpmap:0 PCMU/8000",
        "a=ptime:20",
        "a=sendrecv",
        "",
    )
    return "\r\n".join(lines)


def _send_sound(rtp: socket.socket, peer: tuple[str, int], pcmu: bytes) -> None:
    due = time.monotonic()
    for index, at in enumerate(range(0, len(pcmu), FRAME_BYTES)):
        marker = 0x80 if index == 0 else 0
        header = struct.pack("!BBHII", 0x80, marker, index & 0xFFFF, at & 0xFFFFFFFF, _SSRC)
        rtp.sendto(header + pcmu[at : at + FRAME_BYTES].ljust(FRAME_BYTES, b"\xff"), peer)
        due += FRAME_S
        time.sleep(max(0.0, due - time.monotonic()))
