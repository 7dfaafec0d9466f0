"""
How the loop starts, and what is left when it stops.
"""

import asyncio
from functools import partial

import pytest

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.entrypoints.worker.call_worker import END_TIMEOUT_S
from outdial.ports.carrier import Announce, Audio, Connect
from outdial.ports.errors import CarrierUnavailableError, StorageError
from tests.service.calls import tidy
from tests.worker.office import office, running
from tests.worker.scripted_carrier import Line, ScriptedCarrier, ignore, silence, talk_for_ever
from tests.worker.virtual_time import elapsed_s, in_virtual_time


class _UnavailableCarrier(ScriptedCarrier):
    """
    A carrier whose settings are wrong.
    """

    async def start(self) -> None:
        """
        Say so.
        """
        raise CarrierUnavailableError("The port is taken.")


@in_virtual_time
async def test_a_carrier_that_can_not_start_is_told() -> None:
    """
    Nothing is dialled, and stopping what did not start is fine.
    """
    async with office() as bureau:
        (call,) = await bureau.accept()
        dialler = bureau.dialler(_UnavailableCarrier(bureau.clock))

        with pytest.raises(CarrierUnavailableError):
            await dialler.start()
        await dialler.stop()

        assert not dialler.is_running
        assert call == await bureau.call(call)


@in_virtual_time
async def test_a_database_that_can_not_be_used_is_told() -> None:
    """
    A start on a broken database fails instead of dialling anything.
    """
    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier())
        bureau.storage.is_down = True

        with pytest.raises(StorageError):
            await dialler.start()
        await dialler.stop()

        assert not dialler.is_running


@in_virtual_time
async def test_stopping_hangs_up_and_settles() -> None:
    """
    Live calls are hung up and billed, queued ones stay queued, and nothing is dialled afterwards.
    """
    async with office() as bureau:
        calls = await bureau.accept(5)
        carrier = bureau.carrier(talk_for_ever)
        dialler = bureau.dialler(carrier, live_calls_max=3)
        await dialler.start()
        await bureau.reached(calls[2], State.IN_PROGRESS)

        await dialler.stop()

        over = [await bureau.call(call) for call in calls]
        assert [State.SETTLED] * 3 + [State.QUEUED] * 2 == [call.state for call in over]
        assert {(Disposition.DISCONNECTED, Status.FAILED)} == {(call.disposition, call.status) for call in over[:3]}
        assert (0, False) == (dialler.live_calls, dialler.is_running)
        await asyncio.sleep(1000)
        assert 3 == len(carrier.lines)


@in_virtual_time
async def test_stopping_twice_is_fine() -> None:
    """
    Also before the first start, and when everything is over.
    """
    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier())

        await dialler.stop()
        await dialler.start()
        await dialler.stop()
        await dialler.stop()

        assert not dialler.is_running


@in_virtual_time
async def test_a_dialler_may_start_again() -> None:
    """
    What was left queued at the stop is dialled after the next start.
    """
    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier())
        async with running(dialler):
            pass
        (accepted,) = await bureau.accept()

        async with running(dialler):
            call = await bureau.over(accepted)
            assert dialler.is_running

        assert Disposition.HANG_UP_CALLEE is call.disposition
        assert not dialler.is_running


class _SlowVoice:
    """
    A runtime that takes its time.
    """

    async def prepare(self, _call: Call) -> Connect:
        """
        Get ready in 20 s.
        """
        await asyncio.sleep(20)
        return Announce(audio=Audio(pcm=b""))


@in_virtual_time
async def test_what_was_not_dialled_yet_is_not_dialled_while_stopping() -> None:
    """
    A call whose agent is still getting ready is dropped at once and dialled by the next process.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier()
        dialler = bureau.dialler(carrier, runtimes={RuntimeKind.ANNOUNCE: _SlowVoice()})
        await dialler.start()
        await bureau.reached(accepted, State.LEASED)
        began_s = elapsed_s()

        await dialler.stop()

        took_s = elapsed_s() - began_s
        waiting = await bureau.call(accepted)
        assert {} == carrier.lines
        assert Status.QUEUED is waiting.status
        assert took_s < 1
        async with running(bureau.dialler(carrier)):
            assert Disposition.HANG_UP_CALLEE is (await bureau.over(accepted)).disposition


class _StubbornCarrier(ScriptedCarrier):
    """
    A carrier that does not stop.
    """

    async def stop(self) -> None:
        """
        Take for ever.
        """
        await asyncio.sleep(10_000)


class _BrokenCarrier(ScriptedCarrier):
    """
    A carrier that breaks when it is stopped.
    """

    async def stop(self) -> None:
        """
        Break.
        """
        raise ZeroDivisionError


@pytest.mark.parametrize("kind", [_StubbornCarrier, _BrokenCarrier, ScriptedCarrier])
@in_virtual_time
async def test_stopping_takes_bounded_time(kind: type[ScriptedCarrier]) -> None:
    """
    Calls that a carrier does not end are unknown then: nobody can tell whether they go on.
    """

    async def hang(_line: Line, _disposition: Disposition) -> None:
        await asyncio.sleep(10_000)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        dialler = bureau.dialler(kind(bureau.clock, silence, on_hang_up=hang))
        await dialler.start()
        await bureau.reached(accepted, State.DIALING)
        began_s = elapsed_s()

        await dialler.stop()

        assert elapsed_s() - began_s <= END_TIMEOUT_S + 1
        assert State.UNKNOWN is (await bureau.call(accepted)).state


@in_virtual_time
async def test_stopping_without_a_database_takes_bounded_time() -> None:
    """
    When nothing can be written the phones are hung up all the same, and the next start tidies up.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier(talk_for_ever)
        dialler = bureau.dialler(carrier)
        await dialler.start()
        await bureau.reached(accepted, State.IN_PROGRESS)
        bureau.storage.is_down = True
        began_s = elapsed_s()

        await dialler.stop()

        assert [] == carrier.live
        assert elapsed_s() - began_s <= END_TIMEOUT_S + 1
        bureau.storage.is_down = False
        await bureau.storage.transact(partial(tidy, limit=10, at=bureau.clock.now()))
        assert State.UNKNOWN is (await bureau.call(accepted)).state


@in_virtual_time
async def test_a_phone_is_hung_up_when_its_attempt_is_cut_off() -> None:
    """
    An order that is still being placed when its attempt has to go is hung up.
    """

    async def slow(_line: Line) -> None:
        await asyncio.sleep(30)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, slow, on_hang_up=ignore)
        dialler = bureau.dialler(carrier)
        await dialler.start()
        sending = await bureau.reached(accepted, State.SENDING)

        await dialler.stop()

        assert [(sending.attempt_id, Disposition.OUTCOME_UNKNOWN)] == carrier.hang_ups
