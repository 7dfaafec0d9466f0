"""
A real phone hears the greeting as it was rendered, with the variables of the request.
"""

import asyncio
import random
from pathlib import Path
from typing import Final

import pytest

from tests.endtoend.service import CALLEE, Service, serving
from tests.heard.callee import Callee, callee
from tests.heard.greetings import TEMPLATE, TIMES, nameless, sentence, sentences, some_pairs
from tests.heard.transcriber import transcribe
from tests.telephony.calls import run

pytestmark = [pytest.mark.sip, pytest.mark.heard]

PAIRS: Final = 3
HEARD_S: Final = 10.0


async def hear(running: Service, phone: Callee, agent_id: int, variables: dict[str, str]) -> str | None:
    """
    Place a call and return what the phone that answers it understands.
    """
    before = len(phone.recordings())
    accepted = await running.post(agent_id, variables=variables)
    call = await running.ended(accepted["call_id"])
    assert ("completed", "hang_up_agent") == (call["status"], call["ended_reason"])
    async with asyncio.timeout(HEARD_S):
        while len(phone.recordings()) == before:
            await asyncio.sleep(0.05)
    possible = [*sentences(), *map(nameless, TIMES)]
    return await asyncio.to_thread(transcribe, phone.recordings()[-1], possible)


def test_callee_hears_the_variables_of_its_call(tmp_path: Path) -> None:
    """
    Names and times chosen at random are understood word for word; without the name, none is.
    """
    seed = random.SystemRandom().randrange(2**32)
    print("seed", seed)  # noqa: T201 - pytest shows it when the test fails
    pairs = some_pairs(seed, PAIRS)

    async def scenario(phone: Callee) -> None:
        async with serving(tmp_path, carrier="sip", sip_trunk=f"sip:127.0.0.1:{phone.port}") as running:
            agent_id = await running.agent(greeting=TEMPLATE)
            for name, time in pairs:
                assert sentence(name, time) == await hear(running, phone, agent_id, {"name": name, "time": time})

            anonymous = await running.agent(greeting=TEMPLATE.replace("{{name}}", "{{name|}}"))
            _name, time = pairs[0]
            assert nameless(time) == await hear(running, phone, anonymous, {"time": time})

    with callee(CALLEE) as phone:
        run(scenario(phone), timeout_s=100)
