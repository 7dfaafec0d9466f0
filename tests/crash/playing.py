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

from tests.crash.rig import Nursery
from tests.crash.schedules import Life, Plan, Report, callee, random_plan, run
from tests.crash.totals import Totals
from tests.postgres.databases import new_database

SIDE_BY_SIDE: Final = 4
CALLEES: Final = (callee("honest"), callee("accept+500", 1), callee("refuse", 2))
"""Who is asked for while the service dies at a place."""


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

    async def clean_run(self) -> tuple[str, ...]:
        """
        Play what is played at each place without a death, and return the places that it passed.
        """
        clean = await self.play("clean run", Plan(callees=CALLEES))
        return tuple(dict.fromkeys(clean.passes)) if clean is not None else ()

    async def places(self, places: Iterable[str]) -> None:
        """
        Have the service die at each of some places.
        """
        left = iter(places)
        await asyncio.gather(*[self._die_at(left) for _ in range(SIDE_BY_SIDE)])

    async def seeds(self, first: int, *, count: int | None = None, until_s: float = 0.0) -> int:
        """
        Play so many schedules by seed, or until a time of the steady clock but at least one; return the last seed.
        """
        left = iter(range(first, first + count)) if count is not None else _until(first, until_s)
        return max(await asyncio.gather(*[self._by_seed(left, first) for _ in range(SIDE_BY_SIDE)]))

    async def _die_at(self, places: Iterator[str]) -> None:
        for place in places:
            await self.play(f"failpoint {place}", Plan(callees=CALLEES, lives=(Life(failpoint=place),)))

    async def _by_seed(self, seeds: Iterator[int], first: int) -> int:
        last = first
        for seed in seeds:
            last = seed
            await self.play(f"seed {seed}", random_plan(seed))
        return last


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
