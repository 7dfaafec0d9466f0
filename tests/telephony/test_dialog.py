"""
What a callee may say in the middle of a call, and what strangers may.
"""

import asyncio
import logging
import re

import pytest
from structlog.testing import capture_logs

from outdial.domain.model.call_event import Answered
from outdial.domain.model.disposition import Disposition
from tests.telephony.calls import Reports, carrier_for, order, run, sound
from tests.telephony.ports import free_port
from tests.telephony.rtp_receiver import rtp_receiver
from tests.telephony.scripted_callee import Request, describe, scripted_callee

pytestmark = pytest.mark.sip


def test_challenged_bye_is_said_again_with_credentials() -> None:
    """
    A trunk that challenges the BYE would let the call and its costs go on.
    """

    async def scenario() -> None:
        reports = Reports()
        settings = {"username": "user", "password": "pass"}
        async with scripted_callee() as callee, carrier_for(callee.port, **settings) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            await callee.answer()
            await placing
            callee.challenge(await callee.receive("BYE"))
            second = await callee.receive("BYE")
            callee.challenge(second)
            await reports.ended()
            await asyncio.sleep(0.2)

        assert 'username="user"' in second.header("Proxy-Authorization")
        assert 2 == callee.count("BYE")

    run(scenario())


def test_credentials_are_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    """
    Neither the password nor a digest made of it is logged while challenges are answered, at any level.
    """

    async def scenario() -> None:
        reports = Reports()
        settings = {"username": "user", "password": "canary-password"}
        async with scripted_callee() as callee, carrier_for(callee.port, **settings) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            callee.challenge(await callee.receive("INVITE"))
            invites.append(await callee.answer())
            await placing
            callee.challenge(await callee.receive("BYE"))
            await callee.hang_up()
            await reports.ended()

    invites: list[Request] = []
    caplog.set_level(logging.DEBUG)
    with capture_logs() as events:
        run(scenario())

    (invite,) = invites
    (digest,) = re.findall(r'response="([0-9a-f]+)"', invite.header("Proxy-Authorization"))
    written = f"{events} {caplog.text}"
    assert "using selector" in caplog.text.lower(), "nothing was captured"
    for secret in ("canary-password", "response=", digest):
        assert secret not in written


def test_nothing_is_said_on_early_media() -> None:
    """
    Sound starts after the answer, with its first word, although a 183 named a port for it before.
    """

    async def scenario() -> None:
        async with scripted_callee() as callee, rtp_receiver() as ear, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), Reports()))
            invite = await callee.receive("INVITE")
            callee.respond(invite, "183 Session Progress", describe(ear.port))
            callee.respond(invite, "180 Ringing")
            await placing
            await asyncio.sleep(0.3)
            early = len(ear.packets)
            callee.respond(invite, "200 OK", describe(ear.port, formats="8"))
            await callee.hang_up()

        assert 0 == early
        assert 25 == len(ear.packets)
        assert {8} == {packet.payload_type for packet in ear.packets}
        offered = int(invite.body.split("m=audio ")[1].split()[0])
        assert {offered} == {packet.source_port for packet in ear.packets}

    run(scenario())


def test_answer_without_usable_sound_is_hung_up() -> None:
    """
    Somebody answered, but what we say would not be heard: the carrier's fault, at the carrier's price.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            await callee.answer(describe(4000, formats="18"))
            await placing
            await callee.hang_up()
            ended = await reports.ended()

        assert (Disposition.CARRIER_ERROR, 488, 1) == (ended.disposition, ended.cause.code, ended.talk_s)
        assert ["Answered", "Ended"] == [kind for kind in reports.kinds if kind != "Ringing"]

    run(scenario())


def test_media_moves_and_holds_with_the_callees_reinvite() -> None:
    """
    On hold nothing is sent; afterwards the rest goes to the new address; an offer without sound is refused.
    """

    async def scenario() -> None:
        async with (
            scripted_callee() as callee,
            rtp_receiver() as old,
            rtp_receiver() as new,
            carrier_for(callee.port) as carrier,
        ):
            placing = asyncio.create_task(carrier.place(order(), sound(1), Reports()))
            invite = await callee.answer(describe(old.port))
            await placing
            await asyncio.sleep(0.2)
            held = await callee.offer(invite, describe(old.port, direction="sendonly"))
            before = len(old.packets)
            await asyncio.sleep(0.2)
            refreshed = await callee.offer(invite, "")
            refused = await callee.offer(invite, describe(new.port, formats="18"))
            moved = await callee.offer(invite, describe(new.port))
            await callee.hang_up()

        assert "a=recvonly" in held
        assert before <= len(old.packets) <= before + 1
        assert "m=audio" in refreshed
        assert refused.startswith("SIP/2.0 488")
        assert "a=sendrecv" in moved
        assert 65 == len(old.packets) + len(new.packets)
        assert new.packets[0].marker

    run(scenario())


def test_callee_cannot_steer_the_call() -> None:
    """
    REFER is declined, OPTIONS answered, what is unknown refused, and the call goes on.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(0.4), reports))
            invite = await callee.answer()
            await placing
            statuses = []
            for method in ("REFER", "OPTIONS", "INFO", "UPDATE"):
                callee.request(method, invite, "", "Refer-To: <sip:+1900@127.0.0.1>")
                statuses.append((await callee.response())[8:11])
            await callee.hang_up()
            ended = await reports.ended()

        assert ["603", "200", "200", "405"] == statuses
        assert Disposition.HANG_UP_AGENT == ended.disposition

    run(scenario())


def test_strangers_get_an_answer_and_nothing_else() -> None:
    """
    OPTIONS is 200, a call to us 405, a request in an unknown dialog 481, and noise is ignored.
    """

    async def scenario() -> None:
        port = free_port()
        async with scripted_callee() as stranger, carrier_for(stranger.port, bind_port=port):
            statuses = []
            for number, (method, tag) in enumerate([("OPTIONS", ""), ("INVITE", ""), ("BYE", ";tag=x")]):
                lines = [
                    f"Via: SIP/2.0/UDP 127.0.0.1:{stranger.port};branch=z9hG4bK{number}",
                    "From: <sip:a@127.0.0.1>;tag=y",
                    f"To: <sip:b@127.0.0.1>{tag}",
                    f"Call-ID: c{number}",
                    f"CSeq: 1 {method}",
                ]
                for noise in (b"\r\n\r\n", b"\xff" * 100, b"INVITE sip:x SIP/2.0\r\nVia: \x00\r\n\r\n" * 3):
                    stranger.send_raw(noise, ("127.0.0.1", port))
                stranger.send(f"{method} sip:b@127.0.0.1 SIP/2.0", lines, "", ("127.0.0.1", port))
                statuses.append((await stranger.response())[8:11])

        assert ["200", "405", "481"] == statuses

    run(scenario())


@pytest.mark.parametrize(
    "header",
    ["Contact: <tel:+1>", "Contact: <sip:x@:y:z>", "Record-Route: <<<", "Content-Type: ;;;", "Reason: ;;;cause="],
)
def test_garbled_answer_hurts_no_other_call(header: str, capsys: pytest.CaptureFixture[str]) -> None:
    """
    One callee's nonsense ends its own call at most, in bounded time, and prints nobody's number.
    """

    async def scenario() -> None:
        odd, well = Reports(), Reports()
        async with scripted_callee() as callee, carrier_for(callee.port, no_answer_from_trunk_s=1) as carrier:
            callee.confirms_byes = True
            placing = asyncio.create_task(carrier.place(order(ring_timeout_s=2), sound(), odd))
            invite = await callee.receive("INVITE")
            text = callee.respond(invite, "183 Progress").decode("latin-1").replace("183 Progress", "200 OK")
            lines = [line for line in text.split("\r\n") if not line.startswith("Contact")]
            callee.send_raw("\r\n".join([lines[0], header, *lines[1:]]).encode("latin-1"), invite.source)
            await placing
            other = asyncio.create_task(carrier.place(order(), sound(), well))
            while (second := await callee.receive("INVITE")).header("Call-ID") == invite.header("Call-ID"):
                pass
            callee.respond(second, "200 OK", describe(free_port()))
            await other
            await well.ended()
            await odd.ended()

        assert "Answered" in well.kinds

    run(scenario())
    assert "+1555" not in capsys.readouterr().out


def test_talk_is_billed_from_the_answer_in_whole_seconds() -> None:
    """
    Ringing costs nothing; a started second counts.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(30), reports))
            invite = await callee.receive("INVITE")
            callee.respond(invite, "180 Ringing")
            await placing
            await asyncio.sleep(1.1)
            callee.respond(invite, "200 OK", describe(free_port()))
            await callee.receive("ACK")
            await reports.first(Answered)
            await asyncio.sleep(1.1)
            callee.request("BYE", invite, "", 'Reason: Q.850;cause=16;text="Normal"')
            assert (await callee.response()).startswith("SIP/2.0 200")
            ended = await reports.ended()

        assert (Disposition.HANG_UP_CALLEE, 2) == (ended.disposition, ended.talk_s)
        assert "Q.850" in ended.cause.words

    run(scenario())


def test_contact_may_have_a_name() -> None:
    """
    The ACK and the BYE go to the name in the Contact, looked up.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, scripted_callee() as named, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            invite = await callee.receive("INVITE")
            text = callee.respond(invite, "100 Trying").decode()
            body = describe(free_port())
            answer = text.replace("100 Trying", "200 OK").replace(
                f"127.0.0.1:{callee.port}>", f"localhost:{named.port}>"
            )
            answer = answer.replace("Content-Length: 0\r\n\r\n", f"Content-Length: {len(body)}\r\n\r\n{body}")
            answer = answer.replace("To: <sip:+15557654321@127.0.0.1>", "To: <sip:+15557654321@127.0.0.1>;tag=t")
            callee.send_raw(answer.encode(), invite.source)
            await placing
            await named.receive("ACK")
            await named.hang_up()
            ended = await reports.ended()

        assert Disposition.HANG_UP_AGENT == ended.disposition

    run(scenario())


def test_description_is_measured_in_octets() -> None:
    """
    A session name in UTF-8 has more octets than characters, and is understood.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, rtp_receiver() as ear, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            name = "s=\u260e\u260e\u260e".encode().decode("latin-1")
            await callee.answer(describe(ear.port).replace("s=-", name))
            await placing
            await callee.hang_up()
            ended = await reports.ended()

        assert Disposition.HANG_UP_AGENT == ended.disposition
        assert 25 == len(ear.packets)

    run(scenario())


def test_request_out_of_order_is_refused() -> None:
    """
    A re-INVITE older than what came before is an error of the far end (RFC 3261, 12.2.2), and changes nothing.
    """

    async def scenario() -> None:
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(0.4), Reports()))
            invite = await callee.answer()
            await placing
            callee.sequence = 10
            callee.request("OPTIONS", invite)
            assert (await callee.response()).startswith("SIP/2.0 200")
            callee.sequence = 5
            refused = await callee.offer(invite, describe(free_port()))
            await callee.hang_up()

        assert refused.startswith("SIP/2.0 500")

    run(scenario())


def test_failure_of_one_call_stays_in_it(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A defect of ours ends its own call with a BYE and an honest report, and no other.
    """

    async def scenario() -> None:
        broken, well = Reports(), Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            callee.confirms_byes = True
            # A traceback that is drawn for a terminal takes a busy machine seconds, which the call would last longer.
            with capture_logs() as logged, monkeypatch.context() as patched:
                patched.setattr("outdial.adapters.sip.rtp.g711.encode", lambda *_: 1 / 0)
                placing = asyncio.create_task(carrier.place(order(), sound(), broken))
                await callee.answer()
                await placing
                ended = await broken.ended()
            placing = asyncio.create_task(carrier.place(order(), sound(), well))
            await callee.answer()
            await placing
            other = await well.ended()

        assert ["sip_call_failed"] == [entry["event"] for entry in logged if entry["log_level"] == "error"]
        assert (Disposition.CARRIER_ERROR, 1) == (ended.disposition, ended.talk_s)
        assert Disposition.HANG_UP_AGENT == other.disposition
        assert 2 == callee.count("BYE")

    run(scenario())
