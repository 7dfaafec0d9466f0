"""
Whatever strangers and trunks send over SIP: others' calls go on, and nothing takes long.
"""

import asyncio
import importlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from itertools import count, pairwise
from types import ModuleType
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from outdial.adapters.sip import dispatcher
from outdial.domain.model.disposition import Disposition
from outdial.ports.carrier import RejectedError, UncertainError
from tests.fuzz.inputs import Reader, damaged, is_quick, searched
from tests.telephony.calls import Reports, carrier_for, order, run, sound
from tests.telephony.ports import free_port
from tests.telephony.scripted_callee import Request, describe, scripted_callee

pytestmark = pytest.mark.sip

CALLER: Final = ("127.0.0.1", 9)
BODY: Final = describe(4000)
HASTY: Final = {"no_answer_from_trunk_s": 0.5, "cancel_wait_s": 0.3}
_numbers = count(1)


def message(start: str, sequence: str, *headers: str, body: str = "") -> bytes:
    """
    Write one message of a transaction that nobody has begun.
    """
    lines = [
        start,
        "Via: SIP/2.0/UDP 127.0.0.1:9;rport;branch=z9hG4bK0",
        "Max-Forwards: 70",
        'From: "A, B" <sip:a@127.0.0.1>;tag=a',
        "To: <sip:outdial@127.0.0.1:5060>",
        "Call-ID: 0@127.0.0.1",
        f"CSeq: {sequence}",
        "Contact: <sip:a@127.0.0.1:9;transport=udp>",
        *headers,
        f"Content-Length: {len(body)}",
    ]
    return "\r\n".join([*lines, "", body]).encode()


MESSAGES: Final = Reader(
    read=bytes,  # each test gives them to an endpoint of its own
    samples=(
        message("OPTIONS sip:outdial@127.0.0.1 SIP/2.0", "1 OPTIONS"),
        message("INVITE sip:outdial@127.0.0.1 SIP/2.0", "1 INVITE", "Content-Type: application/sdp", body=BODY),
        message("BYE sip:outdial@127.0.0.1 SIP/2.0", "2 BYE", "Route: <sip:a;lr>", 'Reason: SIP;cause=200;text="x"'),
        message("ACK sip:outdial@127.0.0.1 SIP/2.0", "1 ACK"),
        message("CANCEL sip:outdial@127.0.0.1 SIP/2.0", "1 CANCEL"),
        message("REFER sip:outdial@127.0.0.1 SIP/2.0", "3 REFER", "Refer-To: <sip:b@c?Replaces=a>"),
        message("SIP/2.0 180 Ringing", "1 INVITE", "Record-Route: <sip:a;lr>, <sip:b;lr>"),
        message("SIP/2.0 200 OK", "1 INVITE", "Content-Type: application/sdp", body=BODY),
        message(
            "SIP/2.0 407 No", "1 INVITE", 'Proxy-Authenticate: Digest realm="a", nonce="b", algorithm=MD5, qop="auth"'
        ),
    ),
    tokens=(
        *(b",", b";a=b", b'"', b"\r\n ", b"x:\r\n", b"Via: SIP/2.0/UDP 1.1.1.1;branch=z\r\n", b"<sip:a@b>,", b"%41"),
        *(
            b"\r\n",
            b"\r\n\r\n",
            b"\n",
            b" ",
            b"\t",
            b":",
            b"<",
            b">",
            b"@",
            b"?",
            b"=",
            b"\\",
            b"\x00",
            b"\xff",
            b"9" * 20,
        ),
        *(
            b"Content-Length: 9\r\n",
            b"CSeq: 1 INVITE\r\n",
            b"Call-ID: a\r\n",
            b"To: <sip:a@b>;tag=x\r\n",
            b"SIP/2.0 ",
            b"-1",
        ),
        *(
            b"Contact: *\r\n",
            b"Expires: x\r\n",
            b"INVITE",
            b"sips:[::1]:0",
            b"sip:",
            b"l: 1\r\n",
            b"v: ",
            b"CSeq: INVITE\r\n",
        ),
    ),
)


def sip_module(name: str) -> ModuleType:
    """
    Import a module that imports sippy, which needs the dispatcher in place.
    """
    dispatcher.install()
    return importlib.import_module(f"outdial.adapters.sip.{name}")


class Endpoint:
    """
    Our transactions over a transport that keeps what is sent.
    """

    def __init__(self) -> None:
        transports, transactions = sip_module("transports"), sip_module("transactions")
        network = importlib.import_module("sippy.Network_server")
        sent: list[Any] = []

        class Kept(transports.Server):  # type: ignore[name-defined,misc]  # sippy is imported behind its dispatcher
            transport = "udp"
            reliable = False

            def send_to(self, data: str | bytes, _address: Any) -> None:
                sent.append(data)

        self.sent = sent
        self._server = Kept(("127.0.0.1", 5060))
        self._source = network.Remote_address(CALLER, "udp")
        self.transactions = transactions.TransactionManager()
        self.transactions.servers = {"udp": self._server}

    def receive(self, data: bytes) -> None:
        """
        Take a datagram.
        """
        self.transactions.receive(data, self._source, self._server)

    def is_alive(self) -> bool:
        """
        Tell whether a good request is answered.
        """
        self.sent.clear()
        name = f"alive{next(_numbers)}"
        self.receive(MESSAGES.samples[0].replace(b"z9hG4bK0", b"z9hG4bK" + name.encode()).replace(b"0@", name.encode()))
        return [True] == [str(answer).startswith("SIP/2.0 200 OK") for answer in self.sent]


@asynccontextmanager
async def an_endpoint() -> AsyncIterator[Endpoint]:
    """
    Have an endpoint for the length of a block.
    """
    endpoint = Endpoint()
    try:
        yield endpoint
    finally:
        endpoint.transactions.close()


def defects(lines: list[Any]) -> list[Any]:
    """
    Return what was logged as our fault, and not as somebody's odd message.
    """
    return [line for line in lines if line["log_level"] not in {"debug", "info", "warning"}]


@searched(60)
@given(datagrams=st.lists(MESSAGES.inputs(), min_size=1, max_size=20))
def test_any_datagrams_leave_the_endpoint_alive(datagrams: list[bytes]) -> None:
    """
    Nothing is raised or logged as a defect, and the next good request is answered.
    """

    async def scenario() -> None:
        async with an_endpoint() as endpoint:
            for datagram in datagrams:
                endpoint.receive(datagram)
            await asyncio.sleep(0)
            assert endpoint.is_alive()

    with capture_logs() as lines:
        run(scenario())
    assert [] == defects(lines)


@searched(100)
@given(data=MESSAGES.inputs(), sizes=st.lists(st.integers(1, 200), max_size=10))
def test_any_stream_is_cut_or_given_up(data: bytes, sizes: list[int]) -> None:
    """
    A stream gives the same messages in whatever pieces it comes, and raises nothing but `FramingError`.
    """
    streams = sip_module("streams")

    def cut(pieces: list[bytes]) -> list[bytes]:
        buffer, found = bytearray(), []
        with suppress(streams.FramingError):
            for piece in pieces:
                buffer += piece
                while (whole := streams.take_message(buffer)) is not None:
                    found.append(whole)
        return found

    places = [0, *sorted({min(sum(sizes[:end]), len(data)) for end in range(1, len(sizes) + 1)}), len(data)]
    pieces = [data[start:stop] for start, stop in pairwise(places)]

    assert cut([data]) == cut(pieces)


def test_no_message_is_slow() -> None:
    """
    50 KB take no longer than 50 ms of the processor, as a datagram and on a stream, whatever is repeated in them.
    """

    async def scenario() -> list[bytes]:
        streams, header_max = sip_module("streams"), sip_module("transactions").HEADER_BYTES_MAX

        def take(data: bytes) -> None:
            endpoint.receive(data.replace(b"z9hG4bK0", b"z9hG4bK%d" % next(_numbers)))  # or it would be a repetition
            buffer = bytearray(data)
            with suppress(streams.FramingError):
                while streams.take_message(buffer) is not None:
                    pass

        def is_taken(data: bytes) -> bool:
            return is_quick(lambda: take(data)) and is_quick(lambda: take(data[: header_max - 8] + b"\r\n\r\n"))

        async with an_endpoint() as endpoint:
            return [data for data in MESSAGES.long_inputs() if not is_taken(data)]

    with capture_logs() as lines:
        slow = asyncio.run(scenario())

    assert [] == [data[:200] for data in slow]
    assert [] == defects(lines)


def test_header_has_a_largest_size() -> None:
    """
    A message with more before its body is dropped, as others that make no sense; a body may be longer.
    """
    good, _, _ = MESSAGES.samples[0].partition(b"\r\nContent-Length")

    async def scenario() -> None:
        async with an_endpoint() as endpoint:
            endpoint.receive(good + b"\r\nX: " + b"a" * 16 * 1024 + b"\r\n\r\n")
            assert [] == endpoint.sent
            endpoint.receive(good + b"\r\nContent-Length: 20000\r\n\r\n" + b"a" * 20_000)
            assert 1 == len(endpoint.sent)

    with capture_logs() as lines:
        run(scenario())
    assert ["HeaderTooLong"] == [line["error"] for line in lines]


@searched(4)
@given(data=st.data())
def test_call_goes_on_beside_any_messages(data: st.DataObject) -> None:
    """
    Damaged answers of other calls, at each step of one: it rings, is answered, heard and hung up.
    """
    noise = [data.draw(damaged(MESSAGES.samples, MESSAGES.tokens)) for _ in range(50)]

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(0.05), reports))
            invite: Request = await callee.receive("INVITE")
            for status, description in (("180 Ringing", ""), ("200 OK", describe(free_port()))):
                for datagram in noise:
                    callee.send_raw(datagram, invite.source)
                callee.respond(invite, status, description)
            await callee.receive("ACK")
            await placing
            await callee.hang_up()
            ended = await reports.ended()

        assert Disposition.HANG_UP_AGENT == ended.disposition
        assert ["Ringing", "Answered", "Ended"] == reports.kinds

    with capture_logs() as lines:
        run(scenario())
    assert [] == defects(lines)


@searched(3)
@given(data=st.data())
def test_damaged_answers_harm_no_later_call(data: st.DataObject) -> None:
    """
    A call whose answers are damaged ends in a declared way, whichever; the next one is as any other.
    """

    async def scenario() -> None:
        first, second = Reports(), Reports()
        async with scripted_callee() as callee, carrier_for(callee.port, **HASTY) as carrier:
            callee.confirms_byes = True
            placing = asyncio.create_task(carrier.place(order(ring_timeout_s=1, max_duration_s=1), sound(0.05), first))
            invite: Request = await callee.receive("INVITE")
            answers = [answer_to(invite, status) for status in ("180 Ringing", "183 Progress", "200 OK", "486 Busy")]
            for _ in range(50):
                callee.send_raw(data.draw(damaged(answers, MESSAGES.tokens)), invite.source)
            with suppress(RejectedError, UncertainError):
                await placing
                await first.ended()

            placing = asyncio.create_task(carrier.place(order(), sound(0.05), second))
            while (again := await callee.receive("INVITE")).header("Call-ID") == invite.header("Call-ID"):
                pass
            callee.respond(again, "180 Ringing")
            callee.respond(again, "200 OK", describe(free_port()))
            await placing
            ended = await second.ended()

        assert Disposition.HANG_UP_AGENT == ended.disposition
        assert ["Ringing", "Answered", "Ended"] == second.kinds

    with capture_logs() as lines:
        run(scenario(), 110)
    assert [] == defects(lines)


def answer_to(invite: Request, status: str) -> bytes:
    """
    Write an answer to an INVITE, to be damaged.
    """
    copied = [f"{name}: {invite.header(name)}" for name in ("Via", "From", "Call-ID", "CSeq")]
    body = describe(free_port())
    headers = ["Contact: <sip:scripted@127.0.0.1:9>", "Content-Type: application/sdp", f"Content-Length: {len(body)}"]
    lines = [f"SIP/2.0 {status}", *copied, f"To: {invite.header('To')};tag=scripted", *headers, "", body]
    return "\r\n".join(lines).encode()
