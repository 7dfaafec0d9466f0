"""
The loop: which calls are dialled, when, and how many at once.
"""

import asyncio
from collections.abc import MutableMapping
from functools import partial
from typing import Any, Final

import pytest

from outdial.adapters.simulator.carrier import SimulatorCarrier
from outdial.domain.model.call import Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.ports.errors import StorageError
from tests.worker.office import office, running
from tests.worker.scripted_carrier import Line, conversation
from tests.worker.virtual_time import elapsed_s, in_virtual_time

MANY: Final = 1000


async def _brief(line: Line) -> None:
    line.later(1, partial(line.end, Disposition.BUSY))


@in_virtual_time
async def test_a_long_queue_is_worked_off_in_order() -> None:
    """
    A long queue is dialled oldest first, each call once, never more at a time than allowed.
    """
    async with office() as bureau:
        calls = await bureau.accept(MANY)
        carrier = bureau.carrier(_brief)

        async with running(bureau.dialler(carrier, live_calls_max=50)):
            await bureau.over(calls[-1])
            over = [await bureau.over(call) for call in calls]

        assert [call.attempt_id for call in over] == list(carrier.lines)
        assert 50 == carrier.live_max
        assert {Disposition.BUSY} == {call.disposition for call in over}


@pytest.mark.parametrize("live_calls_max", [1, 3])
@in_virtual_time
async def test_no_more_calls_live_than_allowed(live_calls_max: int) -> None:
    """
    Further calls stay queued until one is over; then the next is dialled at once.
    """
    async with office() as bureau:
        calls = await bureau.accept(7)
        carrier = bureau.carrier()
        dialler = bureau.dialler(carrier, live_calls_max=live_calls_max, poll_s=1000)

        async with running(dialler):
            await bureau.reached(calls[0], State.IN_PROGRESS)
            queued = [call for call in calls if (await bureau.call(call)).status is Status.QUEUED]
            live = dialler.live_calls
            for call in calls:
                await bureau.over(call)

        assert calls[live_calls_max:] == queued
        assert live_calls_max == live == carrier.live_max
        assert elapsed_s() < 93 * -(-7 // live_calls_max) + 10


@in_virtual_time
async def test_waking_is_prompt() -> None:
    """
    A call that was just accepted is dialled at once, however rarely the queue is looked at.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        dialler = bureau.dialler(carrier, poll_s=1000)

        async with running(dialler):
            await asyncio.sleep(100)
            await bureau.accept()
            dialler.wake()
            await asyncio.sleep(0.01)

            assert 1 == len(carrier.lines)


@in_virtual_time
async def test_calls_of_other_processes_are_found() -> None:
    """
    The queue is looked at without being woken, too.
    """
    async with office() as bureau:
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier, poll_s=2)):
            await asyncio.sleep(100)
            await bureau.accept()
            await asyncio.sleep(2.01)

            assert 1 == len(carrier.lines)


@in_virtual_time
async def test_an_idle_dialler_writes_nothing() -> None:
    """
    Looking at an empty queue is a read.
    """
    async with office() as bureau, running(bureau.dialler(bureau.carrier())):
        before = bureau.storage.transactions
        await asyncio.sleep(100)

        assert before == bureau.storage.transactions


@in_virtual_time
async def test_one_calls_misfortune_stays_with_it() -> None:
    """
    Calls that fail in any way neither stop the loop nor touch the others.
    """

    async def every_second_breaks(line: Line) -> None:
        if int(line.order.attempt_id.split("_")[1]) % 2:
            raise ZeroDivisionError
        await conversation(line)

    async with office() as bureau:
        calls = await bureau.accept(6)

        async with running(bureau.dialler(bureau.carrier(every_second_breaks))) as dialler:
            over = [await bureau.over(call) for call in calls]
            assert dialler.is_running

        unlucky, lucky = Disposition.OUTCOME_UNKNOWN, Disposition.HANG_UP_CALLEE
        assert [unlucky, lucky] * 3 == [call.disposition for call in over]


@pytest.mark.parametrize("error", [StorageError, ZeroDivisionError])
@in_virtual_time
async def test_the_loop_outlives_its_database(error: type[Exception], logs: list[MutableMapping[str, Any]]) -> None:
    """
    An unreadable queue is looked at again until it can be read, whatever the error.
    """
    async with office() as bureau:
        bureau.storage.error = error

        async with running(bureau.dialler(bureau.carrier())) as dialler:
            bureau.storage.is_down = True
            (accepted,) = await bureau.accept()
            await asyncio.sleep(3600)
            assert dialler.is_running
            bureau.storage.is_down = False
            call = await bureau.over(accepted)

        assert Disposition.HANG_UP_CALLEE is call.disposition
        assert "queue_unreadable" in {entry["event"] for entry in logs}


@in_virtual_time
async def test_calls_over_the_simulator_end_as_their_numbers_say() -> None:
    """
    The worker and the simulated network agree on each fate.
    """
    fates = {
        "+15555550100": Disposition.HANG_UP_AGENT,
        "+15555550101": Disposition.BUSY,
        "+15555550102": Disposition.NO_ANSWER,
        "+15555550103": Disposition.REJECTED,
        "+15555550104": Disposition.INVALID_NUMBER,
        "+15555550105": Disposition.CARRIER_ERROR,
        "+15555550106": Disposition.HANG_UP_AGENT,
        "+15555550107": Disposition.HANG_UP_CALLEE,
        "+15555550108": Disposition.HANG_UP_AGENT,
        "+15555550109": Disposition.OUTCOME_UNKNOWN,
    }
    async with office() as bureau:
        calls = [call for number in fates for call in await bureau.accept(callee=number)]

        async with running(bureau.dialler(SimulatorCarrier(bureau.clock))):
            over = [await bureau.over(call) for call in calls]

        assert fates == {call.phone_number.e164: call.disposition for call in over}
