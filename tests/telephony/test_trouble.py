"""
Calls to a callee that loses, repeats, garbles and keeps silent.
"""

import asyncio

import pytest

from outdial.domain.model.call_event import Answered
from outdial.domain.model.disposition import Disposition
from outdial.ports.carrier import RejectedError, UncertainError
from tests.telephony.calls import Reports, carrier_for, order, run, sound
from tests.telephony.ports import free_port
from tests.telephony.rtp_receiver import rtp_receiver
from tests.telephony.scripted_callee import Request, ScriptedCallee, describe, scripted_callee

pytestmark = pytest.mark.sip


def test_lost_invite_is_repeated_as_it_was() -> None:
    """
    The repetition is the same transaction: the same bytes, and still one INVITE.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            lost = await callee.receive("INVITE")
            repeated = await callee.answer()
            await placing
            await callee.hang_up()
            ended = await reports.ended()

        assert lost.text == repeated.text
        assert Disposition.HANG_UP_AGENT == ended.disposition

    run(scenario())


@pytest.mark.parametrize("altered", [False, True])
def test_repeated_200_is_acknowledged_again(*, altered: bool) -> None:
    """
    An ACK was lost when the 200 comes again, byte for byte or from another hop.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(0.5), reports))
            invite = await callee.receive("INVITE")
            ok = callee.respond(invite, "200 OK", describe(free_port()))
            first = await callee.receive("ACK")
            if altered:
                callee.respond(invite, "200 OK", describe(free_port()), "Server: another")
            else:
                callee.send_raw(ok, invite.source)
            second = await callee.receive("ACK")
            await placing
            await callee.hang_up()
            await reports.ended()

        assert first.text == second.text
        assert ["Answered", "Ended"] == reports.kinds

    run(scenario())


def test_lost_bye_is_repeated() -> None:
    """
    The call is over at the first BYE, and BYE is said until it is heard.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            await callee.answer()
            await placing
            lost = await callee.receive("BYE")
            ended = await reports.ended()
            repeated = await callee.receive("BYE")
            callee.respond(repeated, "200 OK")

        assert lost.text == repeated.text
        assert Disposition.HANG_UP_AGENT == ended.disposition

    run(scenario())


def test_ack_leaves_before_the_bye_of_a_crossing() -> None:
    """
    A 200 which crosses the CANCEL gets its ACK first, then the BYE, and the phone was not answered.
    """

    async def scenario() -> None:
        asked, reports = order(), Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(asked, sound(), reports))
            invite = await callee.receive("INVITE")
            callee.respond(invite, "180 Ringing")
            await placing
            await carrier.hang_up(asked.attempt_id, Disposition.CANCELED)
            callee.respond(await callee.receive("CANCEL"), "200 OK")
            callee.respond(invite, "200 OK", describe(free_port()))
            await callee.hang_up()
            ended = await reports.ended()

        assert ["INVITE", "CANCEL", "ACK", "BYE"] == [request.method for request in callee.seen]
        assert (Disposition.CANCELED, 200, 0) == (ended.disposition, ended.cause.code, ended.talk_s)
        assert ["Ringing", "Ended"] == reports.kinds

    run(scenario())


def test_hang_up_before_any_response_waits_with_the_cancel() -> None:
    """
    A CANCEL may not leave before a 1xx (RFC 3261, 9.1), and leaves right after it.
    """

    async def scenario() -> None:
        asked, reports = order(), Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(asked, sound(), reports))
            invite = await callee.receive("INVITE")
            await carrier.hang_up(asked.attempt_id, Disposition.EXPIRED)
            await asyncio.sleep(0.2)
            early = callee.count("CANCEL")
            callee.respond(invite, "100 Trying")
            callee.respond(await callee.receive("CANCEL"), "200 OK")
            callee.respond(invite, "487 Request Terminated")
            await callee.receive("ACK")
            await placing
            ended = await reports.ended()

        assert 0 == early
        assert (Disposition.EXPIRED, 487) == (ended.disposition, ended.cause.code)
        assert (100,) == ended.cause.provisional

    run(scenario())


def test_challenge_after_the_cancel_starts_no_new_invite() -> None:
    """
    Who hung up must not be authenticated into another INVITE.
    """

    async def scenario() -> None:
        asked, reports = order(), Reports()
        settings = {"username": "user", "password": "pass"}
        async with scripted_callee() as callee, carrier_for(callee.port, **settings) as carrier:
            placing = asyncio.create_task(carrier.place(asked, sound(), reports))
            invite = await callee.receive("INVITE")
            await carrier.hang_up(asked.attempt_id, Disposition.CANCELED)
            await asyncio.sleep(0.05)
            challenge(callee, invite)
            await callee.receive("ACK")
            with pytest.raises(RejectedError) as raised:
                await placing
            await asyncio.sleep(0.2)

        assert Disposition.CANCELED == raised.value.disposition
        assert 1 == callee.count("INVITE")

    run(scenario())


def challenge(callee: ScriptedCallee, request: Request) -> None:
    """
    Ask for credentials.
    """
    header = 'Proxy-Authenticate: Digest realm="trunk", nonce="n1", algorithm=MD5, qop="auth"'
    callee.respond(request, "407 Proxy Authentication Required", "", header)


def test_challenge_without_credentials_names_what_is_missing() -> None:
    """
    The words say that the trunk wants credentials and that we have none.
    """

    async def scenario() -> None:
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), Reports()))
            challenge(callee, await callee.receive("INVITE"))
            with pytest.raises(RejectedError) as raised:
                await placing

        assert Disposition.CARRIER_ERROR == raised.value.disposition
        assert "we have none" in raised.value.cause.words
        assert 1 == callee.count("INVITE")

    run(scenario())


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
            challenge(callee, await callee.receive("BYE"))
            second = await callee.receive("BYE")
            challenge(callee, second)
            await reports.ended()
            await asyncio.sleep(0.2)

        assert 'username="user"' in second.header("Proxy-Authorization")
        assert 2 == callee.count("BYE")

    run(scenario())


@pytest.mark.parametrize(("status", "expected"), [("486 Busy", "busy"), ("503 Full", "carrier_error")])
def test_refusal_without_any_ringing_is_surely_not_placed(status: str, expected: str) -> None:
    """
    A final failure as the first response raises, with code and words, and nothing is reported.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            callee.respond(await callee.receive("INVITE"), status, "", "Retry-After: 30")
            await callee.receive("ACK")
            with pytest.raises(RejectedError) as raised:
                await placing

        assert expected == raised.value.disposition
        assert f"{status} (Retry-After: 30)" == str(raised.value.cause)
        assert () == raised.value.cause.provisional
        assert [] == reports.events

    run(scenario())


def test_redirect_is_not_followed() -> None:
    """
    A 302 is the carrier's fault, and no INVITE goes where it points.
    """

    async def scenario() -> None:
        async with scripted_callee() as elsewhere, scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), Reports()))
            invite = await callee.receive("INVITE")
            callee.respond(invite, "302 Moved", "", f"Contact: <sip:x@127.0.0.1:{elsewhere.port}>")
            with pytest.raises(RejectedError) as raised:
                await placing
            await asyncio.sleep(0.1)

        assert (Disposition.CARRIER_ERROR, 302) == (raised.value.disposition, raised.value.cause.code)
        assert [] == elsewhere.seen

    run(scenario())


def test_silent_trunk_leaves_the_outcome_open() -> None:
    """
    Nothing is repeated once place() gave up, and the attempt ends as unknown at the ring time-out.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee:
            async with carrier_for(callee.port, no_answer_from_trunk_s=0.8, cancel_wait_s=0.3) as carrier:
                with pytest.raises(UncertainError) as raised:
                    await carrier.place(order(ring_timeout_s=2), sound(), reports)
                sent = callee.count("INVITE")
                ended = await reports.ended()

            assert "did not react" in raised.value.cause.words
            assert sent == callee.count("INVITE")
            assert Disposition.OUTCOME_UNKNOWN == ended.disposition
            assert ["Ended"] == reports.kinds

    run(scenario())


def test_late_responses_of_a_silent_trunk_are_reported_as_evidence() -> None:
    """
    After UncertainError a late answer is served like any other.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port, no_answer_from_trunk_s=0.3) as carrier:
            with pytest.raises(UncertainError):
                await carrier.place(order(), sound(), reports)
            await callee.answer()
            await callee.hang_up()
            ended = await reports.ended()

        assert Disposition.HANG_UP_AGENT == ended.disposition
        assert ["Ringing", "Answered", "Ended"] == reports.kinds

    run(scenario())


def test_ignored_cancel_ends_in_bounded_time() -> None:
    """
    A trunk that never says 487 can't hold the attempt; a 200 long after still gets ACK and BYE.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port, cancel_wait_s=0.3) as carrier:
            placing = asyncio.create_task(carrier.place(order(ring_timeout_s=1), sound(), reports))
            invite = await callee.receive("INVITE")
            callee.respond(invite, "180 Ringing")
            await placing
            ended = await reports.ended()
            callee.respond(invite, "200 OK", describe(free_port()))
            await callee.receive("ACK")
            await callee.hang_up()

        assert Disposition.NO_ANSWER == ended.disposition
        assert ["Ringing", "Ended"] == reports.kinds

    run(scenario())


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


def test_ringing_is_reported_once() -> None:
    """
    Several 180s and 183s are one ringing; all stand in the cause.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            invite = await callee.receive("INVITE")
            for status in ("100 Trying", "180 Ringing", "183 Progress", "180 Ringing again"):
                callee.respond(invite, status)
            callee.respond(invite, "486 Busy Here")
            await placing
            ended = await reports.ended()

        assert ["Ringing", "Ended"] == reports.kinds
        assert (100, 180, 183, 180) == ended.cause.provisional

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
            held = await reinvite(callee, invite, describe(old.port, direction="sendonly"))
            before = len(old.packets)
            await asyncio.sleep(0.2)
            refreshed = await reinvite(callee, invite, "")
            refused = await reinvite(callee, invite, describe(new.port, formats="18"))
            moved = await reinvite(callee, invite, describe(new.port))
            await callee.hang_up()

        assert "a=recvonly" in held
        assert before <= len(old.packets) <= before + 1
        assert "m=audio" in refreshed
        assert refused.startswith("SIP/2.0 488")
        assert "a=sendrecv" in moved
        assert 65 == len(old.packets) + len(new.packets)
        assert new.packets[0].marker

    run(scenario())


async def reinvite(callee: ScriptedCallee, invite: Request, description: str) -> str:
    """
    Offer anew, and acknowledge the final response.
    """
    callee.request("INVITE", invite, description)
    response = await callee.response()
    while response.startswith("SIP/2.0 1"):
        response = await callee.response()
    callee.request("ACK", invite)
    return response


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


def test_attempt_is_never_placed_twice() -> None:
    """
    While an attempt lives, a second order for it sends nothing.
    """

    async def scenario() -> None:
        asked, reports = order(), Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(asked, sound(), reports))
            with pytest.raises(UncertainError):
                await asyncio.gather(carrier.place(asked, sound(), Reports()))
            await callee.answer()
            await placing
            await callee.hang_up()

        assert 1 == callee.count("INVITE")

    run(scenario())
