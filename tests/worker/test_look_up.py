"""
The network is asked for calls of which nobody hears any more.
"""

import asyncio
from collections.abc import AsyncIterator, MutableMapping
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial
from typing import Any, Final

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Ended
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind
from outdial.entrypoints.worker.look_up import CALLS_A_PASS, FIRST_PAUSE_S, LOOK_UP_S, PASS_S, PAUSE_MAX_S
from outdial.entrypoints.worker.reconciler import INTERVAL_S, LOOK_UP_INTERVAL_S
from outdial.ports.carrier import Carrier
from outdial.ports.storage import Transaction
from tests.service.calls import take
from tests.worker.office import Office, office, running
from tests.worker.scripted_carrier import Line, ScriptedCarrier, silence
from tests.worker.virtual_time import in_virtual_time

DEADLINE_S: Final = 600.0
TALK_S: Final = 90
CHARGE_MICROS: Final = 100_000
"""Two minutes."""


async def _lose(bureau: Office, count: int = 1) -> list[Call]:
    """
    Return calls whose worker was lost after their point of no return.
    """
    await bureau.accept(count)
    at = bureau.clock.now()
    leased = await bureau.storage.transact(partial(take, limit=count, at=at, worker_id="lost"))
    deadline_at = at + timedelta(seconds=DEADLINE_S)

    def lose(transaction: Transaction) -> list[Call]:
        lost = [
            attrs.evolve(call, version=call.version + 1, state=State.UNKNOWN, attempt=1, deadline_at=deadline_at)
            for call in leased
        ]
        for call in lost:
            transaction.calls.save(attrs.evolve(call, state=State.SENDING), at)
            transaction.calls.save(attrs.evolve(call, version=call.version + 1), at)
        return [attrs.evolve(call, version=call.version + 1) for call in lost]

    return await bureau.storage.transact(lose)


@asynccontextmanager
async def _asking(bureau: Office, carrier: Carrier) -> AsyncIterator[None]:
    async with running(bureau.dialler(carrier)):
        yield


def _ended(bureau: Office, attempt_id: str, *, talk_s: int = TALK_S) -> Ended:
    cause = HangUpCause(words="as the network says")
    return Ended(
        attempt_id=attempt_id,
        at=bureau.clock.now(),
        disposition=Disposition.DISCONNECTED,
        talk_s=talk_s,
        cause=cause,
    )


@in_virtual_time
async def test_the_end_of_a_lost_workers_call_is_looked_up() -> None:
    """
    It is billed within seconds, as what the network knows is what a report would have said.
    """
    async with office() as bureau:
        (lost,) = await _lose(bureau)
        carrier = bureau.carrier()

        async def knows(attempt_id: str) -> Ended | None:
            return _ended(bureau, attempt_id)

        carrier.on_look_up = knows
        async with _asking(bureau, carrier):
            await bureau.pass_time(LOOK_UP_INTERVAL_S + 1)
            call = await bureau.call(lost)

        assert (State.SETTLED, Disposition.DISCONNECTED, TALK_S) == (call.state, call.disposition, call.talk_s)
        assert CHARGE_MICROS == call.charge_micros
        assert {} == carrier.lines


@in_virtual_time
async def test_nothing_found_neither_ends_a_call_early_nor_dials_it_again() -> None:
    """
    It is asked for again, more and more rarely, and a last time at its deadline.
    """
    async with office() as bureau:
        (lost,) = await _lose(bureau)
        carrier = bureau.carrier()

        async with _asking(bureau, carrier):
            await bureau.pass_time(DEADLINE_S - 1)
            waiting, before = await bureau.call(lost), len(carrier.look_ups)
            await bureau.pass_time(INTERVAL_S + 2)
            call = await bureau.call(lost)
            asked = len(carrier.look_ups)
            await bureau.pass_time(10 * PAUSE_MAX_S)

        assert State.UNKNOWN is waiting.state
        assert DEADLINE_S / PAUSE_MAX_S < before < DEADLINE_S / PAUSE_MAX_S + 5
        assert (State.SETTLED, Disposition.OUTCOME_UNKNOWN, 0) == (call.state, call.disposition, call.charge_micros)
        assert asked == len(carrier.look_ups)
        assert {} == carrier.lines


@in_virtual_time
async def test_what_is_known_only_at_the_deadline_is_billed() -> None:
    """
    A network that lags by minutes is believed as long as the hold is there.
    """
    async with office() as bureau:
        (lost,) = await _lose(bureau)
        carrier = bureau.carrier()

        async def knows_late(attempt_id: str) -> Ended | None:
            is_time = bureau.clock.now() >= (lost.deadline_at or bureau.clock.now())
            return _ended(bureau, attempt_id) if is_time else None

        carrier.on_look_up = knows_late
        async with _asking(bureau, carrier):
            call = await bureau.over(lost)

        assert (Disposition.DISCONNECTED, CHARGE_MICROS) == (call.disposition, call.charge_micros)
        assert EntryKind.HOUSE_LOSS not in await bureau.money(call)


@in_virtual_time
async def test_look_ups_that_fail_or_hang_cost_only_themselves(logs: list[MutableMapping[str, Any]]) -> None:
    """
    Another call is asked for in the same pass, and the deadline holds.
    """
    async with office() as bureau:
        failing, hanging, known = await _lose(bureau, 3)

        async def answers(attempt_id: str) -> Ended | None:
            if attempt_id == failing.attempt_id:
                raise ConnectionError("The network is away.")
            if attempt_id == hanging.attempt_id:
                await asyncio.Event().wait()
            return _ended(bureau, attempt_id)

        carrier = bureau.carrier()
        carrier.on_look_up = answers
        async with _asking(bureau, carrier):
            await bureau.pass_time(LOOK_UP_INTERVAL_S + LOOK_UP_S - 1)
            settled = await bureau.call(known)
            await bureau.pass_time(DEADLINE_S + INTERVAL_S + LOOK_UP_S)
            others = [await bureau.call(call) for call in (failing, hanging)]

        assert Disposition.DISCONNECTED is settled.disposition
        assert [Disposition.OUTCOME_UNKNOWN] * 2 == [call.disposition for call in others]
        problems = {entry["problem"] for entry in logs if entry["event"] == "look_up_failed"}
        assert {"The network is away.", "TimeoutError"} == problems


@in_virtual_time
async def test_a_pass_is_bounded_and_the_longest_waiting_come_first() -> None:
    """
    All are asked for in turn, and none twice before.
    """
    count = 2 * CALLS_A_PASS + 1
    async with office() as bureau:
        await _lose(bureau, count)
        carrier = bureau.carrier()

        async with _asking(bureau, carrier):
            await bureau.pass_time(LOOK_UP_INTERVAL_S + 1)
            first = len(carrier.look_ups)
            await bureau.pass_time(2 * FIRST_PAUSE_S)

        assert CALLS_A_PASS == first
        assert count == len(set(carrier.look_ups[:count]))
        assert len(carrier.look_ups) <= 2 * count


@in_virtual_time
async def test_a_network_that_hangs_keeps_no_deadline_from_passing() -> None:
    """
    However many calls are overdue at once, all are over soon after.
    """
    async with office() as bureau:
        lost = await _lose(bureau, 2 * CALLS_A_PASS + 1)
        carrier = bureau.carrier()

        async def hangs(_attempt_id: str) -> Ended | None:
            await asyncio.Event().wait()
            return None

        carrier.on_look_up = hangs
        async with _asking(bureau, carrier):
            await bureau.pass_time(DEADLINE_S + INTERVAL_S + PASS_S + 5)
            calls = [await bureau.call(call) for call in lost]

        assert {Disposition.OUTCOME_UNKNOWN} == {call.disposition for call in calls}


@in_virtual_time
async def test_who_hears_of_a_call_does_not_ask_for_it() -> None:
    """
    Its events come by themselves; once it is left alone it is asked for.
    """

    async def doubtful(line: Line) -> None:
        await silence(line)
        raise TimeoutError

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, doubtful)

        async with running(bureau.dialler(carrier)) as dialler:
            unknown = await bureau.reached(accepted, State.UNKNOWN)
            await bureau.pass_time(20)
            heard, while_heard = dialler.live_calls, len(carrier.look_ups)
            await bureau.pass_time(100)
            left = dialler.live_calls

        assert (1, 0, 0) == (heard, while_heard, left)
        assert {unknown.attempt_id} == set(carrier.look_ups)


@in_virtual_time
async def test_an_end_of_another_attempt_or_of_no_outcome_changes_nothing() -> None:
    """
    Such an answer proves nothing of this one.
    """
    async with office() as bureau:
        first, second = await _lose(bureau, 2)

        async def errs(attempt_id: str) -> Ended | None:
            if attempt_id == first.attempt_id:
                return _ended(bureau, f"{attempt_id}0")
            return attrs.evolve(_ended(bureau, attempt_id), disposition=Disposition.OUTCOME_UNKNOWN)

        carrier = bureau.carrier()
        carrier.on_look_up = errs
        async with _asking(bureau, carrier):
            await bureau.pass_time(DEADLINE_S / 2)
            calls = [await bureau.call(call) for call in (first, second)]

        assert [first, second] == calls


@in_virtual_time
async def test_several_workers_that_find_the_same_bill_it_once() -> None:
    """
    Both may have asked before either wrote.
    """
    async with office() as bureau:
        (lost,) = await _lose(bureau)
        carriers = [bureau.carrier(), bureau.carrier()]

        async def knows(attempt_id: str) -> Ended | None:
            await asyncio.sleep(1)
            return _ended(bureau, attempt_id)

        for carrier in carriers:
            carrier.on_look_up = knows
        async with _asking(bureau, carriers[0]), _asking(bureau, carriers[1]):
            call = await bureau.over(lost)
            await bureau.pass_time(INTERVAL_S)

        assert [[lost.attempt_id]] * 2 == [carrier.look_ups for carrier in carriers]
        hold = call.hold_micros
        assert {
            EntryKind.HOLD: hold,
            EntryKind.CAPTURE: CHARGE_MICROS,
            EntryKind.RELEASE: hold - CHARGE_MICROS,
        } == await bureau.money(call)
