"""
What a carrier reports of a call, however much and however late.
"""

from collections.abc import MutableMapping
from functools import partial
from typing import Any

from outdial.domain.model.call_event import Answered, Ended, Ringing
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.entrypoints.worker.attempt import EVENTS_MAX
from tests.worker.office import office
from tests.worker.scripted_carrier import (
    Line,
)
from tests.worker.virtual_time import in_virtual_time


@in_virtual_time
async def test_a_flood_of_events_does_not_drown_the_end() -> None:
    """
    A carrier that reports without measure is heard no more, but for the end.
    """

    async def flood(line: Line) -> None:
        for _ in range(10 * EVENTS_MAX):
            line.ring()
        line.answer()
        line.end(talk_s=30)

    async with office() as bureau:
        carrier = bureau.carrier(flood)

        call = await bureau.see_through(carrier)

        assert (Disposition.HANG_UP_CALLEE, 30, 50_000) == (call.disposition, call.talk_s, call.charge_micros)
        assert bureau.storage.transactions <= EVENTS_MAX + 10
        assert [] == carrier.hang_ups


@in_virtual_time
async def test_nothing_is_heard_after_the_end(logs: list[MutableMapping[str, Any]]) -> None:
    """
    The first end counts, whatever a carrier says later.
    """

    async def twice(line: Line) -> None:
        line.end(Disposition.BUSY)
        line.end(Disposition.NO_ANSWER)
        line.answer()
        line.end(talk_s=30)

    async with office() as bureau:
        call = await bureau.see_through(bureau.carrier(twice))

        dropped = [entry["kind"] for entry in logs if entry["event"] == "event_dropped"]
        assert (Disposition.BUSY, 0, 0) == (call.disposition, call.talk_s, call.charge_micros)
        assert ["Ended", "Answered", "Ended"] == dropped


@in_virtual_time
async def test_events_of_other_attempts_are_not_heard() -> None:
    """
    A carrier that mixes up its attempts moves no call by another's events.
    """

    async def mixed_up(line: Line) -> None:
        at = line.clock.now()
        line.report(Ringing(attempt_id="another", at=at))
        line.report(Answered(attempt_id="another", at=at))
        line.report(Ended(attempt_id="another", at=at, disposition=Disposition.REJECTED))
        line.later(1, partial(line.end, Disposition.BUSY))

    async with office() as bureau:
        call = await bureau.see_through(bureau.carrier(mixed_up))

        assert [State.DIALING, State.ENDED, State.SETTLED] == (await bureau.states(call))[3:]
        assert Disposition.BUSY is call.disposition
