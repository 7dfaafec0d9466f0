"""
What another process left behind is hung up: calls that talk, and phones that are answered when it has gone.
"""

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import pytest

from outdial.adapters.sip.carrier import SipCarrier
from outdial.adapters.sip.lost_calls import LostCalls, LostDialog
from outdial.domain.model.call_event import Ended
from outdial.domain.model.disposition import Disposition
from outdial.ports.carrier import DialOrder, SipUri
from tests.lost_calls.dialogs import dialog
from tests.telephony.calls import Reports, carrier_for, order, run, sound
from tests.telephony.ports import free_port
from tests.telephony.scripted_callee import Request, ScriptedCallee, describe, scripted_callee

pytestmark = pytest.mark.sip

CREDENTIALS: Final = {"username": "trunkuser", "password": "trunkpass"}
PAUSE_S: Final = 0.02
"""A trunk gets 50 BYEs a second at most."""

QUIET_S: Final = 0.5
"""In which a BYE comes if one is sent at all."""


@asynccontextmanager
async def _second(callee: ScriptedCallee, first: Path, **settings: Any) -> AsyncIterator[SipCarrier]:
    """
    Start another carrier over what the first one would leave if it were killed now.
    """
    folder = first.with_name("second")
    if first.exists():
        shutil.copytree(first, folder)
    async with carrier_for(callee.port, dialogs_folder=folder, **settings) as carrier:
        yield carrier


async def _answered(carrier: SipCarrier, callee: ScriptedCallee, asked: DialOrder) -> Request:
    reports = Reports()
    placing = asyncio.create_task(carrier.place(asked, sound(20), reports))
    invite = await callee.answer()
    await placing
    await reports.answered()
    return invite


async def _left_ringing(callee: ScriptedCallee, port: int, asked: DialOrder) -> Request:
    """
    Have a phone ring for a process that has gone, and return its INVITE.
    """
    async with carrier_for(callee.port, bind_port=port) as first:
        placing = asyncio.create_task(first.place(asked, sound(20), Reports()))
        invite = await callee.receive("INVITE")
        callee.respond(invite, "180 Ringing")
        await placing
        stopping = asyncio.create_task(first.stop())
        callee.respond(await callee.receive("CANCEL"), "200 OK")
        callee.respond(invite, "487 Request Terminated")
        await callee.receive("ACK")
        await stopping
    callee.seen.clear()
    return invite


async def _found(carrier: SipCarrier, asked: DialOrder) -> Ended:
    async with asyncio.timeout(10):
        while (ended := await carrier.find(asked.attempt_id)) is None:
            await asyncio.sleep(0.01)
    return ended


def test_a_call_of_a_killed_process_is_hung_up_and_known_to_be_over(tmp_path: Path) -> None:
    """
    The answer to the BYE is evidence; there is none before.
    """

    async def scenario() -> None:
        asked = order()
        async with scripted_callee() as callee, carrier_for(callee.port, dialogs_folder=tmp_path / "first") as first:
            invite = await _answered(first, callee, asked)
            async with _second(callee, tmp_path / "first") as second:
                bye = await callee.receive("BYE")
                before = await second.find(asked.attempt_id)
                callee.respond(bye, "200 OK")
                ended = await _found(second, asked)
            callee.confirms_byes = True

        assert before is None
        assert (Disposition.DISCONNECTED, 1) == (ended.disposition, ended.talk_s)
        for name in ("Call-ID", "From"):
            assert invite.header(name) == bye.header(name)
        assert "tag=scripted" in bye.header("To")

    run(scenario())


def test_a_dialog_that_the_far_end_does_not_know_is_over(tmp_path: Path) -> None:
    """
    A 481 proves as much as a 200: somebody has hung up.
    """

    async def scenario() -> None:
        asked = order()
        async with scripted_callee() as callee, carrier_for(callee.port, dialogs_folder=tmp_path / "first") as first:
            await _answered(first, callee, asked)
            async with _second(callee, tmp_path / "first") as second:
                callee.respond(await callee.receive("BYE"), "481 Call/Transaction Does Not Exist")
                ended = await _found(second, asked)
            callee.confirms_byes = True

        assert Disposition.DISCONNECTED is ended.disposition

    run(scenario())


def test_other_answers_to_the_bye_prove_nothing(tmp_path: Path) -> None:
    """
    The call stays unknown, and its file is left for another try.
    """

    async def scenario() -> None:
        asked = order()
        async with scripted_callee() as callee, carrier_for(callee.port, dialogs_folder=tmp_path / "first") as first:
            await _answered(first, callee, asked)
            async with _second(callee, tmp_path / "first") as second:
                callee.respond(await callee.receive("BYE"), "500 Server Internal Error")
                await asyncio.sleep(QUIET_S)
                found = await second.find(asked.attempt_id)
            callee.confirms_byes = True

        assert found is None
        assert [".json"] == [path.suffix for path in (tmp_path / "second").iterdir()]

    run(scenario())


def test_without_its_folder_nobody_is_hung_up(tmp_path: Path) -> None:
    """
    The file is what does it.
    """

    async def scenario() -> None:
        asked = order()
        async with scripted_callee() as callee, carrier_for(callee.port, dialogs_folder=tmp_path / "first") as first:
            await _answered(first, callee, asked)
            async with _second(callee, tmp_path / "none") as second:
                await asyncio.sleep(QUIET_S)
                found = await second.find(asked.attempt_id)
            byes = callee.count("BYE")
            callee.confirms_byes = True

        assert (None, 0) == (found, byes)

    run(scenario())


def test_a_challenge_to_the_bye_is_answered(tmp_path: Path) -> None:
    """
    A trunk that wants credentials for everything hangs up, too.
    """

    async def scenario() -> None:
        asked = order()
        settings = {"dialogs_folder": tmp_path / "first", **CREDENTIALS}
        async with scripted_callee() as callee, carrier_for(callee.port, **settings) as first:
            await _answered(first, callee, asked)
            async with _second(callee, tmp_path / "first", **CREDENTIALS) as second:
                bye = await callee.receive("BYE")
                callee.challenge(bye)
                again = await callee.receive("BYE")
                callee.respond(again, "200 OK")
                await _found(second, asked)
            callee.confirms_byes = True

        assert 'username="trunkuser"' in again.header("Proxy-Authorization")
        assert int(bye.header("CSeq").split()[0]) + 1 == int(again.header("CSeq").split()[0])

    run(scenario())


def test_callee_and_agent_of_a_bridge_are_hung_up(tmp_path: Path) -> None:
    """
    Each has a dialog of its own; the agent learns nothing of the trunk's credentials.
    """

    async def scenario() -> None:
        asked, reports = order(), Reports()
        async with scripted_callee() as callee, scripted_callee() as agent:
            settings = {"dialogs_folder": tmp_path / "first", **CREDENTIALS}
            async with carrier_for(callee.port, **settings) as first:
                uri = SipUri(uri=f"sip:agent@127.0.0.1:{agent.port}")
                placing = asyncio.create_task(first.place(asked, uri, reports))
                await callee.answer()
                await placing
                await agent.answer()
                joined = await callee.receive("INVITE")
                callee.respond(joined, "200 OK", describe(free_port()))
                await callee.receive("ACK")
                async with _second(callee, tmp_path / "first", **CREDENTIALS) as second:
                    to_callee, to_agent = await callee.receive("BYE"), await agent.receive("BYE")
                    agent.challenge(to_agent)
                    callee.respond(to_callee, "200 OK")
                    ended = await _found(second, asked)
                    await asyncio.sleep(QUIET_S)
                byes_to_agent = agent.count("BYE")
                callee.confirms_byes = agent.confirms_byes = True

        assert Disposition.DISCONNECTED is ended.disposition
        assert joined.header("Call-ID") == to_callee.header("Call-ID") != to_agent.header("Call-ID")
        assert int(joined.header("CSeq").split()[0]) + 1 == int(to_callee.header("CSeq").split()[0])
        assert 1 == byes_to_agent

    run(scenario())


def test_many_lost_calls_are_hung_up_one_after_the_other(tmp_path: Path) -> None:
    """
    A trunk is not run over, and one that does not answer holds up no other.
    """
    count = 40

    async def scenario() -> None:
        async with scripted_callee() as callee:
            async with carrier_for(callee.port, dialogs_folder=tmp_path / "first") as first:
                await _answered(first, callee, order())
                (file,) = (tmp_path / "first").iterdir()
                text = file.read_text()
                callee.confirms_byes = True
            call_id = bytes.fromhex(file.stem).decode()
            (tmp_path / "first").mkdir(exist_ok=True)
            for number in range(count):
                name = f"lost-{number}@127.0.0.1"
                (tmp_path / "first" / f"{name.encode().hex()}.json").write_text(text.replace(call_id, name))
            sent = callee.count("BYE")
            async with _second(callee, tmp_path / "first") as second:
                for number in range(count):
                    await _found(second, order(attempt_id=f"lost-{number}"))
            byes = [request.at_s for request in callee.seen if request.method == "BYE"][sent:]

        assert count == len(byes)
        assert byes[-1] - byes[0] >= (count - 1) * PAUSE_S * 0.9

    run(scenario())


def test_a_phone_that_is_answered_after_its_process_has_gone_is_hung_up(tmp_path: Path) -> None:
    """
    The next process knows nothing of the INVITE: it acknowledges the answer, each time it comes, and sends one BYE.
    """

    async def scenario() -> None:
        asked, port = order(), free_port()
        async with scripted_callee() as callee:
            invite = await _left_ringing(callee, port, asked)
            async with carrier_for(callee.port, bind_port=port, dialogs_folder=tmp_path) as second:
                answer = callee.respond(invite, "200 OK", describe(free_port()))
                ack, bye = await callee.receive("ACK"), await callee.receive("BYE")
                callee.send_raw(answer, invite.source)
                again = await callee.receive("ACK")
                before = await second.find(asked.attempt_id)
                callee.respond(bye, "200 OK")
                ended = await _found(second, asked)
                await asyncio.sleep(QUIET_S)

        assert ack.text == again.text
        assert 1 == callee.count("BYE")
        assert f"sip:scripted@127.0.0.1:{callee.port}" in ack.text.splitlines()[0]
        for name in ("Call-ID", "From"):
            assert invite.header(name) == ack.header(name) == bye.header(name)
        number = int(invite.header("CSeq").split()[0])
        assert (f"{number} ACK", f"{number + 1} BYE") == (ack.header("CSeq"), bye.header("CSeq"))
        assert (None, Disposition.DISCONNECTED, 0) == (before, ended.disposition, ended.talk_s)

    run(scenario())


def test_a_stray_answer_follows_its_route(tmp_path: Path) -> None:
    """
    ACK and BYE go through the proxies that asked for it, in order.
    """

    async def scenario() -> None:
        port = free_port()
        async with scripted_callee() as callee, scripted_callee() as proxy:
            invite = await _left_ringing(callee, port, order())
            async with carrier_for(callee.port, bind_port=port, dialogs_folder=tmp_path):
                routes = f"Record-Route: <sip:127.0.0.1:9;lr>, <sip:127.0.0.1:{proxy.port};lr>"
                callee.respond(invite, "200 OK", describe(free_port()), routes)
                ack, bye = await proxy.receive("ACK"), await proxy.receive("BYE")
                proxy.respond(bye, "200 OK")

        for request in (ack, bye):
            assert f"<sip:127.0.0.1:{proxy.port};lr>" == request.header("Route").split(",")[0]

    run(scenario())


def test_a_second_phone_that_answers_is_hung_up_and_the_first_talks_on(tmp_path: Path) -> None:
    """
    A proxy that forks the call sends both answers (RFC 3261, 13.2.2.4).
    """

    async def scenario() -> None:
        asked = order()
        async with scripted_callee() as callee, carrier_for(callee.port, dialogs_folder=tmp_path) as carrier:
            invite = await _answered(carrier, callee, asked)
            text = callee.respond(invite, "200 OK", describe(free_port())).decode()
            again = await callee.receive("ACK")
            callee.send_raw(text.replace("tag=scripted", "tag=second").encode(), invite.source)
            ack, bye = await callee.receive("ACK"), await callee.receive("BYE")
            callee.respond(bye, "200 OK")
            await asyncio.sleep(QUIET_S)
            found, byes = await carrier.find(asked.attempt_id), callee.count("BYE")
            callee.confirms_byes = True

        assert "tag=scripted" in again.header("To")
        assert ("tag=second" in ack.header("To"), "tag=second" in bye.header("To")) == (True, True)
        assert (None, 1) == (found, byes)

    run(scenario())


def test_answers_to_others_are_left_alone(tmp_path: Path) -> None:
    """
    Neither another's address nor another's Call-ID makes us send anything.
    """

    async def scenario() -> None:
        port = free_port()
        async with scripted_callee() as callee:
            invite = await _left_ringing(callee, port, order())
            async with carrier_for(callee.port, bind_port=port, dialogs_folder=tmp_path):
                text = callee.respond(invite, "183 Session Progress").decode().replace("183 Session Progress", "200 OK")
                via, call_id = invite.header("Via"), invite.header("Call-ID")
                for strange in (
                    text.replace(via, via.replace(f":{port}", f":{port + 1}")),
                    text.replace(call_id, "call@another.example"),
                    text.replace(f"Contact: <sip:scripted@127.0.0.1:{callee.port}>\r\n", ""),
                    text.replace("CSeq: ", "CSeq: x"),
                ):
                    assert strange != text
                    callee.send_raw(strange.encode(), invite.source)
                await asyncio.sleep(QUIET_S)

        assert (0, 0) == (callee.count("ACK"), callee.count("BYE"))

    run(scenario())


def test_a_file_that_makes_no_sense_ends_no_other(tmp_path: Path) -> None:
    """
    Whatever stands in a dialog's fields, the others get their BYE.
    """

    async def scenario() -> None:
        asked = order()
        async with scripted_callee() as callee, carrier_for(callee.port, dialogs_folder=tmp_path / "first") as first:
            await _answered(first, callee, asked)
            senseless: tuple[dict[str, Any], ...] = (
                {"target": "?"},
                {"caller": ""},
                {"routes": ["<"]},
                {"transport": "?"},
            )
            for number, changes in enumerate(senseless):
                call_id = f"senseless-{number}@127.0.0.1"
                made = dialog(call_id, peer=("127.0.0.1", callee.port), **changes)
                _write(tmp_path / "first", made)
            callee.confirms_byes = True
            async with _second(callee, tmp_path / "first") as second:
                await _found(second, asked)

    run(scenario())


def _write(folder: Path, made: LostDialog) -> None:
    calls = LostCalls(folder)
    calls.keep(made)
    calls.close()
