"""
outdial killed at fixed places and by fixed seeds: a short run of what `make crash` does for as long as is wanted.
"""

import asyncio
from pathlib import Path
from typing import Final

import pytest

from tests.crash.failpoints import ESSENTIAL
from tests.crash.invariants import assert_all_hold
from tests.crash.plans import Plan
from tests.crash.playing import ALL, CALLEES, QUICK_CALLEES, Play
from tests.crash.rig import Nursery
from tests.crash.schedules import run

PLACES: Final = (
    "accept:within:1",
    "answer:before:1",
    "lease:after:1",
    "pass_no_return:within:1",
    "pass_no_return:after:1",
    "order:before:1",
    "order:sent:1",
    "refuse:within:1",
    "mark_placed:before:1",
    "check_answer:after:1",
    "apply_event:within:3",
    "message:after:1",
    "record:within:1",
)
"""One for each kind of what a death there may cost; `make crash` takes them all."""

PLACES_OF_DOUBT: Final = ("find:after:1", "reconcile:within:1", "hear_late:before:1")
"""Places that only calls pass whose outcome is unknown."""

PLACES_OVER_POSTGRESQL: Final = (
    "pass_no_return:within:1",
    "pass_no_return:after:1",
    "order:sent:1",
    "apply_event:within:3",
)


def test_a_clean_run_passes_every_place(home: Nursery, database: str, tmp_path: Path) -> None:
    """
    Without any failpoint, calls pass all places that every call must pass, and no invariant is broken.
    """
    report = asyncio.run(run(Plan(callees=ALL), tmp_path, database, home))

    assert_all_hold(report.verdict)
    assert set() == {f"{name}:1" for name in ESSENTIAL} - set(report.passes)
    assert 0 == report.kills


def test_a_death_at_any_place_breaks_nothing(home: Nursery) -> None:
    """
    A process that dies between any two steps leaves a database from which all invariants hold.
    """
    play = Play(home, "sqlite")

    asyncio.run(play.places(PLACES, QUICK_CALLEES))
    asyncio.run(play.places(PLACES_OF_DOUBT))

    calls = len(QUICK_CALLEES) * len(PLACES) + len(CALLEES) * len(PLACES_OF_DOUBT)
    assert [] == play.totals.broken
    assert (len(PLACES) + len(PLACES_OF_DOUBT), calls) == (play.totals.kills, play.totals.calls)
    assert (0, 0, 0) == (play.totals.duplicates, play.totals.lost, play.totals.money_difference_micros)


def test_a_death_breaks_nothing_over_postgresql_either(home: Nursery) -> None:
    """
    The same over PostgreSQL, where the process that comes after must first find the one before lost.
    """
    play = Play(home, "postgres")

    asyncio.run(play.places(PLACES_OVER_POSTGRESQL, QUICK_CALLEES))

    assert [] == play.totals.broken
    assert len(PLACES_OVER_POSTGRESQL) == play.totals.kills


@pytest.mark.parametrize(("kind", "count"), [("sqlite", 5), ("postgres", 2)])
def test_schedules_by_seed_break_nothing(home: Nursery, kind: str, count: int) -> None:
    """
    Kills, stops, faults of the network and jumps of the clock, all mixed, break no invariant.
    """
    play = Play(home, kind)

    last = asyncio.run(play.seeds(1, count=count))

    assert [] == play.totals.broken
    assert (count, count) == (last, play.totals.schedules)
