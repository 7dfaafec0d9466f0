"""
outdial on a full disk, over a locked database, by a clock that is set, and asleep while others deal with its calls.
"""

import asyncio
from pathlib import Path
from typing import Final

import attrs
import pytest

from tests.crash.faults import callee
from tests.crash.invariants import assert_all_hold
from tests.crash.others import DEEDS
from tests.crash.plans import ASLEEP, Life, Plan
from tests.crash.playing import QUICK_CALLEES, Play
from tests.crash.rig import Nursery
from tests.crash.schedules import run

CLOCKS: Final = ("30:1", "30:-1", "60:1")
"""An hour ahead or back, after so many looks: before the first calls are over, and while others are still unknown."""


@pytest.mark.parametrize("life", [Life(pages_left=4, killed_after_s=1.0), Life(frames_left=60)])
def test_a_full_disk_breaks_nothing(home: Nursery, tmp_path: Path, life: Life) -> None:
    """
    A service whose disk is full at some write breaks no promise once there is room, killed in its trouble or not.
    """
    plan = Plan(callees=QUICK_CALLEES, lives=(life,))

    report = asyncio.run(run(plan, tmp_path, f"sqlite:///{tmp_path / 'outdial.db'}", home))

    assert_all_hold(report.verdict)
    assert 1 == report.kills + report.troubles


def test_a_locked_database_breaks_nothing(home: Nursery, database: str, tmp_path: Path) -> None:
    """
    A database that somebody else locks for long while calls are on the line delays them, and breaks nothing.
    """
    plan = Plan(callees=QUICK_CALLEES, lives=(Life(locked_after_s=0.1),))

    report = asyncio.run(run(plan, tmp_path, database, home))

    assert_all_hold(report.verdict)


def test_a_clock_that_is_set_breaks_nothing(home: Nursery) -> None:
    """
    Deadlines that are over at once, or only in two hours, have no call dialled twice and no money lost.
    """
    plays = [Play(home, kind) for kind in ("sqlite", "postgres")]

    async def play_both() -> None:
        await asyncio.gather(*[play.clocks(CLOCKS) for play in plays])

    asyncio.run(play_both())

    assert [[], []] == [play.totals.broken for play in plays]
    assert 2 * [len(CLOCKS)] == [play.totals.schedules for play in plays]


def test_nobody_talks_to_whom_others_took_from_a_sleeping_worker(home: Nursery) -> None:
    """
    A call that was listed, canceled or ended by others while its worker slept gets an apology when it is answered.
    """
    play = Play(home, "sqlite")
    asleep = ((deed, attrs.evolve(ASLEEP, others=deed)) for deed in DEEDS)

    asyncio.run(play.play_all((deed, Plan(callees=(callee("rings long"),), lives=(life,))) for deed, life in asleep))

    assert [] == play.totals.broken
    assert (len(DEEDS), len(DEEDS)) == (play.totals.stops, play.totals.answers_stopped)
