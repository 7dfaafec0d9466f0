"""
What carriers tell of calls that nobody sees through any more.
"""

from collections.abc import MutableMapping
from typing import Any, Final

import attrs

from outdial.domain.model.call import Status
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind
from outdial.entrypoints.worker.late_evidence import RETRY_AFTER_S, TRIES
from outdial.ports.carrier import UncertainError
from tests.worker.office import RING_TIMEOUT_S, office, running
from tests.worker.scripted_carrier import Line, ScriptedCarrier, ignore, silence
from tests.worker.virtual_time import in_virtual_time

LONG_S: Final = 3000
SOON_S: Final = RING_TIMEOUT_S + 100


async def _doubtful(_line: Line) -> None:
    raise UncertainError(HangUpCause(words="no answer from the carrier"))


@in_virtual_time
async def test_evidence_before_the_deadline_is_billed() -> None:
    """
    Its worker had left the call alone; the hold was kept for this.
    """

    async def talks_long(line: Line) -> None:
        line.later(SOON_S + 200, lambda: line.end(talk_s=30))
        await _doubtful(line)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, talks_long, on_hang_up=ignore)

        async with running(bureau.dialler(carrier)) as dialler:
            await bureau.reached(accepted, State.UNKNOWN)
            await bureau.pass_time(SOON_S)
            places, waiting = dialler.live_calls, await bureau.call(accepted)
            call = await bureau.over(accepted)

        assert (0, State.UNKNOWN) == (places, waiting.state)
        assert (State.SETTLED, Disposition.HANG_UP_CALLEE, 50_000) == (call.state, call.disposition, call.charge_micros)


@in_virtual_time
async def test_evidence_after_the_deadline_is_the_houses_loss() -> None:
    """
    The call's record tells how it was, and the account gets back what was held.
    """

    async def tells_late(line: Line) -> None:
        line.later(LONG_S, lambda: line.end(talk_s=90))

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, tells_late, on_hang_up=ignore)

        async with running(bureau.dialler(carrier)):
            given_up = await bureau.over(accepted)
            call = await bureau.reached(accepted, State.REVEALED)

        assert (Status.FAILED, Disposition.OUTCOME_UNKNOWN) == (given_up.status, given_up.disposition)
        assert (Status.COMPLETED, Disposition.HANG_UP_CALLEE, 90, 0) == (
            call.status,
            call.disposition,
            call.talk_s,
            call.charge_micros,
        )
        hold = call.hold_micros
        assert {EntryKind.HOLD: hold, EntryKind.RELEASE: hold, EntryKind.HOUSE_LOSS: 100_000} == await bureau.money(
            call
        )
        assert 0 == (await bureau.wallet()).held_micros


@in_virtual_time
async def test_evidence_outlives_trouble_with_the_database() -> None:
    """
    It is written as soon as something can be.
    """

    async def tells_late(line: Line) -> None:
        line.later(SOON_S + 100, lambda: line.end(Disposition.NO_ANSWER))
        await _doubtful(line)

    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, tells_late, on_hang_up=ignore)

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.UNKNOWN)
            await bureau.pass_time(SOON_S)
            bureau.storage.is_down = True
            await bureau.pass_time(200)
            bureau.storage.is_down = False
            call = await bureau.over(accepted)

        assert Disposition.NO_ANSWER is call.disposition


@in_virtual_time
async def test_a_report_that_can_not_be_written_holds_up_no_other(logs: list[MutableMapping[str, Any]]) -> None:
    """
    It is given up after a while, and its call stays unknown.
    """

    async def tells_late(line: Line) -> None:
        line.later(SOON_S + 10, lambda: line.end(Disposition.NO_ANSWER))
        await _doubtful(line)

    async with office() as bureau:
        bureau.policy = attrs.evolve(bureau.policy, max_call_duration_s=6000)
        first, second = await bureau.accept(2)
        carrier = ScriptedCarrier(bureau.clock, tells_late, on_hang_up=ignore)

        async with running(bureau.dialler(carrier)):
            await bureau.pass_time(SOON_S)
            bureau.storage.is_down = True
            await bureau.pass_time(TRIES * RETRY_AFTER_S + 15)
            bureau.storage.is_down = False
            await bureau.reached(second, State.SETTLED)

        assert State.UNKNOWN is (await bureau.call(first)).state
        assert 1 == [entry["event"] for entry in logs].count("evidence_not_written")


@in_virtual_time
async def test_what_a_carrier_reports_while_it_stops_is_written() -> None:
    """
    Calls that were left before hear of their end when the process goes in order.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = ScriptedCarrier(bureau.clock, silence, on_hang_up=ignore)

        async with running(bureau.dialler(carrier)):
            await bureau.reached(accepted, State.UNKNOWN)
            await bureau.pass_time(SOON_S)
            carrier.line.end(Disposition.NO_ANSWER)

        assert (State.SETTLED, Disposition.NO_ANSWER) == (
            (await bureau.call(accepted)).state,
            (await bureau.call(accepted)).disposition,
        )
