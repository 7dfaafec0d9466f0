"""
Files of numbers: what is read of them, and what is told of the rest.
"""

import csv
import gzip
import io
import itertools
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.entrypoints.number_files.layout import layout_of
from outdial.entrypoints.number_files.lines import LINE_LENGTH_MAX, read_lines
from outdial.entrypoints.number_files.reading import NO_COUNTRY, NO_NUMBER, Unreadable, read_numbers
from outdial.entrypoints.number_files.spool import NumberSpool

FIRST, SECOND, THIRD = "+15551234567", "+442079460018", "+4930123456"


def _read(
    content: bytes | str, *, columns: Sequence[str] = (), region: str | None = None
) -> tuple[list[str], list[Unreadable]]:
    encoded = content.encode() if isinstance(content, str) else content
    batches = list(read_numbers(io.BytesIO(encoded), columns=columns, region=region))
    return [number for batch in batches for number in batch.numbers], [
        unreadable for batch in batches for unreadable in batch.unreadable
    ]


@pytest.mark.parametrize(
    "content",
    [
        f"{FIRST}\n{SECOND}\n",
        f"{FIRST}\n{SECOND}",
        f"{FIRST}\r\n\r\n{SECOND}\r\n",
        f"{FIRST}\r{SECOND}",
        f"phone number\n{FIRST}\n{SECOND}\n",
        f'"{FIRST}"\n"{SECOND}"\n',
        f"  {FIRST}\n\t{SECOND}  \n",
        "+1 (555) 123-4567\n+44 (0)20 7946 0018\n",
        f"name,phone\nAnn,{FIRST}\nBob,{SECOND}\n",
        f"Phone 1;Phone 2\n{FIRST};\n;{SECOND}\n",
        f"{FIRST}|{SECOND}\n",
        f"{FIRST}\t{SECOND}",
        f'name,phone\n"Ann\nLee",{FIRST}\n"B, C","{SECOND}"\n',
        f"\ufeff{FIRST}\n{SECOND}\n",
        f"{FIRST}\n{SECOND}\n".encode("utf-16"),
        f"\ufeff{FIRST}\n{SECOND}\n".encode("utf-16-be"),
        f"Name;Nr\nMüller;{FIRST}\nJosé;{SECOND}\n".encode("latin-1"),
        gzip.compress(f"{FIRST}\n{SECOND}\n".encode(), mtime=0),
        gzip.compress(f"a,b\nx,{FIRST}\nx,{SECOND}\n".encode("utf-16"), mtime=0),
        gzip.compress(f"{FIRST}\n".encode(), mtime=0) + gzip.compress(f"{SECOND}\n".encode(), mtime=0),
    ],
)
def test_numbers_are_found_in_every_kind_of_file(content: bytes | str) -> None:
    """
    Text and CSV with any separator, with or without names and byte order mark, UTF-8 or UTF-16, compressed or not.
    """
    numbers, unreadable = _read(content)

    assert [FIRST, SECOND] == numbers
    assert [] == unreadable


@pytest.mark.parametrize("content", ["", "\n\n", "phone\n", gzip.compress(b"", mtime=0)])
def test_a_file_without_numbers_has_none(content: bytes | str) -> None:
    """
    It is read to its end without a problem.
    """
    assert ([], []) == _read(content)


def test_lines_that_are_no_numbers_are_told() -> None:
    """
    By their place in the file and the reason, without what stands there.
    """
    numbers, unreadable = _read(f"{FIRST}\nnobody\n\n5551234567\n+1 23\n911\n{SECOND}\n")

    assert [FIRST, SECOND] == numbers
    assert [(2, NO_NUMBER), (4, NO_COUNTRY), (5, NO_NUMBER), (6, NO_COUNTRY)] == [
        (one.line, one.problem) for one in unreadable
    ]


def test_lines_are_counted_through_cells_of_several_lines() -> None:
    """
    A name in quotes may hold a line break, and the line that is told is that of the row's end.
    """
    content = f'name,phone\n"Ann\nLee",{FIRST}\nBob,nobody\n'

    numbers, unreadable = _read(content, columns=["phone"])

    assert ([FIRST], [4]) == (numbers, [one.line for one in unreadable])


def test_a_region_is_where_national_numbers_belong() -> None:
    """
    Those with a country code stay what they are.
    """
    assert ([SECOND, FIRST], []) == _read(f"020 7946 0018\n{FIRST}\n", region="GB")


@pytest.mark.parametrize("columns", [["phone"], ["2"], ["PHONE "], ["phone", "mobile"], ["3", "2"]])
def test_columns_are_chosen_by_name_or_place(columns: list[str]) -> None:
    """
    Only those are read, in the order of their choice.
    """
    content = f"id,Phone,mobile\n{THIRD},{FIRST},\n{THIRD},{SECOND},\n"

    assert ([FIRST, SECOND], []) == _read(content, columns=columns)


@pytest.mark.parametrize("column", ["fax", "0", "4", "-1", "²"])
def test_a_column_that_is_not_there_is_refused(column: str) -> None:
    """
    Nothing is read by mistake.
    """
    with pytest.raises(ValueError, match="There is no column"):
        _read(f"id,phone,mobile\n1,{FIRST},\n", columns=[column])


def test_a_column_that_is_seldom_filled_is_not_overlooked() -> None:
    """
    One number among many rows makes a column one of numbers; columns of other things are left alone.
    """
    content = "name,phone,mobile\n" + f"Ann,{FIRST},\n" * 200 + f"Bob,,{SECOND}\n"

    numbers, unreadable = _read(content)

    assert [FIRST] * 200 + [SECOND] == numbers
    assert [] == unreadable


def test_a_file_without_a_column_of_numbers_names_its_columns() -> None:
    """
    Whoever reads it knows what to choose from.
    """
    with pytest.raises(ValueError, match="name one of name, city"):
        _read("name,city\nAnn,Rome\n")


def test_a_line_without_an_end_is_refused() -> None:
    """
    A small compressed file does not fill the memory.
    """
    with pytest.raises(ValueError, match="longer than"):
        _read(gzip.compress(b"1" * (1 << 24), mtime=0))


@pytest.mark.parametrize("cut", [5, 20, -4])
def test_a_broken_compression_is_told(cut: int) -> None:
    """
    A file that was cut is not taken for a shorter list.
    """
    whole = gzip.compress("\n".join(f"+1555{last:07}" for last in range(100)).encode())

    with pytest.raises(ValueError, match="compression is broken"):
        _read(whole[:cut])


def test_what_is_no_csv_is_told_with_its_line() -> None:
    """
    A quote that is never closed swallows the rest; it is not taken for a name.
    """
    content = f'name,phone\nAnn,{FIRST}\n"Bob,{SECOND}\n' + f"Cid,{SECOND}\n" * (csv.field_size_limit() // 10)

    with pytest.raises(ValueError, match="can't be read on from line"):
        _read(content, columns=["phone"])


def test_the_file_stays_open() -> None:
    """
    Whoever opened it closes it.
    """
    opened = io.BytesIO(f"{FIRST}\n".encode())

    lines = list(read_lines(opened))

    assert [FIRST] == lines
    assert not opened.closed


def test_lines_may_be_as_long_as_the_limit() -> None:
    """
    And chunks may end anywhere in them.
    """
    lines = ["x" * length for length in (LINE_LENGTH_MAX, 1, 0, LINE_LENGTH_MAX - 1)] * 20

    assert lines == list(read_lines(io.BytesIO("\n".join(lines).encode())))


@given(
    cells=st.lists(
        st.tuples(st.text(max_size=8), st.sampled_from((FIRST, SECOND, "")), st.text(max_size=8)), min_size=1
    ),
    separator=st.sampled_from(",;\t|"),
)
def test_csv_of_any_texts_gives_the_numbers_of_its_column(cells: list[tuple[str, str, str]], separator: str) -> None:
    """
    Whatever stands beside them, quoted as the csv module does.
    """
    written = io.StringIO()
    rows = csv.writer(written, delimiter=separator, lineterminator="\n")
    rows.writerow(("name", "phone", "note"))
    printable = [(_printable(name), phone, _printable(note)) for name, phone, note in cells]
    rows.writerows(printable)

    numbers, unreadable = _read(written.getvalue(), columns=["phone"])

    assert [phone for _name, phone, _note in cells if phone] == numbers
    assert [] == unreadable


def _printable(text: str) -> str:
    return "".join(character for character in text if character.isalnum() or character in ' "')


@given(
    batches=st.lists(st.lists(st.integers(10**6, 10**15 - 1).map("+{}".format), max_size=9), max_size=9),
    run=st.integers(1, 12),
)
def test_a_spool_gives_back_each_number_once_in_order(batches: list[list[str]], run: int) -> None:
    """
    However many stay in memory, and as often as it is asked.
    """
    with NumberSpool(run) as spool:
        for batch in batches:
            spool.add(batch)
        found = [list(spool), list(spool)]

    assert [sorted(set(itertools.chain(*batches)))] * 2 == found


def test_the_layout_tells_the_columns_by_name_or_place() -> None:
    """
    So that people can see what was read.
    """
    is_number = FIRST.__eq__

    named = layout_of(["name,phone", f"Ann,{FIRST}"], (), is_number)
    unnamed = layout_of([f"Ann,{FIRST}"], (), is_number)

    assert (("phone",), ("2",)) == (named.chosen, unnamed.chosen)
