"""
Connections that others open, and what is kept of peers: neither grows without limit.
"""

import asyncio
import importlib
import uuid
from contextlib import suppress
from types import ModuleType

import pytest
from structlog.testing import capture_logs

from outdial.adapters.sip import dispatcher
from tests.telephony.calls import carrier_for, run
from tests.telephony.ports import free_port

pytestmark = pytest.mark.sip


def streams() -> ModuleType:
    """
    Import the module of streams, whose imports need the dispatcher in place.
    """
    dispatcher.install()
    return importlib.import_module("outdial.adapters.sip.streams")


def test_connections_of_others_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Above the limit a new one is closed at once, until an old one is gone.
    """

    async def scenario() -> None:
        bind_port = free_port()
        async with carrier_for(f"sip:127.0.0.1:{free_port()};transport=tcp", bind_port=bind_port):
            taken = [await asyncio.open_connection("127.0.0.1", bind_port) for _ in range(2)]
            with capture_logs() as events:
                refused = await asked(bind_port)
            taken.pop()[1].close()
            async with asyncio.timeout(5):
                while not (answer := await asked(bind_port)):
                    await asyncio.sleep(0.02)
            taken.pop()[1].close()

        assert b"" == refused
        assert ["sip_connection_refused"] == [event["event"] for event in events]
        assert b"SIP/2.0 200 OK\r\n" == answer

    monkeypatch.setattr(streams().StreamTransport, "inbound_max", 2)
    run(scenario())


async def asked(port: int) -> bytes:
    """
    Ask whether somebody lives at a TCP port; return the answer's first line, empty when the connection is closed.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(options())
        return await asyncio.wait_for(reader.readline(), 5)
    except ConnectionError:
        return b""
    finally:
        writer.close()


def options() -> bytes:
    """
    Write a request that strangers may make.
    """
    lines = [
        "OPTIONS sip:outdial@127.0.0.1 SIP/2.0",
        f"Via: SIP/2.0/TCP 127.0.0.1:9;branch=z9hG4bK{uuid.uuid4().hex}",
        "From: <sip:a@127.0.0.1>;tag=a",
        "To: <sip:outdial@127.0.0.1>",
        f"Call-ID: {uuid.uuid4().hex}",
        "CSeq: 1 OPTIONS",
        "Content-Length: 0",
        "\r\n",
    ]
    return "\r\n".join(lines).encode()


def test_connection_without_messages_is_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Bytes that never make a message do not count; each message gives a connection its time anew.
    """

    async def scenario() -> None:
        bind_port = free_port()
        loop = asyncio.get_running_loop()
        async with carrier_for(f"sip:127.0.0.1:{free_port()};transport=tcp", bind_port=bind_port):
            reader, writer = await asyncio.open_connection("127.0.0.1", bind_port)
            opened_s = loop.time()
            await asyncio.sleep(0.6)
            writer.write(options())
            await reader.readuntil(b"\r\n\r\n")
            answered_s = loop.time()
            while loop.time() - answered_s < 0.8:
                writer.write(b"\r\n")
                await asyncio.sleep(0.1)
            with suppress(ConnectionError):
                assert b"" == await asyncio.wait_for(reader.read(), 5)
            closed_s = loop.time()
            writer.close()

        assert closed_s - opened_s > 1.5
        assert closed_s - answered_s < 4

    monkeypatch.setattr(streams().StreamTransport, "inbound_idle_s", 1.0)
    run(scenario())


def test_what_is_known_of_peers_does_not_grow() -> None:
    """
    Locks are gone with those who wait, names of peers without a connection when there are many.
    """

    async def scenario() -> None:
        module = streams()
        transport = module.StreamTransport("tcp", ("127.0.0.1", 0), Deaf(), 5.0)
        living = await asyncio.start_server(hold, "127.0.0.1", 0)
        async with living:
            first = living.sockets[0].getsockname()[:2]
            await transport.connect(first, "first.example")
            for number in range(module.NAMES_MAX + 10):
                peer = (f"127.0.{1 + number // 250}.{1 + number % 250}", 1)
                with suppress(ConnectionError):
                    await transport.connect(peer, f"{number}.example")
            names, locks = dict(transport._names), len(transport._connecting)  # noqa: SLF001 - grows unseen
            await transport.close()
            held.set()

        assert module.NAMES_MAX == len(names)
        assert "first.example" == names[first]
        assert "0.example" not in names.values()
        assert f"{module.NAMES_MAX + 9}.example" in names.values()
        assert 0 == locks

    async def hold(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        keeping.append(asyncio.current_task())  # asyncio forgets it with its connection
        await held.wait()
        writer.close()

    keeping: list[object] = []
    held = asyncio.Event()
    run(scenario())


class Deaf:
    """
    Hears of messages and lost connections, and does nothing.
    """

    def receive(self, data: bytes, source: object, server: object) -> None:
        """
        Let a message go.
        """

    def connection_lost(self, server: object, peer: tuple[str, int]) -> None:
        """
        Let a connection go.
        """
