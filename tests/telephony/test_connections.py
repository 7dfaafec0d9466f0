"""
Streams: messages cut from them, TLS, and connections that fail.
"""

import asyncio
import importlib
from contextlib import suppress
from pathlib import Path
from types import ModuleType

import pytest
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from outdial.adapters.sip import dispatcher
from outdial.domain.model.disposition import Disposition
from outdial.ports.carrier import RejectedError, UncertainError
from tests.telephony.calls import Reports, carrier_for, order, run, sound
from tests.telephony.ports import free_port
from tests.telephony.sipp import sipp
from tests.telephony.tls_terminator import Certificate, tls_terminator

pytestmark = pytest.mark.sip


def streams() -> ModuleType:
    """
    Import the module of streams, whose imports need the dispatcher in place.
    """
    dispatcher.install()
    return importlib.import_module("outdial.adapters.sip.streams")


def message(body: bytes, name: bytes = b"Content-Length") -> bytes:
    """
    Write a message with a body.
    """
    return b"OPTIONS sip:x SIP/2.0\r\nVia: x\r\n%s: %d\r\n\r\n%s" % (name, len(body), body)


@given(
    bodies=st.lists(st.binary(max_size=50), max_size=5),
    cuts=st.lists(st.integers(1, 40), max_size=30),
    name=st.sampled_from([b"Content-Length", b"content-length ", b"l"]),
)
def test_messages_survive_any_cutting(bodies: list[bytes], cuts: list[int], name: bytes) -> None:
    """
    However a stream is cut into pieces, and with keep-alives between, the same messages come out.
    """
    take_message = streams().take_message
    messages = [message(body, name) for body in bodies]
    stream = b"\r\n\r\n".join([b"", *messages, b""])
    buffer, taken = bytearray(), []

    for cut in [*cuts, len(stream)]:
        buffer += stream[:cut]
        stream = stream[cut:]
        while (one := take_message(buffer)) is not None:
            taken.append(one)

    assert messages == taken


@pytest.mark.parametrize("length", [b"-1", b"x", b"", b"99999999999", b"65536"])
def test_impossible_length_is_an_error(length: bytes) -> None:
    """
    A stream whose messages can't be told apart is given up.
    """
    module = streams()

    with pytest.raises(module.FramingError):
        module.take_message(bytearray(b"OPTIONS sip:x SIP/2.0\r\nContent-Length: " + length + b"\r\n\r\n"))


def test_endless_header_is_an_error() -> None:
    """
    Nobody can fill our memory with a header that never ends.
    """
    module = streams()

    with pytest.raises(module.FramingError):
        module.take_message(bytearray(b"x" * 70_000))


@pytest.mark.parametrize("address", ["sips:127.0.0.1:{port}", "sip:localhost:{port};transport=tls"])
def test_tls_carries_a_call(tmp_path: Path, certificate: Certificate, address: str) -> None:
    """
    With the trunk's authority trusted, the certificate is checked against the address or name, and the call goes.
    """

    async def scenario() -> None:
        reports = Reports()
        async with (
            sipp("answer", tmp_path, transport="tcp") as callee,
            tls_terminator(callee.port, certificate) as port,
            carrier_for(address.format(port=port), tls_ca_file=certificate.certificate) as carrier,
        ):
            await carrier.place(order(), sound(0.8), reports)
            ended = await reports.ended()
            await callee.finish()

        assert Disposition.HANG_UP_AGENT == ended.disposition
        assert [1, 1, 1] == [len(callee.received(method)) for method in ("INVITE", "ACK", "BYE")]

    run(scenario())


def test_untrusted_certificate_is_rejected(tmp_path: Path, certificate: Certificate) -> None:
    """
    Nothing is sent to a trunk that can't prove who it is.
    """

    async def scenario() -> None:
        async with (
            sipp("answer", tmp_path, transport="tcp") as callee,
            tls_terminator(callee.port, certificate) as port,
            carrier_for(f"sips:127.0.0.1:{port}") as carrier,
        ):
            with pytest.raises(RejectedError) as raised:
                await carrier.place(order(), sound(), Reports())

        assert (Disposition.CARRIER_ERROR, 503) == (raised.value.disposition, raised.value.cause.code)
        assert [] == callee.received("INVITE")

    run(scenario())


@pytest.mark.parametrize("address", ["sip:127.0.0.1:{port};transport=tcp", "sips:127.0.0.1:{port}"])
def test_refused_connection_is_surely_not_placed(address: str) -> None:
    """
    Nobody listens, so nothing was sent; what our machine says of it is logged and not told to clients.
    """

    async def scenario() -> None:
        async with carrier_for(address.format(port=free_port())) as carrier:
            with pytest.raises(RejectedError) as raised, capture_logs() as events:
                await carrier.place(order(), sound(), Reports())

        assert (503, "The trunk is unreachable") == (raised.value.cause.code, raised.value.cause.words)
        assert ["sip_trunk_unreachable"] == [event["event"] for event in events]
        assert "Connect call failed" in events[0]["error"]

    run(scenario())


def test_unknown_name_is_surely_not_placed() -> None:
    """
    A trunk without an address can't be sent anything.
    """

    async def scenario() -> None:
        async with carrier_for("sip:no-such-trunk.invalid") as carrier:
            with pytest.raises(RejectedError) as raised:
                await carrier.place(order(), sound(), Reports())

        assert (503, "The trunk is unreachable") == (raised.value.cause.code, raised.value.cause.words)

    run(scenario())


def test_full_port_range_is_surely_not_placed() -> None:
    """
    Without a port for sound nothing is sent, and the log says what to change.
    """

    async def scenario() -> None:
        port = free_port()
        settings = {"rtp_port_min": port, "rtp_port_max": port}
        async with carrier_for(free_port(), no_answer_from_trunk_s=0.3, **settings) as carrier:
            first = asyncio.create_task(carrier.place(order(ring_timeout_s=1), sound(), Reports()))
            await asyncio.sleep(0.1)
            with pytest.raises(RejectedError, match="No port for sound can be opened"), capture_logs() as events:
                await carrier.place(order(), sound(), Reports())
            assert "widen the range" in events[0]["error"]
            with pytest.raises(UncertainError):
                await first

    run(scenario())


@pytest.mark.parametrize("closes", [False, True])
def test_silence_on_a_connection_leaves_the_outcome_open(*, closes: bool) -> None:
    """
    An INVITE that was written may have been taken, whether the trunk then keeps silent or closes.
    """

    async def scenario() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            written.append(await reader.read(65_536))
            if not closes:
                written.append(await reader.read())
            writer.close()
            served.set()
            await writer.wait_closed()

        served = asyncio.Event()
        written: list[bytes] = []
        reports = Reports()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        settings = {"no_answer_from_trunk_s": 0.8, "cancel_wait_s": 0.2}
        async with server:
            async with carrier_for(f"sip:127.0.0.1:{port};transport=tcp", **settings) as carrier:
                with pytest.raises(UncertainError):
                    await carrier.place(order(ring_timeout_s=1), sound(), reports)
                ended = await reports.ended()
            await served.wait()

        assert Disposition.OUTCOME_UNKNOWN == ended.disposition
        assert ["Ended"] == reports.kinds
        assert 1 == b"".join(written).count(b"INVITE sip:")

    run(scenario())


def test_trunk_may_end_a_call_on_a_connection_of_its_own() -> None:
    """
    When the first connection is gone, the BYE comes to the port in our Contact.
    """

    async def scenario() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            keeping.append(asyncio.current_task())  # asyncio forgets it with the first connection
            invite = (await reader.readuntil(b"\r\n\r\n")).decode()
            headers = dict(line.split(": ", 1) for line in invite.split("\r\n")[1:] if ": " in line)
            await reader.readexactly(int(headers["Content-Length"]))
            body = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"
            lines = [
                "SIP/2.0 200 OK",
                f"Via: {headers['Via']}",
                f"From: {headers['From']}",
                f"To: {headers['To']};tag=t",
                f"Call-ID: {headers['Call-ID']}",
                f"CSeq: {headers['CSeq']}",
                "Contact: <sip:t@127.0.0.1:9;transport=tcp>",
                f"Content-Length: {len(body)}",
                "",
                body,
            ]
            writer.write("\r\n".join(lines).encode())
            await reader.readuntil(b"\r\n\r\n")
            writer.close()
            await writer.wait_closed()
            host, port = headers["Contact"].split("@")[1].split(";")[0].strip("<>").split(":")
            later_reader, later_writer = await asyncio.open_connection(host, int(port))
            bye = [
                f"BYE {headers['Contact'].strip('<>')} SIP/2.0",
                "Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bKbye",
                f"From: {headers['To']};tag=t",
                f"To: {headers['From']}",
                f"Call-ID: {headers['Call-ID']}",
                "CSeq: 1 BYE",
                "Content-Length: 0",
                "\r\n",
            ]
            later_writer.write("\r\n".join(bye).encode())
            answers.append(await later_reader.readline())
            later_writer.close()
            served.set()

        answers: list[bytes] = []
        keeping: list[object] = []
        served = asyncio.Event()
        reports = Reports()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, carrier_for(f"sip:127.0.0.1:{port};transport=tcp") as carrier:
            await carrier.place(order(), sound(20), reports)
            ended = await reports.ended()
            await served.wait()

        assert Disposition.HANG_UP_CALLEE == ended.disposition
        assert [b"SIP/2.0 200 OK\r\n"] == answers

    run(scenario())


def test_bye_opens_a_new_connection_when_the_first_is_gone() -> None:
    """
    A call whose connection the trunk closed is still ended.
    """

    async def scenario() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            keeping.append(asyncio.current_task())  # asyncio forgets it with its connection
            request = (await reader.readuntil(b"\r\n\r\n")).decode()
            methods.append(request.split()[0])
            copied = [
                line for line in request.split("\r\n") if line.split(":")[0] in {"Via", "From", "Call-ID", "CSeq"}
            ]
            to = next(line for line in request.split("\r\n") if line.startswith("To: "))
            body = ""
            if methods[-1] == "INVITE":
                await reader.readuntil(b"sendrecv\r\n")
                to += ";tag=t"
                body = "v=0\r\nc=IN IP4 127.0.0.1\r\nm=audio 4000 RTP/AVP 0\r\n"
            contact = "Contact: <sip:t@127.0.0.1:9>"
            lines = ["SIP/2.0 200 OK", *copied, to, contact, f"Content-Length: {len(body)}", "", body]
            writer.write("\r\n".join(lines).encode())
            if methods[-1] == "INVITE":
                methods.append((await reader.readuntil(b"\r\n\r\n")).decode().split()[0])
            writer.close()
            await writer.wait_closed()

        methods: list[str] = []
        keeping: list[object] = []
        reports = Reports()
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server, carrier_for(f"sip:127.0.0.1:{port};transport=tcp") as carrier:
            await carrier.place(order(), sound(), reports)
            ended = await reports.ended()

        assert Disposition.HANG_UP_AGENT == ended.disposition
        assert ["INVITE", "ACK", "BYE"] == methods

    run(scenario())


def test_noise_on_a_connection_closes_it() -> None:
    """
    Who sends what is no SIP to our TCP port is hung up on, and the carrier goes on.
    """

    async def scenario() -> None:
        bind_port = free_port()
        async with carrier_for(f"sip:127.0.0.1:{free_port()};transport=tcp", bind_port=bind_port):
            for noise in (b"x" * 70_000, b"BYE x SIP/2.0\r\nContent-Length: -1\r\n\r\n"):
                reader, writer = await asyncio.open_connection("127.0.0.1", bind_port)
                writer.write(noise)
                with suppress(ConnectionError):
                    assert b"" == await asyncio.wait_for(reader.read(), 5)
                writer.close()

    run(scenario())
