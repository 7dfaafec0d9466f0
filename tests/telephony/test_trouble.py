"""
Calls whose INVITE is lost, challenged, refused, cancelled or left unanswered.
"""

import asyncio

import pytest

from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.ports.carrier import Placed, RejectedError, UncertainError
from tests.telephony.calls import Reports, carrier_for, order, run, sound
from tests.telephony.ports import free_port
from tests.telephony.scripted_callee import describe, scripted_callee

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
            callee.challenge(invite)
            await callee.receive("ACK")
            with pytest.raises(RejectedError) as raised:
                await placing
            await asyncio.sleep(0.2)

        assert Disposition.CANCELED == raised.value.disposition
        assert 1 == callee.count("INVITE")

    run(scenario())


def test_second_challenge_of_another_kind_is_not_answered() -> None:
    """
    A 401 and then a 407 make two INVITEs, not three.
    """

    async def scenario() -> None:
        settings = {"username": "user", "password": "pass"}
        async with scripted_callee() as callee, carrier_for(callee.port, **settings) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), Reports()))
            callee.challenge(await callee.receive("INVITE"), by_proxy=False)
            callee.challenge(await callee.receive("INVITE"))
            with pytest.raises(RejectedError):
                await placing
            await asyncio.sleep(0.2)

        assert 2 == callee.count("INVITE")

    run(scenario())


def test_challenge_without_credentials_names_what_is_missing() -> None:
    """
    The words say that the trunk wants credentials and that we have none.
    """

    async def scenario() -> None:
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), Reports()))
            callee.challenge(await callee.receive("INVITE"))
            with pytest.raises(RejectedError) as raised:
                await placing

        assert Disposition.CARRIER_ERROR == raised.value.disposition
        assert "we have none" in raised.value.cause.words
        assert 1 == callee.count("INVITE")

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


@pytest.mark.parametrize("rings", [False, True])
def test_control_characters_of_a_reason_are_left_out(*, rings: bool) -> None:
    """
    A NUL, which no database takes, and what steers a terminal do not get into the cause.
    """

    async def scenario() -> None:
        reports = Reports()
        async with scripted_callee() as callee, carrier_for(callee.port) as carrier:
            placing = asyncio.create_task(carrier.place(order(), sound(), reports))
            invite = await callee.receive("INVITE")
            if rings:
                callee.respond(invite, "180 Ringing")
                await placing
            callee.respond(invite, "486 Bu\0sy\x1b[31m")
            cause = (await reports.ended()).cause if rings else await refusal_of(placing)

        assert (486, "Bu sy [31m") == (cause.code, cause.words)

    run(scenario())


async def refusal_of(placing: asyncio.Task[Placed]) -> HangUpCause:
    """
    Return the cause of a call that is rejected.
    """
    with pytest.raises(RejectedError) as raised:
        await placing
    return raised.value.cause


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
