"""
What calls cost.
"""

from typing import Any

import pytest

from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.rate import INCREMENT_S_MAX, rate_for
from tests import builders


@pytest.mark.parametrize(
    ("changes", "talk_s", "micros"),
    [
        ({}, 0, 50_000),
        ({}, 1, 50_000),
        ({}, 60, 50_000),
        ({}, 61, 100_000),
        ({"increment_s": 1}, 61, 50_834),
        ({"increment_s": 6}, 61, 55_000),
        ({"increment_s": 1, "minimum_s": 30}, 1, 25_000),
        ({"increment_s": 60, "minimum_s": 61}, 1, 100_000),
        ({"per_minute_micros": 0}, 3600, 0),
        ({"per_minute_micros": 1, "increment_s": 1}, 1, 1),
    ],
)
def test_price_is_by_started_increments(changes: dict[str, Any], talk_s: int, micros: int) -> None:
    """
    Talk time is rounded up to increments, to the minimum, and the price to a whole micro.
    """
    rate = builders.rate(**changes)

    assert micros == rate.price(talk_s)


@pytest.mark.parametrize(
    ("changes", "micros", "talk_s"),
    [
        ({}, 49_999, 0),
        ({}, 50_000, 60),
        ({}, 99_999, 60),
        ({}, 25_000_000, 1800),
        ({"increment_s": 6}, 49_999, 54),
        ({"minimum_s": 120}, 99_999, 0),
        ({"minimum_s": 120}, 100_000, 120),
        ({"minimum_s": 3600}, 3_000_000, 1800),
        ({"minimum_s": 3600}, 2_999_999, 0),
        ({"increment_s": 3600}, 2_999_999, 0),
        ({"per_minute_micros": 0}, 0, 1800),
    ],
)
def test_money_pays_for_whole_increments(changes: dict[str, Any], micros: int, talk_s: int) -> None:
    """
    Money pays for as many increments as fit, for nothing below the minimum, and for all when calls are free.
    """
    rate = builders.rate(**changes)

    assert talk_s == rate.affordable_s(micros, limit_s=1800)


@pytest.mark.parametrize(
    ("prefixes", "chosen"),
    [
        ((), "default"),
        (("44", "2"), "default"),
        (("", "1"), "1"),
        (("1555", "1", "15"), "1555"),
        (("15551234567", "1555"), "15551234567"),
        (("155512345678", "1"), "1"),
    ],
)
def test_longest_prefix_gives_the_rate(prefixes: tuple[str, ...], chosen: str) -> None:
    """
    The rate of the longest prefix of the number counts; without any, the default one.
    """
    default = builders.rate(prefix="", per_minute_micros=7)
    rates = {prefix: builders.rate(prefix=prefix) for prefix in prefixes}

    rate = rate_for(builders.CALLEE, rates.values(), default)

    assert {**rates, "default": default}[chosen] is rate


@pytest.mark.parametrize(
    "changes",
    [
        {"currency": "usd"},
        {"prefix": "+1"},
        {"prefix": "1" * 16},
        {"prefix": "1 5"},
        {"prefix": "\u0661"},
        {"per_minute_micros": -1},
        {"per_minute_micros": MICROS_MAX + 1},
        {"increment_s": 0},
        {"increment_s": INCREMENT_S_MAX + 1},
        {"minimum_s": -1},
        {"minimum_s": INCREMENT_S_MAX + 1},
    ],
)
def test_rates_out_of_bounds_are_refused(changes: dict[str, Any]) -> None:
    """
    A rate is checked when it is made.
    """
    with pytest.raises(ValueError):
        builders.rate(**changes)
