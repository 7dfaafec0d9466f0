"""
Long runs of numbers, written some at a time.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Final

BATCH_NUMBERS: Final = 10_000
"""How many are in memory at once."""


def sorted_batches(numbers: Iterable[str]) -> Iterator[list[str]]:
    """
    Yield numbers in batches, each in its order and each number once in it, which is how an index takes them fastest.
    """
    rest = iter(numbers)
    while batch := list(islice(rest, BATCH_NUMBERS)):
        yield sorted(set(batch))
