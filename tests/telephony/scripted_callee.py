"""
A callee in a test's own words, for what SIPp can't do: lose, repeat, garble and keep silent.
"""

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import attrs

from tests.telephony.ports import free_port

WAIT_S = 10.0


@attrs.frozen
class Request:
    """
    One request as it came.
    """

    text: str
    source: tuple[str, int]
    at_s: float

    @property
    def method(self) -> str:
        """
        Its method.
        """
        return self.text.split(" ", 1)[0]

    def header(self, name: str) -> str:
        """
        Return a header's first value.
        """
        found = re.search(rf"^{name}: *(.*?)\r?$", self.text, re.MULTILINE | re.IGNORECASE)
        assert found is not None, f"{name} is missing in:\n{self.text}"
        return found[1]

    @property
    def body(self) -> str:
        """
        What follows the empty line.
        """
        return self.text.split("\r\n\r\n", 1)[1]


class ScriptedCallee(asyncio.DatagramProtocol):
    """
    A UDP user agent that does what the test says.
    """

    def __init__(self) -> None:
        self.port = 0
        self.confirms_byes = False
        self.seen: list[Request] = []
        self.responses: asyncio.Queue[str] = asyncio.Queue()
        self._waiting: dict[str, asyncio.Queue[Request]] = {}
        self._transport: asyncio.DatagramTransport | None = None
        self.sequence = 0

    def connection_made(self, transport: Any) -> None:
        """
        Learn the port.
        """
        self._transport = transport
        self.port = transport.get_extra_info("sockname")[1]

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        """
        Sort what comes.
        """
        text = data.decode("latin-1")
        if text.startswith("SIP/2.0"):
            self.responses.put_nowait(text)
            return
        request = Request(text, addr, asyncio.get_running_loop().time())
        self.seen.append(request)
        if self.confirms_byes and request.method == "BYE":
            self.respond(request, "200 OK")
        self._queue(request.method).put_nowait(request)

    async def receive(self, method: str) -> Request:
        """
        Wait for the next request of a method.
        """
        return await asyncio.wait_for(self._queue(method).get(), WAIT_S)

    async def response(self) -> str:
        """
        Wait for the next response to a request of ours.
        """
        return await asyncio.wait_for(self.responses.get(), WAIT_S)

    def count(self, method: str) -> int:
        """
        Count the requests of a method so far.
        """
        return sum(request.method == method for request in self.seen)

    def respond(self, request: Request, status: str, body: str = "", *headers: str) -> bytes:
        """
        Send a response such as `180 Ringing`; return it, so that it can be repeated.
        """
        to = request.header("To")
        if "tag=" not in to and not status.startswith("100"):
            to += ";tag=scripted"
        copied = [f"{name}: {request.header(name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
        return self.send(f"SIP/2.0 {status}", [*copied, f"To: {to}", self._contact(), *headers], body, request.source)

    def request(self, method: str, invite: Request, body: str = "", *headers: str) -> None:
        """
        Send a request in the dialog of an INVITE.
        """
        self.sequence += 1
        lines = [
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch=z9hG4bKscripted{self.sequence}",
            f"From: {invite.header('To')};tag=scripted",
            f"To: {invite.header('From')}",
            f"Call-ID: {invite.header('Call-ID')}",
            f"CSeq: {self.sequence} {method}",
            "Max-Forwards: 70",
            self._contact(),
            *headers,
        ]
        target = invite.header("Contact").strip("<>")
        self.send(f"{method} {target} SIP/2.0", lines, body, invite.source)

    def challenge(self, request: Request, *, by_proxy: bool = True) -> None:
        """
        Ask for credentials.
        """
        status = "407 Proxy Authentication Required" if by_proxy else "401 Unauthorized"
        name = "Proxy-Authenticate" if by_proxy else "WWW-Authenticate"
        self.respond(request, status, "", f'{name}: Digest realm="trunk", nonce="n1", algorithm=MD5, qop="auth"')

    async def offer(self, invite: Request, description: str) -> str:
        """
        Offer anew in a re-INVITE, and acknowledge the final response; return it.
        """
        self.request("INVITE", invite, description)
        response = await self.response()
        while response.startswith("SIP/2.0 1"):
            response = await self.response()
        self.request("ACK", invite)
        return response

    def send(self, start: str, lines: list[str], body: str, address: tuple[str, int]) -> bytes:
        """
        Send one message.
        """
        content = ["Content-Type: application/sdp"] if body else []
        message = "\r\n".join([start, *lines, *content, f"Content-Length: {len(body)}", "", body]).encode("latin-1")
        self.send_raw(message, address)
        return message

    def send_raw(self, message: bytes, address: tuple[str, int]) -> None:
        """
        Send any bytes.
        """
        assert self._transport is not None
        self._transport.sendto(message, address)

    async def answer(self, description: str | None = None) -> Request:
        """
        Take the next call at once, and wait for the ACK; return its INVITE.
        """
        invite = await self.receive("INVITE")
        self.respond(invite, "180 Ringing")
        self.respond(invite, "200 OK", describe(free_port()) if description is None else description)
        await self.receive("ACK")
        return invite

    async def hang_up(self) -> None:
        """
        Wait for the BYE and confirm it.
        """
        self.respond(await self.receive("BYE"), "200 OK")

    def close(self) -> None:
        """
        Be gone.
        """
        if self._transport is not None:
            self._transport.close()

    def _contact(self) -> str:
        return f"Contact: <sip:scripted@127.0.0.1:{self.port}>"

    def _queue(self, method: str) -> asyncio.Queue[Request]:
        return self._waiting.setdefault(method, asyncio.Queue())


def describe(port: int, *, formats: str = "0 8", direction: str = "sendrecv", host: str = "127.0.0.1") -> str:
    """
    Describe sound at a port.
    """
    return (
        f"v=0\r\no=scripted 1 {port} IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\n"
        f"m=audio {port} RTP/AVP {formats}\r\na={direction}\r\n"
    )


@asynccontextmanager
async def scripted_callee() -> AsyncIterator[ScriptedCallee]:
    """
    Have a callee for the length of a block.
    """
    loop = asyncio.get_running_loop()
    _, callee = await loop.create_datagram_endpoint(ScriptedCallee, local_addr=("127.0.0.1", free_port()))
    try:
        yield callee
    finally:
        callee.close()
