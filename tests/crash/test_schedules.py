"""
outdial killed at fixed places and by fixed seeds: a short run of what `make crash` does for as long as is wanted.
"""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest

from tests.crash.failpoints import ESSENTIAL
from tests.crash.faults import callee
from tests.crash.others import DEEDS
from tests.crash.plans import Life, Plan
from tests.crash.playing import ALL, CALLEES, QUICK_CALLEES, Play
from tests.crash.rig import Nursery, nursery
from tests.crash.schedules import Report, run
from tests.postgres.databases import new_database

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
ASLEEP: Final = Life(failpoint="order:sent:1:stop", others="list")
"""A worker that sleeps while its phone rings, is answered, and turns out to have been on a Do-Not-Call list."""


@pytest.fixture(scope="module")
def home() -> Iterator[Nursery]:
    """
    Where services come from.
    """
    with nursery() as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """
    The address of an empty database, once of each kind.
    """
    return new_database() if request.param == "postgres" else f"sqlite:///{tmp_path / 'outdial.db'}"


def _check(report: Report) -> None:
    assert () == report.verdict.violations
    assert (0, 0) == (report.verdict.duplicates, report.verdict.lost)
    assert 0 == report.verdict.money_difference_micros


def test_a_clean_run_passes_every_place(home: Nursery, database: str, tmp_path: Path) -> None:
    """
    Without any failpoint, calls pass all places that every call must pass, and no invariant is broken.
    """
    report = asyncio.run(run(Plan(callees=ALL), tmp_path, database, home))

    _check(report)
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


@pytest.mark.parametrize("life", [Life(pages_left=4, killed_after_s=1.0), Life(frames_left=60)])
def test_a_full_disk_breaks_nothing(home: Nursery, tmp_path: Path, life: Life) -> None:
    """
    A service whose disk is full at some write breaks no promise once there is room, killed in its trouble or not.
    """
    plan = Plan(callees=QUICK_CALLEES, lives=(life,))

    report = asyncio.run(run(plan, tmp_path, f"sqlite:///{tmp_path / 'outdial.db'}", home))

    _check(report)
    assert 1 == report.kills + report.troubles


def test_a_locked_database_breaks_nothing(home: Nursery, database: str, tmp_path: Path) -> None:
    """
    A database that somebody else locks for long while calls are on the line delays them, and breaks nothing.
    """
    plan = Plan(callees=QUICK_CALLEES, lives=(Life(locked_after_s=0.1),))

    report = asyncio.run(run(plan, tmp_path, database, home))

    _check(report)


@pytest.mark.parametrize(
    ("mistake", "plan", "invariant"),
    [
        pytest.param(
            "naive re-queue",
            Plan(callees=(callee("honest"),), lives=(Life(failpoint="order:after:1"),), mistake="naive re-queue"),
            "I1",
            id="naive-re-queue",
        ),
        pytest.param(
            "retrying client",
            Plan(callees=(callee("accept+500"),), mistake="retrying client"),
            "I1",
            id="retrying-client",
        ),
        pytest.param(
            "retry after doubt",
            Plan(callees=(callee("accept+500"),), mistake="retry after doubt"),
            "I1",
            id="retry-after-doubt",
        ),
        pytest.param(
            "not found is no dial",
            Plan(callees=(callee("look-up finds nothing"),), mistake="not found is no dial"),
            "I1",
            id="not-found-is-no-dial",
        ),
        pytest.param(
            "answer gate off",
            Plan(callees=(callee("rings long"),), lives=(ASLEEP,), mistake="answer gate off"),
            "gate",
            id="answer-gate-off",
        ),
    ],
)
def test_known_mistakes_are_caught(home: Nursery, tmp_path: Path, mistake: str, plan: Plan, invariant: str) -> None:
    """
    A phone rings twice, or somebody on a Do-Not-Call list hears the agent: it is seen.
    """
    report = asyncio.run(run(plan, tmp_path, f"sqlite:///{tmp_path / 'outdial.db'}", home))

    assert invariant in {violation.invariant for violation in report.verdict.violations}, mistake
    assert (invariant == "I1") == (report.verdict.duplicates > 0)


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_nobody_talks_to_whom_others_took_from_a_sleeping_worker(home: Nursery, kind: str) -> None:
    """
    A call that was listed, canceled or ended by others while its worker slept gets an apology when it is answered.
    """
    play = Play(home, kind)
    asleep = ((deed, attrs.evolve(ASLEEP, others=deed)) for deed in DEEDS)

    asyncio.run(play.play_all((deed, Plan(callees=(callee("rings long"),), lives=(life,))) for deed, life in asleep))

    assert [] == play.totals.broken
    assert (len(DEEDS), len(DEEDS)) == (play.totals.stops, play.totals.answers_stopped)
