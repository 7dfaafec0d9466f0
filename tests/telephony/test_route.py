"""
The way to the trunk: looked for when the carrier starts, without sending anything.
"""

import asyncio
import errno
import importlib
import re
from typing import Any

import pytest
from structlog.testing import capture_logs

from outdial.adapters.sip import dispatcher
from outdial.ports.carrier import RejectedError
from outdial.ports.errors import CarrierUnavailableError
from tests.telephony.calls import Reports, carrier_for, order, run, sound
from tests.telephony.ports import free_port
from tests.telephony.scripted_callee import describe, scripted_callee

pytestmark = pytest.mark.sip

UNKNOWN = "sip:no-such-trunk.invalid"


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
def test_trunk_that_no_packet_gets_to_is_refused(transport: str) -> None:
    """
    From loopback there is no way out, so no call could ever work; the words name both ends.
    """

    async def scenario() -> None:
        with pytest.raises(CarrierUnavailableError) as raised:
            async with carrier_for(f"sip:198.51.100.1;transport={transport}", advertised_host="192.0.2.9"):
                pass

        assert "from 127.0.0.1 to the trunk 198.51.100.1" in str(raised.value)
        assert "change the bind host or the trunk" in str(raised.value)

    run(scenario())


@pytest.mark.parametrize("settings", [{}, {"bind_host": "0.0.0.0", "advertised_host": "127.0.0.1"}])  # noqa: S104 - a test
def test_name_that_is_not_found_keeps_nothing_from_starting(settings: dict[str, Any]) -> None:
    """
    Name servers may be away for a moment: it is logged, and calls fail until they are back.
    """

    async def scenario() -> None:
        with capture_logs() as events:
            async with carrier_for(UNKNOWN, **settings) as carrier:
                started = [(event["event"], event["name"]) for event in events]
                with pytest.raises(RejectedError):
                    await carrier.place(order(), sound(), Reports())
                with pytest.raises(CarrierUnavailableError, match=re.escape("no-such-trunk.invalid:5060")):
                    await carrier.reach()

        assert [("sip_name_not_found", "no-such-trunk.invalid")] == started

    run(scenario())


def test_name_that_is_not_found_hides_our_address() -> None:
    """
    Bound to every address, nothing tells which one the trunk would see.
    """

    async def scenario() -> None:
        with pytest.raises(CarrierUnavailableError, match=r"no-such-trunk\.invalid .* bind to one address"):
            async with carrier_for(UNKNOWN, bind_host="0.0.0.0"):  # noqa: S104 - a test
                pass

    run(scenario())


def test_address_is_found_when_bound_to_every_one() -> None:
    """
    The trunk is told the address that packets to it leave from.
    """

    async def scenario() -> None:
        async with (
            scripted_callee() as callee,
            carrier_for(callee.port, bind_host="0.0.0.0") as carrier,  # noqa: S104 - a test
        ):
            placing = asyncio.create_task(carrier.place(order(), sound(), Reports()))
            invite = await callee.receive("INVITE")
            callee.respond(invite, "200 OK", describe(free_port()))
            await placing
            await callee.hang_up()

        assert "@127.0.0.1:" in invite.header("Contact")

    run(scenario())


@pytest.mark.parametrize("transport", ["tcp", "tls"])
def test_trunk_that_is_down_keeps_nothing_from_starting(transport: str) -> None:
    """
    The carrier starts, and says when asked that nobody is there.
    """

    async def scenario() -> None:
        port = free_port()
        async with carrier_for(f"sip:127.0.0.1:{port};transport={transport}") as carrier:
            with pytest.raises(CarrierUnavailableError, match=f"127.0.0.1:{port} .* over {transport.upper()} now"):
                await carrier.reach()

    run(scenario())


def test_trunk_that_listens_is_reached() -> None:
    """
    A connection is enough; no request is sent.
    """

    async def scenario() -> None:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            keeping.append(asyncio.current_task())  # asyncio forgets it with its connection
            taken.append(await reader.read())
            writer.close()
            await writer.wait_closed()

        taken: list[bytes] = []
        keeping: list[asyncio.Task[Any] | None] = []
        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        async with server:
            async with carrier_for(f"sip:127.0.0.1:{port};transport=tcp") as carrier:
                await carrier.reach()
            await asyncio.gather(*(task for task in keeping if task is not None))

        assert [b""] == taken

    run(scenario())


def test_another_port_is_taken_when_any_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A port that is free for UDP may be taken for TCP.
    """

    async def scenario() -> None:
        async with carrier_for(f"sip:127.0.0.1:{free_port()};transport=tcp"):
            assert [errno.EADDRINUSE] == failed

    async def listen(self: Any, host: str, port: int) -> None:
        if not failed:
            failed.append(errno.EADDRINUSE)
            raise OSError(errno.EADDRINUSE, "taken")
        await real(self, host, port)

    failed: list[int] = []
    dispatcher.install()
    transport = importlib.import_module("outdial.adapters.sip.streams").StreamTransport
    real = transport.listen
    monkeypatch.setattr(transport, "listen", listen)

    run(scenario())


def test_datagram_that_does_not_leave_is_logged() -> None:
    """
    Otherwise a call would fail for want of an answer, and nothing would tell why.
    """

    async def scenario() -> None:
        dispatcher.install()
        transport = importlib.import_module("outdial.adapters.sip.transports").UdpTransport
        loop = asyncio.get_running_loop()
        _, udp = await loop.create_datagram_endpoint(lambda: transport("127.0.0.1", None), ("127.0.0.1", 0))
        with capture_logs() as events:
            udp.send_to("x", ("198.51.100.1", 5060))
            await asyncio.sleep(0)
        udp.close()

        assert ["sip_not_sent"] == [event["event"] for event in events]

    run(scenario())
