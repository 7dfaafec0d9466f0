"""
A callee joined to an agent that has a SIP address of its own.
"""

import asyncio
import socket
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from outdial.domain.model.disposition import Disposition
from outdial.ports.carrier import Announce, RejectedError, SipUri
from tests.telephony.calls import Reports, carrier_for, order, run, sound
from tests.telephony.ports import free_port
from tests.telephony.scripted_callee import ScriptedCallee, describe, scripted_callee
from tests.telephony.sipp import sipp
from tests.telephony.tls_terminator import Certificate, tls_terminator

pytestmark = pytest.mark.sip


def agent_at(port: int, parameters: str = "", **headers: str) -> SipUri:
    """
    Address an agent on loopback.
    """
    return SipUri(uri=f"sip:project_1@127.0.0.1:{port}{parameters}", headers=headers)


async def answer_held(callee: ScriptedCallee, port: int) -> None:
    """
    Answer as the callee, be given the agent's media, and take it.
    """
    await callee.answer(describe(port, direction="inactive"))
    callee.respond(await callee.receive("INVITE"), "200 OK", describe(port))
    await callee.receive("ACK")


@pytest.mark.parametrize("transport", ["udp", "tcp", "tls"])
@pytest.mark.parametrize("agent_scenario", ["agent_ok", "agent_noctype"])
def test_each_is_told_the_others_media(
    tmp_path: Path, certificate: Certificate, transport: str, agent_scenario: str
) -> None:
    """
    SIPp as the callee and SIPp as the agent see each other's port, one re-INVITE goes to the callee, none to the agent.
    """

    async def scenario() -> None:
        asked, reports = order(), Reports()
        sipp_transport = "udp" if transport == "udp" else "tcp"
        async with (
            sipp("callee_reinv", tmp_path) as callee,
            sipp(agent_scenario, tmp_path, transport=sipp_transport) as agent,
            tls_terminator(agent.port, certificate) as tls_port,
            carrier_for(callee.port, tls_ca_file=certificate.certificate) as carrier,
        ):
            port = tls_port if transport == "tls" else agent.port
            connect = agent_at(port, f";transport={transport}", **{"X-Campaign": "seven"})
            await carrier.place(asked, connect, reports)
            await reports.answered()
            while len(callee.received("ACK")) < 2:
                await asyncio.sleep(0.05)
            await carrier.hang_up(asked.attempt_id, Disposition.CANCELED)
            ended = await reports.ended()
            await callee.finish()
            await agent.finish()

        held, joined = callee.received("INVITE")
        (invited,) = agent.received("INVITE")
        assert "m=audio 9 " in held
        assert "a=inactive" in held
        assert f"m=audio {agent.media_port} " in joined
        assert f"m=audio {callee.media_port} " in invited
        assert "a=sendrecv" in invited
        assert "a=inactive" not in joined + invited
        assert f"X-Outdial-Attempt: {asked.attempt_id}" in invited
        assert "X-Campaign: seven" in invited
        assert "From: <sip:+15550001111@" in invited
        assert invited.startswith("INVITE sip:project_1@127.0.0.1:")
        assert Disposition.CANCELED == ended.disposition

    run(scenario())


@pytest.mark.parametrize("first", ["callee", "agent"])
def test_hang_up_of_either_ends_both(first: str) -> None:
    """
    The other one gets a BYE, and `Ended` says who hung up.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, scripted_callee() as agent, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), agent_at(agent.port), reports))
            answering = asyncio.create_task(answer_held(callee, free_port()))
            invited = await agent.answer()
            await placing
            await answering
            one, other = (callee, agent) if first == "callee" else (agent, callee)
            one.request("BYE", callee.seen[0] if first == "callee" else invited)
            assert (await one.response()).startswith("SIP/2.0 200")
            await other.hang_up()
            ended = await reports.ended()

        assert {"callee": Disposition.HANG_UP_CALLEE, "agent": Disposition.HANG_UP_AGENT}[first] == ended.disposition
        assert 1 == ended.talk_s
        assert 1 == agent.count("INVITE")

    run(scenario())


def test_busy_agent_ends_the_callees_call() -> None:
    """
    The callee is hung up, with the agent's own words as the cause.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, scripted_callee() as agent, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), agent_at(agent.port), reports))
            await callee.answer(describe(free_port()))
            agent.respond(await agent.receive("INVITE"), "486 Busy Here")
            await placing
            await callee.hang_up()
            ended = await reports.ended()

        assert (Disposition.CARRIER_ERROR, 486) == (ended.disposition, ended.cause.code)
        assert "Busy Here" in ended.cause.words
        assert ["Ringing", "Answered", "Ended"] == reports.kinds

    run(scenario())


def test_unreachable_agent_ends_the_callees_call() -> None:
    """
    A callee is not left in silence when nobody listens at the agent's address; our machine's words stay in the log.
    """

    async def scenario() -> None:
        reports = Reports()
        with capture_logs() as events:
            await dialled(reports)
        ended = await reports.ended()

        assert (Disposition.CARRIER_ERROR, 503) == (ended.disposition, ended.cause.code)
        assert "The agent is unreachable" == ended.cause.words
        assert ["sip_agent_unreachable"] == [event["event"] for event in events]
        assert "Connect call failed" in events[0]["error"]

    async def dialled(reports: Reports) -> None:
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            connect = agent_at(free_port(), ";transport=tcp")
            placing = asyncio.create_task(carrier.place(order(), connect, reports))
            await callee.answer()
            await placing
            await callee.hang_up()
            await reports.ended()

    run(scenario())


def test_agent_that_never_answers_is_cancelled() -> None:
    """
    After the agent's ring time-out both legs end.
    """

    async def scenario() -> None:
        reports = Reports()
        async with (
            scripted_callee() as callee,
            scripted_callee() as agent,
            carrier_for(callee.port, agent_ring_timeout_s=0.4) as carrier,
        ):
            placing = asyncio.create_task(carrier.place(order(), agent_at(agent.port), reports))
            await callee.answer()
            invited = await agent.receive("INVITE")
            agent.respond(invited, "180 Ringing")
            await placing
            agent.respond(await agent.receive("CANCEL"), "200 OK")
            agent.respond(invited, "487 Request Terminated")
            await callee.hang_up()
            ended = await reports.ended()

        assert (Disposition.CARRIER_ERROR, 408) == (ended.disposition, ended.cause.code)

    run(scenario())


def test_callee_who_leaves_before_the_agent_answers_cancels_the_agent() -> None:
    """
    Nobody is left ringing.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, scripted_callee() as agent, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), agent_at(agent.port), reports))
            invite = await callee.answer()
            invited = await agent.receive("INVITE")
            agent.respond(invited, "180 Ringing")
            await placing
            callee.request("BYE", invite)
            agent.respond(await agent.receive("CANCEL"), "200 OK")
            agent.respond(invited, "487 Request Terminated")
            ended = await reports.ended()

        assert Disposition.HANG_UP_CALLEE == ended.disposition

    run(scenario())


def test_refused_reinvite_ends_both() -> None:
    """
    A callee's side that won't take the agent's media is hung up, and the agent too.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, scripted_callee() as agent, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), agent_at(agent.port), reports))
            await callee.answer()
            await agent.answer()
            callee.respond(await callee.receive("INVITE"), "488 Not Acceptable Here")
            await placing
            await callee.hang_up()
            await agent.hang_up()
            ended = await reports.ended()

        assert (Disposition.CARRIER_ERROR, 488) == (ended.disposition, ended.cause.code)

    run(scenario())


def test_crossing_reinvites_are_sorted_out() -> None:
    """
    A 491 means that both offered at once; we offer again after a while (RFC 3261, 14.1).
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, scripted_callee() as agent, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), agent_at(agent.port), reports))
            invite = await callee.answer()
            await agent.answer()
            crossing = await callee.receive("INVITE")
            callee.request("INVITE", invite, describe(free_port()))
            assert (await callee.response()).startswith("SIP/2.0 491")
            callee.respond(crossing, "491 Request Pending")
            callee.respond(await callee.receive("INVITE"), "200 OK", describe(free_port()))
            await callee.receive("ACK")
            await placing
            callee.request("BYE", invite)
            await agent.hang_up()
            ended = await reports.ended()

        assert Disposition.HANG_UP_CALLEE == ended.disposition
        assert 3 == callee.count("INVITE")

    run(scenario())


def test_callee_is_held_while_the_agent_rings() -> None:
    """
    A session refresh before there is an agent's sound is answered with sound on hold.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, scripted_callee() as agent, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), agent_at(agent.port), reports))
            invite = await callee.answer()
            invited = await agent.receive("INVITE")
            agent.respond(invited, "180 Ringing")
            await placing
            refreshed = await callee.offer(invite, describe(free_port()))
            callee.request("BYE", invite)
            agent.respond(await agent.receive("CANCEL"), "200 OK")
            agent.respond(invited, "487 Request Terminated")
            await reports.ended()

        assert "m=audio 9 " in refreshed
        assert "a=inactive" in refreshed

    run(scenario())


@pytest.mark.parametrize("deaf", ["callee", "agent"])
def test_answer_without_usable_sound_ends_both(deaf: str) -> None:
    """
    Two who could not hear each other are not left connected.
    """

    async def scenario() -> None:
        reports = Reports()
        descriptions = {"callee": describe(free_port()), "agent": describe(free_port())}
        descriptions[deaf] = describe(free_port(), formats="18")
        async with scripted_callee() as callee, scripted_callee() as agent, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), agent_at(agent.port), reports))
            await callee.answer(descriptions["callee"])
            if deaf == "agent":
                await agent.answer(descriptions["agent"])
                await agent.hang_up()
            await placing
            await callee.hang_up()
            ended = await reports.ended()

        assert (Disposition.CARRIER_ERROR, 488) == (ended.disposition, ended.cause.code)
        assert (1 if deaf == "agent" else 0) == agent.count("INVITE")

    run(scenario())


def test_refresh_and_hold_are_answered_but_moving_is_refused() -> None:
    """
    The agent gets no re-INVITE, so a callee's sound can't go elsewhere; its old session stays.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, scripted_callee() as agent, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), agent_at(agent.port), reports))
            callee_port, agent_port = free_port(), free_port()
            answering = asyncio.create_task(answer_held(callee, callee_port))
            await agent.answer(describe(agent_port))
            await placing
            await answering
            invite = callee.seen[0]
            refreshed = await callee.offer(invite, describe(callee_port))
            held = await callee.offer(invite, describe(callee_port, direction="sendonly"))
            moved = await callee.offer(invite, describe(free_port()))
            callee.request("BYE", invite)
            await agent.hang_up()
            await reports.ended()

        assert f"m=audio {agent_port} " in refreshed
        assert "a=sendrecv" in refreshed
        assert "a=recvonly" in held
        assert moved.startswith("SIP/2.0 488")
        assert 1 == agent.count("INVITE")

    run(scenario())


@pytest.mark.parametrize(
    "connect",
    [
        SipUri(uri="https://agent.example"),
        SipUri(uri="sip:agent.example", headers={"X-A": "1\r\nVia: x"}),
        SipUri(uri="sip:agent.example", headers={"X A": "1"}),
        SipUri(uri="sip:agent.example", headers={"Route": "<sip:x>"}),
        SipUri(uri="sip:agent.example", headers={"call-id": "1"}),
    ],
)
def test_unusable_agent_is_refused_before_anything_is_dialled(connect: SipUri) -> None:
    """
    A wrong address or a header that would break the INVITE is found before the phone rings.
    """

    async def scenario() -> None:
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            with pytest.raises(RejectedError) as raised:
                await carrier.place(order(), connect, Reports())

        assert Disposition.CARRIER_ERROR == raised.value.disposition
        assert "The agent's SIP address can't be used" == raised.value.cause.words
        assert [] == callee.seen

    run(scenario())


def test_a_callee_who_must_not_be_joined_hears_us_and_the_agent_nothing() -> None:
    """
    An objection takes the callee off hold to our own sound, then hangs up; no INVITE leaves for the agent.
    """

    async def scenario() -> None:
        reports = Reports()

        async def object_to_it() -> Announce:
            return sound(0.3)

        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as ear:
            ear.bind(("127.0.0.1", 0))
            ear.settimeout(5)
            port = ear.getsockname()[1]
            async with scripted_callee() as callee, scripted_callee() as agent, carrier_for(callee.port) as carrier:
                placing = asyncio.create_task(carrier.place(order(), agent_at(agent.port), reports, object_to_it))
                await callee.answer(describe(port, direction="inactive"))
                callee.respond(await callee.receive("INVITE"), "200 OK", describe(port))
                await callee.receive("ACK")
                await placing
                await callee.hang_up()
                ended = await reports.ended()
                heard = ear.recv(2000)

            assert 0 == agent.count("INVITE")
        assert Disposition.HANG_UP_AGENT == ended.disposition
        assert len(heard) > 160

    run(scenario())
