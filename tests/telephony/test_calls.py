"""
Calls to SIPp: an independent user agent confirms each flow by its exit code.
"""

import asyncio
import hashlib
import re
from pathlib import Path
from typing import Any

import pytest

from outdial.adapters.sip.outcomes import disposition_of, proof_of, q850_cause
from outdial.domain.model.call_event import Ended
from outdial.domain.model.disposition import Disposition
from outdial.ports.carrier import Carrier, DialOrder, Proof, RejectedError, UncertainError
from tests.telephony.calls import Reports, carrier_for, order, run, sound
from tests.telephony.sipp import Sipp, sipp

pytestmark = pytest.mark.sip

CREDENTIALS: dict[str, Any] = {"username": "trunkuser", "password": "trunkpass"}


async def call(callee: Sipp, asked: DialOrder, sound_s: float = 0.2, **settings: Any) -> Reports:
    """
    Place one call and see it through.
    """
    reports = Reports()
    async with carrier_for(callee.port, **settings) as carrier:
        await carrier.place(asked, sound(sound_s), reports)
        await reports.ended()
    return reports


def test_answered_call_shows_the_caller_and_is_hung_up_after_the_sound(tmp_path: Path) -> None:
    """
    SIPp finds the numbers in Request-URI, From and P-Asserted-Identity, and gets ACK and BYE.
    """

    async def scenario() -> None:
        asked = order()
        async with sipp("answer", tmp_path) as callee:
            reports = await call(callee, asked)
            messages = await callee.finish()

        assert ["Ringing", "Answered", "Ended"] == reports.kinds
        ended = await reports.ended()
        assert (Disposition.HANG_UP_AGENT, 1) == (ended.disposition, ended.talk_s)
        assert (100, 180) == ended.cause.provisional
        assert f"Call-ID: {asked.attempt_id}@127.0.0.1" in messages
        assert "Anonymous" not in messages
        assert 1 == len(callee.received("INVITE"))

    run(scenario())


def test_call_works_on_uvloop(tmp_path: Path) -> None:
    """
    The faster event loop carries calls as well.
    """
    uvloop = pytest.importorskip("uvloop")

    async def scenario() -> None:
        async with asyncio.timeout(30), sipp("answer", tmp_path) as callee:
            reports = await call(callee, order())
            await callee.finish()

        assert Disposition.HANG_UP_AGENT == (await reports.ended()).disposition

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(scenario())


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        *((status, "SIP;cause=0") for status in (486, 480, 603, 404, 484, 503, 500, 403, 408, 488, 302)),
        (480, 'Q.850;cause=17;text="User busy"'),
        (503, "Q.850;cause=1"),
    ],
)
@pytest.mark.parametrize("scenario_name", ["refuse", "ring_refuse"])
def test_refusal_becomes_its_disposition(tmp_path: Path, scenario_name: str, status: int, reason: str) -> None:
    """
    Each final answer is acknowledged, and reported as the table says, with code and 1xx.
    """

    async def scenario() -> None:
        asked, reports = order(), Reports()
        rang = scenario_name == "ring_refuse"
        async with (
            sipp(scenario_name, tmp_path, keys={"status": str(status), "reason": reason}) as callee,
            carrier_for(callee.port) as carrier,
        ):
            told = await _told(carrier, asked, reports)
            await callee.finish()

        assert disposition_of(code=status, q850=q850_cause([reason]), rang=rang, local=False) == told.disposition
        assert status == told.cause.code
        if isinstance(told, RejectedError):
            assert (status not in {500, 502, 503}) is told.is_lasting
        assert ((100, 180) if rang else (100,)) == told.cause.provisional
        kinds = ["Ringing", "Ended"] if rang else ["Ended"] if isinstance(told, Ended) else []
        assert kinds == reports.kinds
        assert rang or proof_of(status, local=False) is (Proof.AMBIGUOUS if kinds else Proof.NOT_PLACED)
        ruri = callee.received("INVITE")[0].split()[1]
        assert [ruri] == [ack.split()[1] for ack in callee.received("ACK")]

    run(scenario())


async def _told(carrier: Carrier, asked: DialOrder, reports: Reports) -> RejectedError | Ended:
    """
    Return the end of an order that is refused, however it is told.
    """
    try:
        await carrier.place(asked, sound(), reports)
    except RejectedError as error:
        return error
    except UncertainError:
        pass
    return await reports.ended()


@pytest.mark.parametrize("scenario_name", ["noanswer", "cancel_glare"])
def test_ring_timeout_cancels_and_is_no_answer(tmp_path: Path, scenario_name: str) -> None:
    """
    After the ring time-out SIPp gets a CANCEL; a 200 that crosses it gets ACK and BYE and is never an answer.
    """

    async def scenario() -> None:
        async with sipp(scenario_name, tmp_path) as callee:
            reports = await call(callee, order(ring_timeout_s=1))
            await callee.finish()

        assert ["Ringing", "Ended"] == reports.kinds
        ended = await reports.ended()
        assert (Disposition.NO_ANSWER, 0) == (ended.disposition, ended.talk_s)
        assert 1 == len(callee.received("CANCEL"))

    run(scenario())


@pytest.mark.parametrize("scenario_name", ["noanswer", "cancel_glare"])
def test_hang_up_while_ringing_cancels_with_the_given_disposition(tmp_path: Path, scenario_name: str) -> None:
    """
    `Ended` carries what the one who hung up said, also when a 200 crosses the CANCEL; again, or the unknown, is fine.
    """

    async def scenario() -> None:
        asked, reports = order(), Reports()
        async with sipp(scenario_name, tmp_path) as callee, carrier_for(callee.port) as carrier:
            await carrier.place(asked, sound(), reports)
            await reports.ringing()
            await carrier.hang_up(asked.attempt_id, Disposition.CANCELED)
            await carrier.hang_up(asked.attempt_id, Disposition.EXPIRED)
            await carrier.hang_up("unknown", Disposition.CANCELED)
            ended = await reports.ended()
            await carrier.hang_up(asked.attempt_id, Disposition.EXPIRED)
            await callee.finish()

        assert (Disposition.CANCELED, 0) == (ended.disposition, ended.talk_s)
        assert ["Ringing", "Ended"] == reports.kinds
        assert (1, int(scenario_name == "cancel_glare")) == tuple(
            len(callee.received(method)) for method in ("CANCEL", "BYE")
        )

    run(scenario())


def test_hang_up_while_talking_says_bye(tmp_path: Path) -> None:
    """
    A talk is cut short with the given disposition.
    """

    async def scenario() -> None:
        asked, reports = order(), Reports()
        async with sipp("answer", tmp_path) as callee, carrier_for(callee.port) as carrier:
            await carrier.place(asked, sound(30), reports)
            await reports.answered()
            await carrier.hang_up(asked.attempt_id, Disposition.INSUFFICIENT_FUNDS)
            ended = await reports.ended()
            await callee.finish()

        assert (Disposition.INSUFFICIENT_FUNDS, 1) == (ended.disposition, ended.talk_s)

    run(scenario())


def test_time_limit_hangs_up(tmp_path: Path) -> None:
    """
    The hold pays for no more than the maximum, so the call ends there.
    """

    async def scenario() -> None:
        async with sipp("answer", tmp_path) as callee:
            reports = await call(callee, order(max_duration_s=1), sound_s=30)
            await callee.finish()

        ended = await reports.ended()
        assert Disposition.TIME_LIMIT == ended.disposition
        assert ended.talk_s in {1, 2}

    run(scenario())


@pytest.mark.parametrize(
    ("scenario_name", "sound_s", "expected"),
    [
        ("early183", 0.2, Disposition.HANG_UP_AGENT),
        ("remote_bye", 30, Disposition.HANG_UP_CALLEE),
        ("reinvite_in", 1.2, Disposition.HANG_UP_AGENT),
        ("rroute", 0.2, Disposition.HANG_UP_AGENT),
        ("rr200only", 0.2, Disposition.HANG_UP_AGENT),
        ("ctupper", 0.2, Disposition.HANG_UP_AGENT),
        ("agent_noctype", 0.2, Disposition.HANG_UP_AGENT),
    ],
)
def test_peculiar_callees_are_served(tmp_path: Path, scenario_name: str, sound_s: float, expected: Disposition) -> None:
    """
    Early media, the callee's BYE, a re-INVITE, Record-Route, an upper-case transport, an untyped description.
    """

    async def scenario() -> None:
        async with sipp(scenario_name, tmp_path) as callee:
            reports = await call(callee, order(), sound_s)
            await callee.finish()

        assert expected == (await reports.ended()).disposition
        assert 1 == len(callee.received("INVITE"))

    run(scenario())


@pytest.mark.parametrize("scenario_name", ["auth407_pai", "auth401"])
def test_challenge_is_answered_once_with_a_true_digest(tmp_path: Path, scenario_name: str) -> None:
    """
    The second INVITE holds the digest which RFC 2617 asks for, and the first one's Call-ID and caller.
    """

    async def scenario() -> None:
        async with sipp(scenario_name, tmp_path) as callee:
            reports = await call(callee, order(), **CREDENTIALS)
            await callee.finish()

        assert Disposition.HANG_UP_AGENT == (await reports.ended()).disposition
        first, second = callee.received("INVITE")
        assert "Authorization:" not in first
        assert _digest(second) == _parameters(second)["response"]
        for header in ("Call-ID", "From", "P-Asserted-Identity"):
            assert re.findall(f"^{header}:.*$", first, re.MULTILINE) == re.findall(
                f"^{header}:.*$", second, re.MULTILINE
            )

    run(scenario())


def test_refused_credentials_are_not_tried_again(tmp_path: Path) -> None:
    """
    A second challenge means wrong credentials: rejected, and no third INVITE.
    """

    async def scenario() -> None:
        async with sipp("auth_bad", tmp_path) as callee:
            with pytest.raises(RejectedError) as raised:
                await call(callee, order(), **CREDENTIALS)
            await callee.finish()

        assert Disposition.CARRIER_ERROR == raised.value.disposition
        assert 407 == raised.value.cause.code
        assert "refused our credentials" in raised.value.cause.words
        assert 2 == len(callee.received("INVITE"))

    run(scenario())


def test_tcp_carries_a_call(tmp_path: Path) -> None:
    """
    One connection, nothing repeated, and the whole dialog on it.
    """

    async def scenario() -> None:
        async with sipp("answer", tmp_path, transport="tcp") as callee:
            reports = Reports()
            async with carrier_for(f"sip:127.0.0.1:{callee.port};transport=tcp") as carrier:
                await carrier.place(order(), sound(0.8), reports)
                ended = await reports.ended()
            await callee.finish()

        assert Disposition.HANG_UP_AGENT == ended.disposition
        assert [1, 1, 1] == [len(callee.received(method)) for method in ("INVITE", "ACK", "BYE")]

    run(scenario())


@pytest.mark.parametrize("scenario_name", ["noanswer", "auth407_pai", "remote_bye", "rroute"])
def test_tcp_carries_other_flows(tmp_path: Path, scenario_name: str) -> None:
    """
    CANCEL, an authenticated retry, requests of the callee and routes stay on the connection.
    """

    async def scenario() -> None:
        async with sipp(scenario_name, tmp_path, transport="tcp") as callee:
            reports = Reports()
            address = f"sip:127.0.0.1:{callee.port};transport=tcp"
            async with carrier_for(address, **CREDENTIALS) as carrier:
                await carrier.place(order(ring_timeout_s=1), sound(1.5), reports)
                await reports.ended()
            await callee.finish()

        assert 1 == sum(isinstance(event, Ended) for event in reports.events)

    run(scenario())


@pytest.mark.timeout(60)
def test_fifty_calls_at_once(tmp_path: Path) -> None:
    """
    Fifty calls of one carrier are placed, answered, spoken to and ended at the same time.
    """

    async def scenario() -> None:
        every = [Reports() for _ in range(50)]
        async with sipp("many", tmp_path, calls=50) as callee, carrier_for(callee.port) as carrier:
            await asyncio.gather(*(carrier.place(order(), sound(1), reports) for reports in every))
            ends = await asyncio.gather(*(reports.ended() for reports in every))
            await callee.finish()

        assert {Disposition.HANG_UP_AGENT} == {ended.disposition for ended in ends}
        assert 50 == len(callee.received("INVITE"))

    run(scenario())


def _parameters(request: str) -> dict[str, str]:
    header = re.search(r"uthorization: Digest (.*)", request)
    assert header is not None
    return {name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^,\s]*))', header[1])}


def _digest(request: str) -> str:
    given = _parameters(request)
    secret = _md5(f"{CREDENTIALS['username']}:{given['realm']}:{CREDENTIALS['password']}")
    target = _md5(f"INVITE:{given['uri']}")
    return _md5(f"{secret}:{given['nonce']}:{given['nc']}:{given['cnonce']}:{given['qop']}:{target}")


def _md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
