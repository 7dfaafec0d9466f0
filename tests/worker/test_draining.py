"""
A worker that is to stop: what it gives back, what it lets go on, and for how long.
"""

import asyncio
from functools import partial
from typing import Final

import pytest

from outdial.adapters.memory import storage_calls
from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.entrypoints import stopping
from outdial.entrypoints.http import server
from outdial.entrypoints.worker import call_worker, roll, webhook_worker
from outdial.entrypoints.worker.call_worker import SENDS_TIMEOUT_S, CallWorker
from outdial.entrypoints.worker.pulse import BEAT_S, SILENT_S
from outdial.ports.carrier import (
    Announce,
    Audio,
    Connect,
    DialOrder,
    OnAnswer,
    Placed,
    Report,
    UncertainError,
    no_objection,
)
from outdial.ports.errors import StorageError
from tests.service.calls import take
from tests.worker.office import Office, office, released, running
from tests.worker.scripted_carrier import Line, ScriptedCarrier, silence, talk_for_ever
from tests.worker.virtual_time import elapsed_s, in_virtual_time

TALK_S: Final = 90
PRICE_MICROS: Final = 100_000
"""Of a talk of 90 s, of which two minutes are billed."""


@pytest.fixture(autouse=True)
def _clock_of_the_database(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(storage_calls, "now_micros", lambda: round(elapsed_s() * 1_000_000))


async def _talking(bureau: Office, dialler: CallWorker) -> Call:
    """
    Start a worker and have a call answered.
    """
    (accepted,) = await bureau.accept()
    await dialler.start()
    return await bureau.reached(accepted, State.IN_PROGRESS)


@pytest.mark.parametrize(
    ("drain_s", "disposition", "lasts_s"),
    [(0, Disposition.DISCONNECTED, 0), (30, Disposition.DISCONNECTED, 30), (600, Disposition.HANG_UP_CALLEE, TALK_S)],
)
@in_virtual_time
async def test_a_talk_goes_on_for_as_long_as_it_may(drain_s: float, disposition: Disposition, lasts_s: float) -> None:
    """
    One that ends by itself meanwhile is billed as any other, and nobody waits longer; what is left is hung up.
    """
    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier())
        talking = await _talking(bureau, dialler)
        began_s = elapsed_s()

        await dialler.stop(drain_s=drain_s)

        call = await bureau.call(talking)
        assert (State.SETTLED, disposition) == (call.state, call.disposition)
        assert lasts_s - 1 <= elapsed_s() - began_s <= lasts_s + 1
        assert (PRICE_MICROS if lasts_s == TALK_S else PRICE_MICROS // 2) == call.charge_micros


@in_virtual_time
async def test_a_phone_may_ring_on_and_is_canceled_then() -> None:
    """
    Ringing calls are given the time, too; they cost nothing when it is over.
    """

    async def ring(line: Line) -> None:
        line.later(1, line.ring)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        dialler = bureau.dialler(bureau.carrier(ring))
        await dialler.start()
        await bureau.reached(accepted, State.RINGING)

        await dialler.stop(drain_s=10)

        call = await bureau.call(accepted)
        assert (State.SETTLED, Disposition.CANCELED) == (call.state, call.disposition)
        assert await released(bureau, call)


@in_virtual_time
async def test_who_stops_it_again_cuts_the_time_short() -> None:
    """
    Of two times the shorter one counts, in whichever order they come, and both callers wait for the end.
    """
    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier(talk_for_ever))
        talking = await _talking(bureau, dialler)
        began_s = elapsed_s()

        draining = asyncio.create_task(dialler.stop(drain_s=500))
        await asyncio.sleep(20)
        assert dialler.is_stopping
        assert State.IN_PROGRESS is (await bureau.call(talking)).state
        await asyncio.gather(dialler.stop(drain_s=0), dialler.stop(drain_s=100), draining)

        assert 20 <= elapsed_s() - began_s <= 22
        assert Disposition.DISCONNECTED is (await bureau.call(talking)).disposition


@in_virtual_time
async def test_who_gives_up_waiting_leaves_the_end_to_the_next() -> None:
    """
    When whoever drains is canceled, stopping once more ends what is left.
    """
    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier(talk_for_ever))
        talking = await _talking(bureau, dialler)

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(5):
                await dialler.stop(drain_s=500)
        await dialler.stop()

        assert Disposition.DISCONNECTED is (await bureau.call(talking)).disposition


class _VoiceOfOne:
    """
    A runtime that gets the first call ready, and takes its time for others.
    """

    async def prepare(self, call: Call) -> Connect:
        """
        Get ready at once, or in 20 s.
        """
        await asyncio.sleep(0 if call.id == 1 else 20)
        return Announce(audio=Audio(pcm=b""))


@pytest.mark.parametrize("has_rivals", [False, True])
@in_virtual_time
async def test_what_was_not_dialled_is_given_back_at_once(has_rivals: bool) -> None:  # noqa: FBT001
    """
    Another worker dials a call that was leased while a talk of the first one still goes on; what waits is left alone.
    """
    async with office() as bureau:
        calls = await bureau.accept(2)
        dialler = bureau.dialler(
            bureau.carrier(talk_for_ever), runtimes={RuntimeKind.ANNOUNCE: _VoiceOfOne()}, has_rivals=has_rivals
        )
        await dialler.start()
        await bureau.reached(calls[0], State.IN_PROGRESS)
        assert State.LEASED is (await bureau.call(calls[1])).state

        draining = asyncio.create_task(dialler.stop(drain_s=300))
        await asyncio.sleep(0.1)
        assert State.QUEUED is (await bureau.call(calls[1])).state
        (later,) = await bureau.accept()
        await asyncio.sleep(2)
        assert [State.QUEUED] * 2 == [(await bureau.call(call)).state for call in (calls[1], later)]
        assert 1 == dialler.live_calls
        async with running(bureau.dialler(bureau.carrier(), has_rivals=True)):
            for call in (calls[1], later):
                assert Disposition.HANG_UP_CALLEE is (await bureau.over(call)).disposition
            assert has_rivals is (State.IN_PROGRESS is (await bureau.call(calls[0])).state)
        await draining


@in_virtual_time
async def test_a_lease_that_is_under_way_is_given_back() -> None:
    """
    What the database has leased and the worker has not heard of yet does not stay leased.
    """
    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier())
        await dialler.start()
        await asyncio.sleep(1)
        bureau.storage.hears_late_s = lambda _number: 2
        (accepted,) = await bureau.accept()
        dialler.wake()
        await bureau.reached(accepted, State.LEASED)

        await dialler.stop()

        assert State.QUEUED is (await bureau.call(accepted)).state


class _CuttingCarrier(ScriptedCarrier):
    """
    A carrier that, when it is stopped, hears no answer any more to orders that are on their way.
    """

    async def place(
        self, order: DialOrder, connect: Connect, report: Report, on_answer: OnAnswer = no_objection
    ) -> Placed:
        """
        Send an order, whose answer may be lost.
        """
        placed = await super().place(order, connect, report, on_answer)
        if not self.is_started:
            raise UncertainError(HangUpCause(words="stopped"))
        return placed


@pytest.mark.parametrize("takes_s", [4, SENDS_TIMEOUT_S - 1])
@in_virtual_time
async def test_an_order_on_its_way_is_answered_before_it_is_hung_up(takes_s: float) -> None:
    """
    What the carrier says of it is heard: the call ends as canceled, not as one of which nobody knows.
    """

    async def slow(_line: Line) -> None:
        await asyncio.sleep(takes_s)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        dialler = bureau.dialler(_CuttingCarrier(bureau.clock, slow))
        await dialler.start()
        await bureau.reached(accepted, State.SENDING)
        began_s = elapsed_s()

        await dialler.stop()

        assert State.DIALING in await bureau.states(accepted)
        call = await bureau.call(accepted)
        assert (State.SETTLED, Disposition.CANCELED) == (call.state, call.disposition)
        assert elapsed_s() - began_s <= takes_s + 1


@in_virtual_time
async def test_an_order_that_hangs_is_waited_for_no_longer_than_promised() -> None:
    """
    After 10 s the carrier is stopped all the same.
    """

    async def hang(_line: Line) -> None:
        await asyncio.sleep(1000)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        dialler = bureau.dialler(bureau.carrier(hang))
        await dialler.start()
        await bureau.reached(accepted, State.SENDING)
        began_s = elapsed_s()

        await dialler.stop()

        assert Disposition.CANCELED is (await bureau.call(accepted)).disposition
        assert SENDS_TIMEOUT_S <= elapsed_s() - began_s <= call_worker.END_TIMEOUT_S + 1


@in_virtual_time
async def test_a_draining_worker_still_does_what_clients_want_and_is_heard_of() -> None:
    """
    Clients' hang-ups reach it and nobody takes it for lost; once it has left, nobody waits for it.
    """
    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier(talk_for_ever), has_rivals=True)
        talking = await _talking(bureau, dialler)
        async with running(bureau.dialler(bureau.carrier(), has_rivals=True)):
            draining = asyncio.create_task(dialler.stop(drain_s=600))
            await asyncio.sleep(4 * SILENT_S)
            assert State.IN_PROGRESS is (await bureau.call(talking)).state
            began_s = elapsed_s()

            await bureau.hang_up(talking)
            await draining

            assert elapsed_s() - began_s <= 2
            assert Disposition.CANCELED is (await bureau.call(talking)).disposition
            (left,) = await bureau.accept()
            await bureau.storage.transact(partial(take, limit=1, at=bureau.clock.now()))
            assert Disposition.HANG_UP_CALLEE is (await bureau.over(left)).disposition
            assert elapsed_s() - began_s <= 2 + BEAT_S + 2 + 93 < SILENT_S + 93


@pytest.mark.parametrize("error", [StorageError, ZeroDivisionError])
@pytest.mark.parametrize("drain_s", [0, 60])
@in_virtual_time
async def test_a_database_that_fails_does_not_prolong_it(drain_s: float, error: type[Exception]) -> None:
    """
    Phones are hung up when the time is up, whether that can be written down or not.
    """
    async with office() as bureau:
        carrier = bureau.carrier(talk_for_ever)
        dialler = bureau.dialler(carrier, has_rivals=True)
        await _talking(bureau, dialler)
        bureau.storage.is_down, bureau.storage.error = True, error
        began_s = elapsed_s()

        await dialler.stop(drain_s=drain_s)

        assert [] == carrier.live
        assert drain_s <= elapsed_s() - began_s <= drain_s + call_worker.END_TIMEOUT_S + 1


@in_virtual_time
async def test_a_worker_that_stopped_may_start_again() -> None:
    """
    A drain that is over limits nothing any more.
    """
    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier(), has_rivals=True)
        await dialler.start()
        await dialler.stop(drain_s=5)
        (accepted,) = await bureau.accept()

        async with running(dialler):
            assert not dialler.is_stopping
            assert Disposition.HANG_UP_CALLEE is (await bureau.over(accepted)).disposition


@in_virtual_time
async def test_who_places_nothing_stops_at_once() -> None:
    """
    However long calls might go on: none lives.
    """
    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier(silence))
        await dialler.start()
        began_s = elapsed_s()

        await dialler.stop(drain_s=3600)

        assert elapsed_s() - began_s <= 1


@pytest.mark.parametrize("is_taken", [False, True])
@in_virtual_time
async def test_a_call_of_unknown_outcome_keeps_nobody(is_taken: bool) -> None:  # noqa: FBT001
    """
    A carrier that was stopped tells no more: what it told until then is written, and the rest stays unknown.
    """

    async def doubtful(line: Line) -> None:
        line.is_over = not is_taken
        raise UncertainError(HangUpCause(words="no answer from the carrier"))

    async with office() as bureau:
        dialler = bureau.dialler(bureau.carrier(doubtful))
        (accepted,) = await bureau.accept()
        await dialler.start()
        await bureau.reached(accepted, State.UNKNOWN)
        began_s = elapsed_s()

        await dialler.stop(drain_s=1)

        assert elapsed_s() - began_s <= 2
        assert (State.SETTLED if is_taken else State.UNKNOWN) is (await bureau.call(accepted)).state


def test_all_that_is_waited_for_is_less_than_what_is_promised() -> None:
    """
    Even if everything takes as long as it may, a process ends within 30 s of its drain.
    """
    worker_s = (
        call_worker.SENDS_TIMEOUT_S
        + call_worker.CARRIER_STOP_TIMEOUT_S
        + call_worker.FINISH_TIMEOUT_S
        + 2 * roll.LAST_WORD_S
        + call_worker.EVIDENCE_TIMEOUT_S
        + call_worker.DEPART_TIMEOUT_S
    )
    mail_s = webhook_worker.STOP_TIMEOUT_S + 2 * webhook_worker.RECORD_TIMEOUT_S

    assert worker_s + server.SHUTDOWN_S + mail_s <= stopping.STOP_S < 30
    assert call_worker.END_TIMEOUT_S <= call_worker.SENDS_TIMEOUT_S + call_worker.CARRIER_STOP_TIMEOUT_S
