"""
Where the numbers stand in a file: what separates its columns, and which of them hold numbers.
"""

import csv
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

import attrs

SAMPLE_LINES: Final = 10_000
"""How much of a file is looked at to find out: a column that is seldom filled must not be overlooked."""

Row = tuple[int, Sequence[str]]
"""A line's number, from 1 on, and its cells."""

_SEPARATORS: Final = (",", ";", "\t", "|")
_NAME_DIGITS_MAX: Final = 4
"""A column may be called `Phone 2`; a cell with more digits is no name."""


@attrs.frozen(kw_only=True)
class Layout:
    """
    How to read the rows of a file.

    Attributes:
        separator: What stands between columns; `None` when there is one column.

        names: What the first row calls the columns; none when it has numbers.

        columns: Which hold numbers, counted from 0.
    """

    separator: str | None
    names: tuple[str, ...]
    columns: tuple[int, ...]

    @property
    def chosen(self) -> tuple[str, ...]:
        """
        The columns that hold numbers, by name or place from 1 on.
        """
        return tuple(self.names[place] if place < len(self.names) else str(place + 1) for place in self.columns)


def layout_of(sample: Sequence[str], chosen: Sequence[str], is_number: Callable[[str], bool]) -> Layout:
    """
    Find out the layout from a file's first lines.

    Args:
        chosen: Columns by their names or places from 1 on; none for every one that looks like numbers.

        is_number: Tells whether a cell can be read.

    Raises:
        ValueError: Says which column there is not, or that none looks like numbers.
    """
    separator = _separator_of(sample)
    rows = [row for _line, row in rows_of(sample, separator) if any(map(str.strip, row))]
    first = tuple(cell.strip() for cell in rows[0]) if rows else ()
    names = first if _are_names(first) else ()
    if chosen:
        width = max(map(len, rows), default=0)
        columns = tuple(_place_of(name, names, width=width) for name in chosen)
    elif separator is None:
        columns = (0,)
    else:
        columns = _columns_of_numbers(rows[bool(names) :], is_number)
    if not columns:
        raise ValueError(f"No column looks like numbers: name one of {', '.join(first)} or its place, from 1 on.")
    return Layout(separator=separator, names=names, columns=columns)


def rows_of(lines: Iterable[str], separator: str | None) -> Iterator[Row]:
    """
    Yield the rows of a file's lines.

    Raises:
        ValueError: It can't be read on; says from where.
    """
    if separator is None:
        yield from ((line, (text,)) for line, text in enumerate(lines, 1))
        return
    reader = csv.reader(lines, delimiter=separator)
    try:
        for row in reader:
            yield reader.line_num, row
    except csv.Error as error:
        raise ValueError(f"The file can't be read on from line {reader.line_num}: {error}.") from error


def _separator_of(sample: Sequence[str]) -> str | None:
    found = {separator: sum(separator in line for line in sample) for separator in _SEPARATORS}
    best = max(_SEPARATORS, key=lambda separator: found[separator])
    return best if found[best] else None


def _are_names(row: Sequence[str]) -> bool:
    has_words = any(character.isalpha() for cell in row for character in cell)
    return has_words and all(sum(map(str.isdigit, cell)) <= _NAME_DIGITS_MAX for cell in row)


def _place_of(chosen: str, names: Sequence[str], *, width: int) -> int:
    known = [name.casefold() for name in names]
    if chosen.strip().casefold() in known:
        return known.index(chosen.strip().casefold())
    if chosen.isascii() and chosen.isdigit() and 1 <= int(chosen) <= width:
        return int(chosen) - 1
    raise ValueError(f"There is no column {chosen!r}.")


def _columns_of_numbers(rows: Sequence[Sequence[str]], is_number: Callable[[str], bool]) -> tuple[int, ...]:
    """
    Return the columns with a number anywhere: one that is overlooked would be called.
    """
    found: set[int] = set()
    for row in rows:
        found.update(place for place, cell in enumerate(row) if place not in found and is_number(cell.strip()))
    return tuple(sorted(found))
