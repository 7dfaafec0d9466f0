"""
A worker that slept takes a call again that it had been getting ready: the old attempt gives way to the new one.
"""

import asyncio
from collections.abc import Callable, Iterator

import attrs

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State, Trigger
from outdial.ports.carrier import Announce, Audio, Connect
from outdial.ports.storage import Transaction
from tests.service.calls import stored
from tests.worker.office import CONVERSATION, office, running
from tests.worker.scripted_carrier import talk_for_ever
from tests.worker.virtual_time import in_virtual_time


@attrs.define
class _SlowAtFirst:
    """
    Needs ten seconds for its first agent, and none for the others.
    """

    _delays_s: Iterator[float] = attrs.field(factory=lambda: iter((10.0,)))

    async def prepare(self, _call: Call) -> Connect:
        """
        Get silence ready.
        """
        await asyncio.sleep(next(self._delays_s, 0.0))
        return Announce(audio=Audio(pcm=b""))


def _returned(call: Call) -> Callable[[Transaction], None]:
    """
    Return what a rival does with a call whose worker it takes for lost.
    """

    def work(transaction: Transaction) -> None:
        returned = stored(transaction, call).after(Trigger.RETURN)
        assert returned is not None
        transaction.calls.save(returned, returned.created_at)

    return work


@in_virtual_time
async def test_a_call_that_is_leased_again_is_still_attended() -> None:
    """
    The first attempt ends without a dial; the second is hung up for its client, and nobody takes it for left behind.
    """
    async with office() as bureau:
        carrier = bureau.carrier(talk_for_ever)
        dialler = bureau.dialler(carrier, runtimes={RuntimeKind.ANNOUNCE: _SlowAtFirst()}, has_rivals=True)
        async with running(dialler):
            (call,) = await bureau.accept()
            await bureau.reached(call, State.LEASED)
            await bureau.storage.transact(_returned(call))
            await bureau.reached(call, State.IN_PROGRESS)
            await asyncio.sleep(60)
            assert 1 == dialler.live_calls
            await bureau.hang_up(call)
            over = await bureau.over(call)

        assert Disposition.HANG_UP_AGENT is not over.disposition
        assert [*CONVERSATION[:2], *CONVERSATION] == await bureau.states(call)
        assert 1 == len(carrier.lines)
