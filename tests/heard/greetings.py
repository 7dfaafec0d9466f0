"""
Greetings that flite speaks and the transcriber understands, all of them apart.
"""

import random
from itertools import product
from typing import Final

TEMPLATE: Final = "Hello {{name}}, your appointment is at {{time}}."

NAMES: Final = (
    "Alice",
    "Christopher",
    "David",
    "Elizabeth",
    "Jennifer",
    "Karen",
    "Laura",
    "Maria",
    "Michael",
    "Oliver",
    "Peter",
    "Robert",
    "Susan",
    "Thomas",
)
"""Known to the model's dictionary and unlike each other on a telephone: Anna and Emma are not."""

HOURS: Final = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve")
TIMES: Final = tuple(f"{hour}{minutes}" for hour in HOURS for minutes in ("", " fifteen", " thirty", " forty five"))


def sentence(name: str, time: str) -> str:
    """
    Return the template, rendered.
    """
    return TEMPLATE.replace("{{name}}", name).replace("{{time}}", time)


def nameless(time: str) -> str:
    """
    Return the template, rendered without a name.
    """
    return sentence("", time).replace(" ,", ",")


def sentences() -> tuple[str, ...]:
    """
    Return every greeting there is: 672.
    """
    return tuple(sentence(name, time) for name, time in product(NAMES, TIMES))


def some_pairs(seed: int, count: int) -> tuple[tuple[str, str], ...]:
    """
    Return names with times, at random; the same seed gives the same pairs.
    """
    chance = random.Random(seed)  # noqa: S311 - nothing is kept secret
    return tuple((chance.choice(NAMES), chance.choice(TIMES)) for _ in range(count))
