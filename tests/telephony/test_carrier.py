"""
The carrier's own life: starting, stopping, and settings that can't work.
"""

import asyncio
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from outdial.adapters.sip import dispatcher
from outdial.adapters.sip.carrier import SipCarrier
from outdial.adapters.sip.trunk import Trunk
from outdial.adapters.system.clock import SystemClock
from outdial.domain.model.disposition import Disposition
from outdial.ports.carrier import RejectedError, SipUri, UncertainError
from outdial.ports.errors import CarrierUnavailableError
from tests.telephony.calls import Reports, carrier_for, order, run, sound
from tests.telephony.ports import free_port
from tests.telephony.scripted_callee import describe, scripted_callee

pytestmark = pytest.mark.sip


async def refusal_of(**settings: object) -> str:
    """
    Start a carrier that can't work; return its sentence.
    """
    arguments: dict[str, object] = {"address": "sip:127.0.0.1:5070", "bind_host": "127.0.0.1", **settings}
    carrier = SipCarrier(Trunk(**arguments), SystemClock())  # type: ignore[arg-type]  # drawn from a table
    with pytest.raises(CarrierUnavailableError) as raised:
        await carrier.start()
    return str(raised.value)


@pytest.mark.parametrize("transport", ["udp", "tcp"])
def test_taken_port_is_named(transport: str) -> None:
    """
    Who can't listen says where, and what to change.
    """

    async def scenario() -> None:
        kind = {"udp": socket.SOCK_DGRAM, "tcp": socket.SOCK_STREAM}[transport]
        with socket.socket(socket.AF_INET, kind) as taken:
            taken.bind(("127.0.0.1", free_port()))
            if transport == "tcp":
                taken.listen()
            port = taken.getsockname()[1]
            words = await refusal_of(address=f"sip:127.0.0.1:9;transport={transport}", bind_port=port)

        assert f"127.0.0.1:{port}" in words
        assert "change the bind" in words

    run(scenario())


def test_foreign_address_and_missing_authority_are_named(tmp_path: Path) -> None:
    """
    An address that is not ours and a file that is not there are told apart from the rest.
    """

    async def scenario() -> None:
        foreign = await refusal_of(bind_host="192.0.2.1")
        assert "192.0.2.1" in foreign
        assert "Change the bind host." in foreign
        assert "RTP" not in foreign
        assert "certificate authorities" in await refusal_of(tls_ca_file=tmp_path / "missing.pem")
        empty = tmp_path / "empty.pem"
        empty.write_text("nothing")
        assert "certificate authorities" in await refusal_of(tls_ca_file=empty)

    run(scenario())


def test_missing_stack_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Without sippy the carrier says which extra to install.
    """

    def missing() -> None:
        raise ImportError("No module named 'sippy'")

    async def scenario() -> None:
        monkeypatch.setattr(dispatcher, "install", missing)

        assert "pip install 'outdial[sip]'" in await refusal_of()

    run(scenario())


def test_settings_and_carrier_import_without_the_stack() -> None:
    """
    Whoever dials another way needs no SIP stack.
    """
    code = (
        "import sys; sys.modules['sippy'] = None; import outdial.adapters.sip.trunk, outdial.adapters.sip.carrier, "
        "outdial.adapters.sip.outcomes"
    )

    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


def test_start_and_stop_are_idempotent_and_free_the_port() -> None:
    """
    Carriers follow each other in one process, on one port; a stopped one places nothing.
    """

    async def scenario() -> None:
        trunk = Trunk(address="sip:127.0.0.1:9;transport=tcp", bind_host="127.0.0.1", bind_port=free_port())
        for _ in range(2):
            carrier = SipCarrier(trunk, SystemClock())
            await carrier.start()
            await carrier.start()
            await carrier.stop()
            await carrier.stop()

        with pytest.raises(RejectedError, match="not started"):
            await carrier.place(order(), sound(), Reports())

    run(scenario())


def test_carrier_lives_in_one_loop_after_another() -> None:
    """
    Nothing of the stack remembers a loop that is gone.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            await callee.answer()
            await placing
            await callee.hang_up()
            await reports.ended()

    for _ in range(2):
        run(scenario())


def test_stop_hangs_up_whatever_lives() -> None:
    """
    What rings is cancelled, what talks gets a BYE, and each attempt is reported as ended.
    """

    async def scenario() -> None:
        ringing, talking = Reports(), Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            callee.confirms_byes = True
            placing = asyncio.create_task(carrier.place(order(), sound(30), talking))
            await callee.answer()
            await placing
            placing = asyncio.create_task(carrier.place(order(), sound(30), ringing))
            invite = await callee.receive("INVITE")
            callee.respond(invite, "180 Ringing")
            await placing
            stopping = asyncio.create_task(carrier.stop())
            callee.respond(await callee.receive("CANCEL"), "200 OK")
            callee.respond(invite, "487 Request Terminated")
            await stopping

        assert 1 == callee.count("BYE")
        assert Disposition.CANCELED == (await ringing.ended()).disposition
        assert Disposition.DISCONNECTED == (await talking.ended()).disposition

    run(scenario())


def test_stop_is_bounded_when_nobody_answers() -> None:
    """
    Dead callees and agents hold up a stop for less than 10 s, and all is reported.
    """

    async def scenario() -> None:
        every = [Reports() for _ in range(3)]
        async with scripted_callee() as callee, carrier_for(callee.port, cancel_wait_s=5.0) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(30), every[0]))
            await callee.answer()
            await placing
            placing = asyncio.create_task(carrier.place(order(), sound(30), every[1]))
            callee.respond(await callee.receive("INVITE"), "180 Ringing")
            await placing
            connect = SipUri(uri=f"sip:127.0.0.1:{free_port()}")
            placing = asyncio.create_task(carrier.place(order(), connect, every[2]))
            await callee.answer(describe(free_port()))
            await placing
            loop = asyncio.get_running_loop()
            started_s = loop.time()
            await carrier.stop()
            elapsed_s = loop.time() - started_s

        assert elapsed_s < 10
        assert [1, 1, 1] == [reports.kinds.count("Ended") for reports in every]

    run(scenario())


def test_stop_while_the_trunk_is_silent_leaves_the_outcome_open() -> None:
    """
    An attempt that still waits for the trunk is uncertain, and its end is reported before the carrier is gone.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port, cancel_wait_s=5.0) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            await callee.receive("INVITE")
            loop = asyncio.get_running_loop()
            started_s = loop.time()
            await carrier.stop()
            elapsed_s = loop.time() - started_s
            with pytest.raises(UncertainError):
                await placing

        assert elapsed_s < 10
        assert ["Ended"] == reports.kinds

    run(scenario())


def test_hang_up_while_connecting_sends_nothing() -> None:
    """
    An attempt that is given up before its INVITE left is surely not placed.
    """

    async def scenario() -> None:
        asked = order()
        async with scripted_callee() as callee, carrier_for(f"sip:localhost:{callee.port}") as carrier:
            placing = asyncio.create_task(carrier.place(asked, sound(), Reports()))
            await asyncio.sleep(0)
            await carrier.hang_up(asked.attempt_id, Disposition.EXPIRED)
            with pytest.raises(RejectedError) as raised:
                await placing

        assert Disposition.EXPIRED == raised.value.disposition
        assert [] == callee.seen

    run(scenario())


def test_cancelled_placing_cancels_the_call() -> None:
    """
    Whoever stops waiting for place() leaves no phone ringing.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            invite = await callee.receive("INVITE")
            placing.cancel()
            await asyncio.gather(placing, return_exceptions=True)
            callee.respond(invite, "180 Ringing")
            callee.respond(await callee.receive("CANCEL"), "200 OK")
            callee.respond(invite, "487 Request Terminated")
            ended = await reports.ended()

        assert Disposition.CANCELED == ended.disposition

    run(scenario())
