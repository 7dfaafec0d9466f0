"""
An agent with a SIP address of its own and the callee get each other's media; either one's hang-up ends the other.
"""

import re
from pathlib import Path

import pytest

from tests.endtoend.service import serving
from tests.telephony.calls import run
from tests.telephony.sipp import Sipp, sipp

pytestmark = pytest.mark.sip


def media_port(request: str) -> int:
    """
    Return the port for sound in a request's session description.
    """
    return int(re.findall(r"m=audio (\d+)", request)[0])


@pytest.mark.parametrize(
    ("callee_does", "agent_does", "ended_reason"),
    [
        pytest.param("callee_reinv", "agent_ok", "time_limit", id="nobody hangs up"),
        pytest.param("callee_reinv", "remote_bye", "hang_up_agent", id="agent hangs up"),
        pytest.param("callee_reinv_bye", "agent_ok", "hang_up_callee", id="callee hangs up"),
    ],
)
def test_callee_and_agent_are_joined(callee_does: str, agent_does: str, ended_reason: str, tmp_path: Path) -> None:
    """
    The agent is offered the callee's media, the callee gets the agent's, and both legs end together.
    """

    async def scenario() -> None:
        async with sipp(callee_does, tmp_path) as callee, sipp(agent_does, tmp_path) as agent:
            settings = {"sip_trunk": f"sip:127.0.0.1:{callee.port}", "max_call_duration_s": "3"}
            async with serving(tmp_path, carrier="sip", **settings) as running:
                address = f"sip:scheduler@127.0.0.1:{agent.port}"
                row = await running.agent(runtime="sip_uri", **{"sip-uri": address})
                accepted = await running.post(row)
                call = await running.ended(accepted["call_id"])
            await callee.finish()
            await agent.finish()

        assert ("completed", ended_reason) == (call["status"], call["ended_reason"])
        assert_joined(callee, agent, accepted["call_id"])

    run(scenario())


def assert_joined(callee: Sipp, agent: Sipp, call_id: str) -> None:
    """
    Check who was told of whose media, and that the agent knows which call it joins.
    """
    invited, *_, joined = callee.received("INVITE")
    offered = agent.received("INVITE")[0]
    assert "a=inactive" in invited
    assert agent.media_port == media_port(joined)
    assert callee.media_port == media_port(offered)
    assert f"X-Outdial-Call: {call_id}" in offered


def test_busy_agent_ends_the_callees_call(tmp_path: Path) -> None:
    """
    When the agent's platform refuses, the callee is hung up and the call says why.
    """

    async def scenario() -> None:
        keys = {"status": "486", "reason": "SIP;cause=0"}
        async with sipp("answer", tmp_path) as callee, sipp("refuse", tmp_path, keys=keys) as agent:
            async with serving(tmp_path, carrier="sip", sip_trunk=f"sip:127.0.0.1:{callee.port}") as running:
                address = f"sip:scheduler@127.0.0.1:{agent.port}"
                accepted = await running.post(await running.agent(runtime="sip_uri", **{"sip-uri": address}))
                call = await running.ended(accepted["call_id"])
            await callee.finish()
            await agent.finish()

        assert ("failed", "carrier_error") == (call["status"], call["ended_reason"])
        assert "486" in call["hang_up_cause"]

    run(scenario())
