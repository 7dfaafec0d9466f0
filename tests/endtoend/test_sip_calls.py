"""
`POST /api/v1/calls` over a real socket makes SIPp's phone ring, and every way to end is told, billed and settled.
"""

import asyncio
import re
from collections import Counter
from pathlib import Path
from typing import Any

import attrs
import pytest

from tests.endtoend.service import Service, serving
from tests.endtoend.sound import recording
from tests.telephony.calls import run
from tests.telephony.sipp import Sipp, sipp

pytestmark = pytest.mark.sip

PASSWORD = "trunkpass"


@attrs.frozen(kw_only=True)
class Case:
    """
    What a callee does, and what has to come of it.
    """

    name: str
    scenario: str
    status: str
    ended_reason: str
    cause: str | None = None
    keys: dict[str, str] = attrs.field(factory=dict)
    sound_s: float = 0.3
    settings: dict[str, str] = attrs.field(factory=dict)

    @property
    def is_billed(self) -> bool:
        """
        Whether somebody answered.
        """
        return self.status == "completed"


def refusal(status: int, ended_reason: str, scenario: str = "ring_refuse", **settings: str) -> Case:
    """
    Describe a callee that answers with a final status.
    """
    keys = {"status": str(status), "reason": "SIP;cause=0"}
    return Case(
        name=str(status),
        scenario=scenario,
        status="failed",
        ended_reason=ended_reason,
        cause=f"{status} Refused",
        keys=keys,
        settings=settings,
    )


CASES = [
    Case(name="agent hangs up", scenario="answer", status="completed", ended_reason="hang_up_agent"),
    Case(name="callee hangs up", scenario="remote_bye", status="completed", ended_reason="hang_up_callee", sound_s=5),
    Case(
        name="time is up",
        scenario="answer",
        status="completed",
        ended_reason="time_limit",
        sound_s=5,
        settings={"max_call_duration_s": "1"},
    ),
    Case(
        name="no answer",
        scenario="noanswer",
        status="failed",
        ended_reason="no_answer",
        cause="487 Request Terminated",
        settings={"ring_timeout_s": "1"},
    ),
    Case(
        name="digest",
        scenario="auth407_pai",
        status="completed",
        ended_reason="hang_up_agent",
        settings={"sip_username": "trunkuser", "sip_password": PASSWORD, "log_level": "debug"},
    ),
    refusal(486, "busy"),
    refusal(480, "no_answer"),
    refusal(603, "rejected"),
    refusal(404, "invalid_number", "refuse"),
    refusal(503, "carrier_error", "refuse", dial_attempts="1"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_call_ends_as_the_callee_ends_it(case: Case, tmp_path: Path) -> None:
    """
    The phone rings once with the agent's number; status, reason, billing and balance follow from what it does.
    """

    async def scenario() -> None:
        async with sipp(case.scenario, tmp_path, keys=case.keys) as callee:
            async with service(tmp_path, callee.port, case) as running:
                accepted = await running.post(await running.agent())
                call = await running.ended(accepted["call_id"])
                wallet = await running.wallet()
            await callee.finish()

        invites = transactions(callee, "INVITE")
        assert all("sip:+15550001111@" in invite for invite in invites)
        assert (2 if case.name == "digest" else 1) == len(invites)
        assert (case.status, case.ended_reason) == (call["status"], call["ended_reason"])
        assert case.cause == call["hang_up_cause"]
        assert_no_credentials(running.log.read_text())
        assert_settled(call, wallet, case)

    run(scenario())


def assert_no_credentials(written: str) -> None:
    """
    Check that a log, which was written, holds neither the trunk's password nor a digest made of it.
    """
    assert "debug" in written or "info" in written
    assert PASSWORD not in written
    assert "response=" not in written


def assert_settled(call: dict[str, Any], wallet: dict[str, Any], case: Case) -> None:
    """
    Check that talk was paid for by the minute, and nothing else.
    """
    billing = call["billing"]
    charge = 0.05 if case.is_billed else 0.0
    assert ("billed" if case.is_billed else "released", charge) == (billing["status"], billing["total_charge"])
    assert (25.0 - charge, 25.0 - charge, 0.0) == (wallet["balance"], wallet["available"], wallet["held"])
    assert case.is_billed == (call["started_at"] is not None) == (call["duration_seconds"] > 0)


def transactions(callee: Sipp, method: str) -> list[str]:
    """
    Return the requests of a method without their repetitions, which UDP needs when a machine is busy.
    """
    return list({re.findall(r"branch=([^;\s]+)", request)[0]: request for request in callee.received(method)}.values())


def service(folder: Path, trunk_port: int, case: Case) -> Any:
    """
    Run outdial with SIPp as its trunk.
    """
    return serving(
        folder,
        carrier="sip",
        sip_trunk=f"sip:127.0.0.1:{trunk_port};transport=udp",
        speech_file=recording(folder, case.sound_s),
        **case.settings,
    )


def test_fifty_calls_at_once_are_all_settled(tmp_path: Path) -> None:
    """
    Fifty phones ring side by side; each call is paid once and the money adds up.
    """
    case = Case(
        name="many",
        scenario="many",
        status="completed",
        ended_reason="hang_up_agent",
        sound_s=2,
        settings={"max_call_duration_s": "60"},
    )

    async def scenario() -> None:
        async with sipp("many", tmp_path, calls=50) as callee:
            async with service(tmp_path, callee.port, case) as running:
                calls = await dial_fifty(running)
                wallet = await running.wallet()
            await callee.finish()

        assert {("completed", "hang_up_agent"): 50} == Counter((call["status"], call["ended_reason"]) for call in calls)
        assert 50 == len(transactions(callee, "INVITE"))
        assert (22.5, 22.5, 0.0) == (wallet["balance"], wallet["available"], wallet["held"])

    run(scenario(), timeout_s=100)


async def dial_fifty(running: Service) -> list[dict[str, Any]]:
    """
    Ask for fifty calls at the same moment and see each to its end; they talk side by side.
    """
    agent_id = await running.agent()
    accepted = await asyncio.gather(*(running.post(agent_id) for _ in range(50)))
    return await asyncio.gather(*(running.ended(call["call_id"]) for call in accepted))
