"""
A client hangs up at any moment of a call that goes as slowly as it likes.
"""

import asyncio
from typing import Final

from hypothesis import event, given, settings
from hypothesis import strategies as st

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind
from outdial.ports.carrier import Announce, Audio, Connect
from tests.worker.office import office, running
from tests.worker.scripted_carrier import Line, ScriptedCarrier, conversation
from tests.worker.virtual_time import elapsed_s, run_in_virtual_time

POLL_S: Final = 0.5


class _SlowVoice:
    """
    A runtime that takes its time.
    """

    def __init__(self, takes_s: float) -> None:
        self._takes_s = takes_s

    async def prepare(self, _call: Call) -> Connect:
        """
        Get ready in the end.
        """
        await asyncio.sleep(self._takes_s)
        return Announce(audio=Audio(pcm=b""))


delays = st.sampled_from((0.0, 0.1, 1.0, 4.0))


@settings(max_examples=60)
@given(
    at_s=st.floats(0, 12) | st.floats(80, 110),
    preparing_s=delays,
    passing_s=delays,
    placing_s=delays,
    hanging_up_s=delays,
    tells=st.booleans(),
)
def test_whenever_a_client_hangs_up_the_call_ends_once(
    at_s: float, preparing_s: float, passing_s: float, placing_s: float, hanging_up_s: float, *, tells: bool
) -> None:
    """
    Canceled before the point of no return: no order. After it: one order at most, and an end soon after the wish.
    """

    async def place(line: Line) -> None:
        await asyncio.sleep(placing_s)
        await conversation(line)

    async def hang_up(line: Line, disposition: Disposition) -> None:
        line.later(hanging_up_s, lambda: None if line.is_over else line.end(disposition))

    async def scenario() -> None:
        async with office() as bureau:
            bureau.storage.hears_late_s = lambda _number: passing_s
            (accepted,) = await bureau.accept()
            carrier = ScriptedCarrier(bureau.clock, place, on_hang_up=hang_up)
            voices = {RuntimeKind.ANNOUNCE: _SlowVoice(preparing_s)}

            async with running(bureau.dialler(carrier, runtimes=voices, poll_s=POLL_S)) as dialler:
                await asyncio.sleep(at_s)
                asked = await bureau.hang_up(accepted)
                wished_s = elapsed_s()
                if tells:
                    dialler.hang_up(asked.id)
                call = await bureau.over(accepted)
                took_s = elapsed_s() - wished_s

            event(asked.state)
            states = await bureau.states(call)
            assert len(carrier.lines) == states.count(State.SENDING) or asked.state is State.SENDING
            assert (call.state is State.CANCELED) is (State.SENDING not in states)
            assert call.state is not State.CANCELED or {} == carrier.lines
            assert call.disposition in {Disposition.CANCELED, Disposition.HANG_UP_CALLEE}
            assert took_s <= 4 * passing_s + placing_s + hanging_up_s + 2 * POLL_S + 1
            entries = await bureau.money(call)
            assert sum(entries.values()) == 2 * entries[EntryKind.HOLD]

    run_in_virtual_time(scenario())
