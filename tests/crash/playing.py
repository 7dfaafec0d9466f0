"""
Playing many schedules, some of them side by side.
"""

import asyncio
import itertools
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Final

from tests.crash.faults import NAMES, callee
from tests.crash.plans import Life, Plan, random_plan
from tests.crash.rig import Nursery
from tests.crash.schedules import Report, run
from tests.crash.totals import Totals
from tests.postgres.databases import new_database

SIDE_BY_SIDE: Final = 6
"""Schedules wait most of the time."""

CALLEES: Final = (
    callee("honest"),
    callee("refuse", 1),
    callee("look-up finds nothing", 2),
    callee("tells too late", 3),
)
"""Who is asked for while the service dies at a place."""

QUICK_CALLEES: Final = (callee("honest"), callee("refuse", 1), callee("accept+500", 2))
"""Who is asked for when it is the database that has troubles: they wait for nothing."""

ALL: Final = tuple(map(callee, NAMES))
ENDLESS: Final = 10**6
LOOKS: Final = range(1, 100, 3)
"""At which looks at the clock it is set; the calls are over by then, and every phase has had one."""

LOCKED_S: Final = 30.0


class Play:
    """
    Plays schedules over one kind of database, and counts.
    """

    def __init__(self, home: Nursery, database: str) -> None:
        self._home = home
        self._database = database
        self.totals = Totals()

    async def play(self, name: str, plan: Plan) -> Report | None:
        """
        Play one schedule, and say what it broke; one that comes to no end has broken something, too.
        """
        with tempfile.TemporaryDirectory(prefix="outdial-crash-") as text:
            folder = Path(text)
            url = new_database() if self._database == "postgres" else f"sqlite:///{folder / 'outdial.db'}"
            try:
                report = await run(plan, folder, url, self._home)
            except (AssertionError, TimeoutError, ExceptionGroup) as error:
                self.totals.broken.append(f"{name}: it came to no end: {error!r}")
                say(self.totals.broken[-1])
                return None
        for words in self.totals.add(name, report):
            say(words)
        return report

    async def play_all(self, plans: Iterable[tuple[str, Plan]]) -> None:
        """
        Play schedules by their names.
        """
        left = iter(plans)
        await asyncio.gather(*[self._play_each(left) for _ in range(SIDE_BY_SIDE)])

    async def places(self, places: Iterable[str], callees: tuple[str, ...] = CALLEES) -> None:
        """
        Have the service die at each of some places.
        """
        lives = ((f"failpoint {place}", Life(failpoint=place)) for place in places)
        await self.play_all((name, Plan(callees=callees, lives=(life,))) for name, life in lives)

    async def all_places(self) -> None:
        """
        Have the service die at each pass of each place.
        """
        clean = await self.play("clean run", Plan(callees=CALLEES))
        await self.places(dict.fromkeys(clean.passes) if clean is not None else ())

    async def all_writes(self) -> None:
        """
        Have SQLite's log end, for a while, at each of its frames: each write fails once.
        """
        clean = await self.play("clean run", _with_disk(ENDLESS))
        frames = range(clean.frames if clean is not None and self._database == "sqlite" else 0)
        await self.play_all((f"{frame} frames", _with_disk(frame)) for frame in frames)

    async def clocks(self, clocks: Iterable[str]) -> None:
        """
        Set the clock in some ways, see `JumpingClock.of_words`.
        """
        await self.play_all((f"clock {clock}", Plan(callees=ALL, lives=(Life(),), clock=clock)) for clock in clocks)

    async def all_clocks(self) -> None:
        """
        Set the clock an hour back, or ahead, in each phase of calls.
        """
        clocks = [f"{look}:{hours}" for look in LOOKS for hours in (-1, 1)]
        await self.clocks(clocks)

    async def long_lock(self) -> None:
        """
        Have the database locked for half a minute while calls are on the line.
        """
        life = Life(locked_after_s=0.1, locked_s=LOCKED_S)
        await self.play(f"locked for {LOCKED_S:.0f} s", Plan(callees=ALL, lives=(life,)))

    async def seeds(self, first: int, *, count: int | None = None, until_s: float = 0.0) -> int:
        """
        Play so many schedules by seed, or until a time of the steady clock but at least one; return the last seed.
        """
        left = iter(range(first, first + count)) if count is not None else _until(first, until_s)
        return max(await asyncio.gather(*[self._by_seed(left, first) for _ in range(SIDE_BY_SIDE)]))

    async def _play_each(self, plans: Iterator[tuple[str, Plan]]) -> None:
        for name, plan in plans:
            await self.play(name, plan)

    async def _by_seed(self, seeds: Iterator[int], first: int) -> int:
        last = first
        for seed in seeds:
            last = seed
            await self.play(f"seed {seed}", random_plan(seed))
        return last


def _with_disk(frames: int) -> Plan:
    return Plan(callees=QUICK_CALLEES, lives=(Life(frames_left=frames),))


def say(words: str) -> None:
    """
    Print a line now.
    """
    sys.stdout.write(f"{words}\n")
    sys.stdout.flush()


def _until(first: int, until_s: float) -> Iterator[int]:
    yield first
    for seed in itertools.count(first + 1):
        if time.monotonic() >= until_s:
            return
        yield seed
