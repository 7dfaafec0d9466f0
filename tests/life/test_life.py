"""
Calls of two accounts live over each storage in any order of events, and the laws hold after each.
"""

import os
from typing import Final

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from outdial.domain.model.lifecycle import TRANSITIONS
from tests.life.laws import Step
from tests.life.machine import Life
from tests.life.mutants import MUTANTS, QUICK

FACTOR: Final = int(os.environ.get("OUTDIAL_FUZZ", "1"))
"""How many times longer than usual is searched; `make fuzz` sets it."""

STEPS: Final = 40
EVERY_STEP: Final = frozenset((before, after) for before, row in TRANSITIONS.items() for after in row.values())

LIVES: Final = 12
SEEDS: Final = 40
"""How many lives are led with one seed, and with how many seeds at most until all has been seen."""

SEARCHING: Final = settings(
    stateful_step_count=STEPS,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
)
REPEATING: Final = settings(SEARCHING, max_examples=LIVES, database=None, phases=[Phase.generate])


class LifeInSqlite(Life):
    """
    The same, in a file.
    """

    storage_kind = "sqlite"


class LifeInPostgres(Life):
    """
    The same, on a server.
    """

    storage_kind = "postgres"


@pytest.mark.parametrize(("life", "lives"), [(Life, 10), (LifeInSqlite, 6), (LifeInPostgres, 4)])
def test_no_order_of_events_breaks_a_law(life: type[Life], lives: int) -> None:
    """
    Whatever people, workers, the network and disasters do, no phone rings twice, and money and messages add up.
    """
    run_state_machine_as_test(life, settings=settings(SEARCHING, max_examples=lives * FACTOR))


def test_every_step_of_the_life_cycle_is_taken() -> None:
    """
    The lives that are led go all ways that there are: no law holds because nothing happens.
    """
    taken: set[Step] = set()

    class RememberedLife(Life):
        """
        One that tells in the end what happened in it.
        """

        def teardown(self) -> None:
            """
            Tell.
            """
            taken.update(self.steps)
            super().teardown()

    for number in range(SEEDS):
        run_state_machine_as_test(seed(number)(RememberedLife), settings=REPEATING)
        if taken == EVERY_STEP:
            break

    assert taken == EVERY_STEP


@pytest.mark.parametrize("name", MUTANTS if FACTOR > 1 else QUICK)
def test_every_mistake_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Negative controls: the product is broken in one place, and some life breaks a law.
    """
    MUTANTS[name](monkeypatch)

    with pytest.raises(Exception):  # noqa: B017 - most break a law, some the storage
        _live_often()


def _live_often() -> None:
    for number in range(SEEDS):
        run_state_machine_as_test(seed(number)(type("LifeAgain", (Life,), {})), settings=REPEATING)
