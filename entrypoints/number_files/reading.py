"""
The numbers of a file, and the lines whose numbers can't be read.
"""

from collections.abc import Iterator, Sequence
from itertools import chain, islice
from typing import IO, Final

import attrs

from outdial.domain.model.canonical_number import is_canonical
from outdial.domain.model.look_alike import read_look_alike
from outdial.entrypoints.number_files.layout import SAMPLE_LINES, Layout, Row, layout_of, rows_of
from outdial.entrypoints.number_files.lines import read_lines

BATCH_ROWS: Final = 10_000
"""How much of a file is in memory at once."""

NO_NUMBER: Final = "It is no phone number."
NO_COUNTRY: Final = "It has no +, and no region was given."


@attrs.frozen(kw_only=True)
class Unreadable:
    """
    A line with something that is no number.

    Attributes:
        line: From 1 on.

        problem: A sentence, which does not repeat what stands there.
    """

    line: int
    problem: str


@attrs.frozen
class Batch:
    """
    Some rows of a file.

    Attributes:
        columns: Where numbers were looked for, by name or place.

        numbers: What was read, E.164, in the file's order.
    """

    columns: tuple[str, ...]

    numbers: list[str] = attrs.field(factory=list)
    unreadable: list[Unreadable] = attrs.field(factory=list)


def read_numbers(opened: IO[bytes], *, columns: Sequence[str], region: str | None) -> Iterator[Batch]:
    """
    Yield the numbers of a file: plain text or CSV, compressed or not. Empty cells are passed over.

    Args:
        columns: By name or place from 1 on; none for every one that looks like numbers.

        region: ISO 3166 code of the country that national numbers belong to.

    Raises:
        ValueError: Says why the file can't be read.
    """

    def is_number(cell: str) -> bool:
        return is_canonical(cell) or read_look_alike(cell, default_region=region) is not None

    lines = read_lines(opened)
    sample = list(islice(lines, SAMPLE_LINES))
    layout = layout_of(sample, columns, is_number)
    filled = (row for row in rows_of(chain(sample, lines), layout.separator) if any(row[1]))
    rows = islice(filled, int(bool(layout.names)), None)
    while some := list(islice(rows, BATCH_ROWS)):
        yield _read_batch(some, layout, region)


def _read_batch(rows: Sequence[Row], layout: Layout, region: str | None) -> Batch:
    batch = Batch(layout.chosen)
    columns = sorted(layout.columns)
    add = batch.numbers.append
    for line, row in rows:
        for column in columns:
            if column >= len(row):
                break
            cell = row[column]
            if is_canonical(cell):
                add(cell)
            elif text := cell.strip(" \t\"'"):
                number = read_look_alike(text, default_region=region)
                if number is not None:
                    add(number.e164)
                else:
                    batch.unreadable.append(Unreadable(line=line, problem=_problem(text, region)))
    return batch


def _problem(text: str, region: str | None) -> str:
    has_digits = any(map(str.isdigit, text))
    return NO_COUNTRY if has_digits and region is None and "+" not in text else NO_NUMBER
