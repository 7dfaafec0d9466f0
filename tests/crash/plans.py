"""
What is asked for in a schedule, and when which process dies of what: written out, or drawn by a seed.
"""

import random
from typing import Final

import attrs

from outdial.adapters.sqlite.storage import BUSY_TIMEOUT_S
from tests.crash.failpoints import ESSENTIAL
from tests.crash.faults import NAMES, callee
from tests.crash.others import DEEDS
from tests.crash.service_process import BUSY, FRAMES_LEFT, PAGES_LEFT

LOCKED_S: Final = 1.5
LISTED: Final = "+15559990000"
"""On a Do-Not-Call list from the beginning."""

LISTED_LATER: Final = "+15559997000"


@attrs.frozen(kw_only=True)
class Life:
    """
    How one process of the service ends.

    Attributes:
        failpoint: Where it dies or is stopped; empty for nowhere.

        killed_after_s: When it is killed from outside; `None` for never.

        paused_after_s: When it is stopped for a while.

        others: What others do while it is stopped at its failpoint, of `DEEDS`; empty for nothing.

        carrier_away_after_s: When the network is killed for a while.

        locked_after_s: When somebody else locks the database for a while.

        locked_s: For how long; if for longer than usual, the service is as patient with locks as in earnest.

        dropped_after_s: When the database closes all connections.

        pages_left: By how much a SQLite file may grow until the disk is full; `None` for any.

        frames_left: How many frames SQLite may write to its log until the disk is full for a while; `None` for any.
    """

    failpoint: str = ""
    killed_after_s: float | None = None
    paused_after_s: float | None = None
    others: str = ""
    carrier_away_after_s: float | None = None
    locked_after_s: float | None = None
    locked_s: float = LOCKED_S
    dropped_after_s: float | None = None
    pages_left: int | None = None
    frames_left: int | None = None

    @property
    def variables(self) -> dict[str, str]:
        """
        What the service is to be told of it.
        """
        busy_s = BUSY_TIMEOUT_S if self.locked_s > LOCKED_S else None
        given = {PAGES_LEFT: self.pages_left, FRAMES_LEFT: self.frames_left, BUSY: busy_s}
        return {name: str(value) for name, value in given.items() if value is not None}

    @property
    def is_database_steady(self) -> bool:
        """
        Whether the database can be asked at any time.
        """
        is_short_of_room = self.pages_left is not None or self.frames_left is not None
        return not is_short_of_room and self.locked_after_s is None and self.dropped_after_s is None


@attrs.frozen(kw_only=True)
class Plan:
    """
    One schedule.

    Attributes:
        callees: Who is asked for; the last digits say how the network misbehaves.

        lives: How the service dies, again and again; afterwards it is left to live.

        clock: How its wall clock is set, see `JumpingClock.of_words`; empty for never.

        mistake: What is wrong with the service on purpose.
    """

    callees: tuple[str, ...]
    lives: tuple[Life, ...] = ()
    clock: str = ""
    mistake: str = ""


def random_plan(seed: int) -> Plan:
    """
    Return the schedule of a seed.
    """
    chance = random.Random(seed)  # noqa: S311 - to be repeated, not to be secret
    count = chance.randint(3, 12)
    callees = [callee(chance.choice((*NAMES, "honest", "honest")), number) for number in range(count)]
    extra = [LISTED] if chance.random() < 0.3 else []
    if chance.random() < 0.5:
        extra.append(LISTED_LATER)
    lives = tuple(_random_life(chance) for _ in range(chance.randint(1, 4)))
    clock = chance.choice(("", "", "", "7", "40", f"{chance.randint(1, 80)}:{chance.choice((-1, 1))}"))
    return Plan(callees=tuple(chance.sample([*callees, *extra], count + len(extra))), lives=lives, clock=clock)


def _random_life(chance: random.Random) -> Life:
    name = f"{chance.choice(ESSENTIAL)}:{chance.randint(1, 6)}"
    lives = (
        *2 * [Life(failpoint=name)],
        Life(killed_after_s=chance.uniform(0.02, 1.0)),
        Life(failpoint=f"{name}:stop", killed_after_s=chance.uniform(0.5, 1.5)),
        *[Life(failpoint=f"{name}:stop", others=deed) for deed in DEEDS],
        Life(locked_after_s=chance.uniform(0.02, 0.4), killed_after_s=chance.uniform(0.5, 4.0)),
        Life(pages_left=chance.randint(0, 40), killed_after_s=chance.uniform(0.5, 1.5)),
        Life(
            frames_left=chance.randint(0, 200),
            dropped_after_s=chance.uniform(0.02, 1.0),
            killed_after_s=chance.uniform(0.5, 2.5),
        ),
        Life(
            paused_after_s=chance.uniform(0.02, 0.4),
            carrier_away_after_s=chance.uniform(0.02, 0.4),
            killed_after_s=chance.uniform(0.3, 1.2),
        ),
    )
    return chance.choice(lives)


ASLEEP: Final = Life(failpoint="order:sent:1:stop", others="list")
"""A worker that sleeps while its phone rings, is answered, and turns out to have been on a Do-Not-Call list."""
