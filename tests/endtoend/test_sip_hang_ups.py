"""
`POST /api/v1/calls/{id}/hang-up` reaches SIPp's phone: CANCEL while it rings, BYE while somebody talks.
"""

from pathlib import Path

import attrs
import pytest

from tests.endtoend.service import outdial, serving
from tests.endtoend.sound import recording
from tests.endtoend.test_sip_calls import transactions
from tests.telephony.calls import run
from tests.telephony.sipp import sipp

pytestmark = pytest.mark.sip


@attrs.frozen(kw_only=True)
class Case:
    """
    When the client hangs up, what the phone must hear of it, and what comes of the call.
    """

    name: str
    scenario: str
    hung_up_in: str
    heard: str
    status: str
    charge: float


CASES = (
    Case(name="ringing", scenario="noanswer", hung_up_in="ringing", heard="CANCEL", status="failed", charge=0.0),
    Case(name="talking", scenario="answer", hung_up_in="in-progress", heard="BYE", status="completed", charge=0.05),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_phone_hears_of_the_hang_up(case: Case, tmp_path: Path) -> None:
    """
    One request ends the call on the wire; a second one changes nothing; only talk is paid.
    """

    async def scenario() -> None:
        async with sipp(case.scenario, tmp_path) as callee:
            trunk = f"sip:127.0.0.1:{callee.port};transport=udp"
            sound = recording(tmp_path, 20)
            async with serving(tmp_path, carrier="sip", sip_trunk=trunk, speech_file=sound) as running:
                call_id = (await running.post(await running.agent()))["call_id"]
                await running.reached(call_id, case.hung_up_in)
                asked = await running.hang_up(call_id)
                over = await running.ended(call_id)
                again = await running.hang_up(call_id)
                wallet = await running.wallet()
            await callee.finish()

        heard = [method for method in ("CANCEL", "BYE") for _request in transactions(callee, method)]
        assert (case.hung_up_in, [case.heard]) == (asked["status"], heard)
        assert (case.status, "canceled", case.charge) == (
            over["status"],
            over["ended_reason"],
            over["billing"]["total_charge"],
        )
        assert over == again
        assert (25.0 - case.charge, 0.0) == (wallet["available"], wallet["held"])

    run(scenario())


def test_a_talk_over_sip_may_end_by_itself_when_the_service_ends(tmp_path: Path) -> None:
    """
    The greeting is spoken to its end after SIGTERM, the phone hears one BYE, and the service ends in order with it.
    """

    async def scenario() -> None:
        async with sipp("answer", tmp_path) as callee:
            trunk = f"sip:127.0.0.1:{callee.port};transport=udp"
            sound = recording(tmp_path, 2)
            settings = {"carrier": "sip", "sip_trunk": trunk, "speech_file": sound, "drain_s": "60"}
            async with serving(tmp_path, **settings) as running:
                call_id = (await running.post(await running.agent()))["call_id"]
                await running.reached(call_id, "in-progress")
            await callee.finish()
        over = await outdial(tmp_path, running.variables, "calls", "show", call_id)

        assert 1 == len(transactions(callee, "BYE"))
        assert ("completed", "hang_up_agent", 0.05) == (
            over["status"],
            over["ended_reason"],
            over["billing"]["total_charge"],
        )

    run(scenario())
