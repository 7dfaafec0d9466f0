"""
The loop: which calls are dialled, when, how many at once, and what is left when it stops.
"""

import asyncio
from collections.abc import MutableMapping
from functools import partial
from typing import Any, Final

import pytest

from outdial.adapters.simulator.carrier import SimulatorCarrier
from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State, Trigger
from outdial.domain.service.dialling import pass_no_return
from outdial.domain.service.settlement import block
from outdial.entrypoints.worker.dialler import BEAT_S, CARRIER_STOP_TIMEOUT_S, FINISH_TIMEOUT_S, RECOVERED_AT_ONCE
from outdial.ports.carrier import Announce, Audio, Connect
from outdial.ports.errors import CarrierUnavailableError, StorageError
from outdial.ports.storage import Transaction
from tests import builders
from tests.service.calls import take, tidy
from tests.worker.office import office, running
from tests.worker.scripted_carrier import Line, ScriptedCarrier, conversation, ignore, silence, talk_for_ever
from tests.worker.virtual_time import elapsed_s, in_virtual_time

MANY: Final = 2000


async def _brief(line: Line) -> None:
    line.later(1, partial(line.end, Disposition.BUSY))


@in_virtual_time
async def test_thousands_of_calls_are_worked_off_in_order() -> None:
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
async def test_a_lease_whose_answer_was_lost_is_given_back() -> None:
    """
    Calls that are leased without anybody knowing go back to the queue without a restart.
    """
    async with office() as bureau:
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier)):
            lost = bureau.storage.transactions + 1
            bureau.storage.fails = lambda number: number == lost
            bureau.storage.loses_answers = True
            (accepted,) = await bureau.accept()
            call = await bureau.over(accepted)

        assert [State.QUEUED, State.LEASED, State.QUEUED, State.LEASED] == (await bureau.states(call))[:4]
        assert Disposition.HANG_UP_CALLEE is call.disposition
        assert 2 == call.fence


@in_virtual_time
async def test_abandoned_calls_are_recovered_beside_the_living() -> None:
    """
    A call that nobody sees through any more is brought in order; those that live go on undisturbed.
    """
    async with office() as bureau:
        carrier = bureau.carrier(talk_for_ever)

        async with running(bureau.dialler(carrier)):
            (living,) = await bureau.accept()
            await bureau.reached(living, State.IN_PROGRESS)
            (unlucky,) = await bureau.accept()
            await bureau.reached(unlucky, State.RINGING)
            bureau.storage.is_down = True  # from before the answer until after the last try
            await asyncio.sleep(60)
            bureau.storage.is_down = False
            abandoned = await bureau.over(unlucky)
            alive = await bureau.call(living)
            settled = await bureau.over(living)

        assert Disposition.OUTCOME_UNKNOWN is abandoned.disposition
        assert State.IN_PROGRESS is alive.state
        assert Disposition.TIME_LIMIT is settled.disposition


@in_virtual_time
async def test_a_lease_that_is_heard_of_late_is_not_taken_for_abandoned(logs: list[MutableMapping[str, Any]]) -> None:
    """
    Looking for abandoned calls while a lease is on its way waits until it is known who attends them.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        dialler = bureau.dialler(carrier, poll_s=1000, has_rivals=True)

        async with running(dialler):
            await asyncio.sleep(BEAT_S - 0.1)
            lease = bureau.storage.transactions + 1
            bureau.storage.hears_late_s = lambda number: 0.2 if number == lease else 0
            (accepted,) = await bureau.accept()
            dialler.wake()
            call = await bureau.over(accepted)

        assert [State.QUEUED, State.LEASED, State.SENDING] == (await bureau.states(call))[:3]
        assert Disposition.HANG_UP_CALLEE is call.disposition
        assert "calls_recovered" not in {entry["event"] for entry in logs}


@in_virtual_time
async def test_beats_go_on_when_some_fail(logs: list[MutableMapping[str, Any]]) -> None:
    """
    A worker that can't tell the others that it lives tries again at the next beat.
    """
    async with office() as bureau:
        async with running(bureau.dialler(bureau.carrier(), has_rivals=True)) as dialler:
            bureau.storage.is_down = True
            await asyncio.sleep(3 * BEAT_S + 1)
            bureau.storage.is_down = False
            before = bureau.storage.transactions
            await asyncio.sleep(2 * BEAT_S)

            assert dialler.is_running
            assert before + 4 <= bureau.storage.transactions
        assert 3 == [entry["event"] for entry in logs].count("beat_missed")


@in_virtual_time
async def test_a_lost_workers_calls_are_taken_over() -> None:
    """
    What a worker leaves behind that is not heard of any more is brought in order while others dial.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        async with running(bureau.dialler(carrier, has_rivals=True)):
            waiting, ringing = await bureau.accept(2)
            await bureau.storage.transact(partial(take, limit=2, at=builders.NOW, worker_id="lost"))
            await bureau.storage.transact(partial(_send, accepted=ringing))
            calls = [await bureau.over(call) for call in (waiting, ringing)]

        assert [Disposition.HANG_UP_CALLEE, Disposition.OUTCOME_UNKNOWN] == [call.disposition for call in calls]
        assert [calls[0].attempt_id] == list(carrier.lines)


def _send(transaction: Transaction, accepted: Call) -> None:
    leased = transaction.calls.call_of_any_account(CallReference(number=accepted.id))
    assert leased is not None
    assert pass_no_return(transaction, leased, at=builders.NOW) is not None


@in_virtual_time
async def test_what_can_not_be_recovered_stops_nothing(logs: list[MutableMapping[str, Any]]) -> None:
    """
    As long as abandoned calls can't be brought in order, the others are dialled.
    """
    async with office() as bureau:
        carrier = bureau.carrier()
        bureau.storage.error = ZeroDivisionError

        async with running(bureau.dialler(carrier)):
            (unlucky,) = await bureau.accept()
            await bureau.reached(unlucky, State.RINGING)
            first = bureau.storage.transactions + 1
            bureau.storage.fails = lambda number: number in {first, first + 1, first + 2}
            call = await bureau.over(unlucky)
            (other,) = await bureau.accept()
            lucky = await bureau.over(other)

        assert Disposition.OUTCOME_UNKNOWN is call.disposition
        assert Disposition.HANG_UP_CALLEE is lucky.disposition
        assert {"call_abandoned", "calls_not_recovered"} <= {entry["event"] for entry in logs}


@in_virtual_time
async def test_queued_calls_go_on_after_a_restart() -> None:
    """
    What an earlier process accepted, or leased without dialling, is dialled by the next.
    """
    async with office() as bureau:
        calls = await bureau.accept(5)
        await bureau.storage.transact(partial(take, limit=3, at=builders.NOW))
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier)):
            over = [await bureau.over(call) for call in calls]

        assert {Disposition.HANG_UP_CALLEE} == {call.disposition for call in over}
        assert 5 == len(carrier.lines)


@pytest.mark.parametrize("steps", [(), (Trigger.PLACE,), (Trigger.PLACE, Trigger.RING)])
@in_virtual_time
async def test_what_an_earlier_process_dialled_is_not_dialled_again(steps: tuple[Trigger, ...]) -> None:
    """
    Killed at any time after the point of no return, a call fails as unknown at the next start, and its hold is free.
    """
    async with office() as bureau:
        await bureau.accept()
        (leased,) = await bureau.storage.transact(partial(take, limit=1, at=builders.NOW))
        sending = await bureau.storage.transact(partial(pass_no_return, leased=leased, at=builders.NOW))
        assert sending is not None
        await bureau.storage.transact(partial(_trigger, call=sending, triggers=steps))
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier)):
            await asyncio.sleep(1000)

        call = await bureau.call(sending)
        assert {} == carrier.lines
        assert (State.SETTLED, Disposition.OUTCOME_UNKNOWN, 0) == (call.state, call.disposition, call.charge_micros)
        assert 0 == (await bureau.wallet()).held_micros


def _trigger(transaction: Transaction, call: Call, triggers: tuple[Trigger, ...]) -> None:
    for trigger in triggers:
        changed = call.after(trigger)
        assert changed is not None
        transaction.calls.save(changed, builders.NOW)
        call = changed


@in_virtual_time
async def test_however_much_was_left_behind_is_brought_in_order() -> None:
    """
    A start goes on until nothing is left in disorder.
    """
    count = 2 * RECOVERED_AT_ONCE + 1
    async with office() as bureau:
        calls = await bureau.accept(count)
        await bureau.storage.transact(partial(take, limit=count, at=builders.NOW))

        async with running(bureau.dialler(bureau.carrier(), live_calls_max=1)):
            states = {(await bureau.call(call)).state for call in calls[1:]}

        assert {State.QUEUED} == states


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
    Calls that a carrier does not end are left to the next start, which ends them without dialling.
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

        assert elapsed_s() - began_s <= CARRIER_STOP_TIMEOUT_S + FINISH_TIMEOUT_S + 11
        assert State.DIALING is (await bureau.call(accepted)).state
        await bureau.storage.transact(partial(tidy, limit=10, at=bureau.clock.now()))
        assert Disposition.OUTCOME_UNKNOWN is (await bureau.call(accepted)).disposition


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
        assert elapsed_s() - began_s <= FINISH_TIMEOUT_S + 2
        bureau.storage.is_down = False
        await bureau.storage.transact(partial(tidy, limit=10, at=bureau.clock.now()))
        assert Disposition.OUTCOME_UNKNOWN is (await bureau.call(accepted)).disposition


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


@in_virtual_time
async def test_nothing_is_dialled_that_was_ended_meanwhile() -> None:
    """
    A call that is canceled while its agent gets ready is not dialled.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier, runtimes={RuntimeKind.ANNOUNCE: _SlowVoice()})):
            await bureau.reached(accepted, State.LEASED)
            await bureau.storage.transact(partial(_cancel, accepted=accepted))
            await asyncio.sleep(100)

        assert {} == carrier.lines
        assert Disposition.CANCELED is (await bureau.call(accepted)).disposition


def _cancel(transaction: Transaction, accepted: Call) -> None:
    current = transaction.calls.call_of_any_account(CallReference(number=accepted.id))
    assert current is not None
    block(transaction, current, at=builders.NOW, disposition=Disposition.CANCELED)
