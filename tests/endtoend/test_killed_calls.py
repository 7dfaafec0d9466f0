"""
`kill -9` while somebody talks: the next process hangs up what the killed one left.
"""

import asyncio
import re
from pathlib import Path

import pytest

from tests.endtoend.service import PROGRAM, outdial, unmeasured
from tests.endtoend.sound import recording
from tests.telephony.calls import run
from tests.telephony.ports import free_port
from tests.telephony.sipp import Sipp, sipp

pytestmark = pytest.mark.sip

BYE_WITHIN_S = 10.0


def _header(request: str, name: str) -> str:
    found = re.search(rf"^{name}: *(.*?)\r?$", request, re.MULTILINE | re.IGNORECASE)
    assert found is not None, request
    return found[1]


async def _serve(variables: dict[str, str], folder: Path) -> asyncio.subprocess.Process:
    with (folder / "serve.log").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            *(PROGRAM, "serve"), env=unmeasured(variables), stdout=asyncio.subprocess.DEVNULL, stderr=log
        )


async def _heard(callee: Sipp, method: str) -> str:
    async with asyncio.timeout(20):
        while not (requests := callee.received(method)):
            await asyncio.sleep(0.05)
    return requests[0]


@pytest.mark.parametrize(("scenario", "transport"), [("rroute", "udp")])
def test_the_callee_of_a_killed_process_is_hung_up(scenario: str, transport: str, tmp_path: Path) -> None:
    """
    Within 10 s of its start the next process sends the dialog's BYE: same Call-ID, tags and route, the next number.
    """

    async def steps() -> None:
        async with sipp(scenario, tmp_path, transport=transport) as callee:
            variables = {
                "OUTDIAL_DATABASE": f"sqlite:///{tmp_path / 'outdial.db'}",
                "OUTDIAL_PORT": str(free_port()),
                "OUTDIAL_SIP_BIND": f"127.0.0.1:{free_port()}",
                "OUTDIAL_CARRIER": "sip",
                "OUTDIAL_SIP_TRUNK": f"sip:127.0.0.1:{callee.port};transport={transport}",
                "OUTDIAL_SPEECH_FILE": recording(tmp_path, 20),
            }
            clinic = await outdial(tmp_path, variables, "account", "create", "Clinic", "--balance", "25")
            agent = await outdial(
                tmp_path,
                variables,
                *("agent", "create", "--account", str(clinic["account_id"]), "--name", "A", "--greeting", "Hello."),
                *("--phone-number", "+15550001111"),
            )
            killed = await _serve(variables, tmp_path)
            await outdial(tmp_path, variables, "call", "--to", "+15557654321", "--agent", str(agent["id"]))
            await _heard(callee, "ACK")
            killed.kill()
            await killed.wait()
            next_one = await _serve(variables, tmp_path)
            async with asyncio.timeout(BYE_WITHIN_S):
                bye = await _heard(callee, "BYE")
            await callee.finish()
            next_one.terminate()
            async with asyncio.timeout(30):
                assert await next_one.wait() == 0

        ack = callee.received("ACK")[0]
        for name in ("Call-ID", "From", "To"):
            assert _header(ack, name) == _header(bye, name)
        assert int(_header(ack, "CSeq").split()[0]) + 1 == int(_header(bye, "CSeq").split()[0])

    run(steps())
