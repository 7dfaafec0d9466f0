"""
Do-Not-Call lists at the command line.
"""

import csv
import gzip
import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.cli.commands import PATIENCE_S, PROGRAM, CommandLine

OWNER = ("--account", "1")
OPERATOR = ("--operator",)
FIRST, SECOND = "+15551234567", "+442079460018"


@pytest.fixture
def line(line: CommandLine) -> CommandLine:
    """
    A command line with two accounts.
    """
    line.ask("account", "create", "Clinic", "--default-region", "GB")
    line.ask("account", "create", "Practice")
    return line


@pytest.fixture
def numbers(tmp_path: Path) -> Path:
    """
    A file of two numbers.
    """
    path = tmp_path / "numbers.txt"
    path.write_text(f"{FIRST}\n{SECOND}\n", encoding="utf-8")
    return path


def _is_listed(line: CommandLine, number: str, *owner: str) -> bool:
    listed: bool = line.ask("dnc", "show", *(owner or OWNER), number)["listed"]
    return listed


def _exported(line: CommandLine, *words: str) -> list[dict[str, str]]:
    outcome = line.run("dnc", "export", *words)
    assert outcome.exit_code == 0
    return list(csv.DictReader(outcome.out.splitlines()))


def test_the_operators_list_binds_every_account(line: CommandLine) -> None:
    """
    An account can't take off what the operator listed; the operator can.
    """
    line.ask("dnc", "add", *OPERATOR, FIRST, "--reason", "never")
    removed = line.ask("dnc", "remove", *OWNER, FIRST)["removed"]
    shown = [line.ask("dnc", "show", "--account", account, FIRST) for account in ("1", "2")]

    line.ask("dnc", "remove", *OPERATOR, FIRST)

    assert removed is False
    assert [(True, True)] * 2 == [(body["listed"], body["entries"][0]["operator"]) for body in shown]
    assert not _is_listed(line, FIRST)


def test_lists_have_names_and_sources(line: CommandLine) -> None:
    """
    A list is made when a number is put on it, and gone with its numbers when it is dropped.
    """
    line.ask("dnc", "add", *OWNER, FIRST, "--list", "court", "--source", "a court order")
    line.ask("dnc", "add", *OWNER, SECOND)
    lists = line.ask("dnc", "lists", *OWNER)["lists"]
    dropped = line.ask("dnc", "drop", *OWNER, "court")

    again = line.run("dnc", "drop", *OWNER, "court", "--json")

    assert [("court", "a court order"), ("default", "")] == [(one["name"], one["source"]) for one in lists]
    assert "court" == dropped["name"]
    assert (1, "not_found") == (again.exit_code, again.body["error"])
    assert [False, True] == [_is_listed(line, FIRST), _is_listed(line, SECOND)]


@pytest.mark.parametrize(("until", "is_listed"), [("2000-01-01", False), ("2200-01-01T00:00:00+02:00", True)])
def test_an_entry_counts_until_it_expires(line: CommandLine, until: str, *, is_listed: bool) -> None:
    """
    It is shown afterwards, but binds nobody.
    """
    line.ask("dnc", "add", *OWNER, FIRST, "--expires-at", until)

    body = line.ask("dnc", "show", *OWNER, FIRST)

    assert (is_listed, is_listed, 1) == (body["listed"], body["entries"][0]["live"], len(body["entries"]))


@pytest.mark.parametrize("words", [(), (*OWNER, *OPERATOR)])
def test_the_lists_owner_is_named_once(line: CommandLine, words: tuple[str, ...]) -> None:
    """
    Neither and both are wrong usage.
    """
    outcome = line.run("dnc", "lists", *words, "--json")

    assert (2, "wrong_usage") == (outcome.exit_code, outcome.body["error"])


def test_a_time_that_is_none_is_told(line: CommandLine) -> None:
    """
    Nothing is listed for ever by mistake.
    """
    outcome = line.run("dnc", "add", *OWNER, FIRST, "--expires-at", "tomorrow")

    assert 2 == outcome.exit_code
    assert "'tomorrow' is no time" in outcome.err


@pytest.mark.parametrize("owner", [OWNER, OPERATOR])
def test_what_is_imported_is_listed_and_exported(line: CommandLine, numbers: Path, owner: tuple[str, ...]) -> None:
    """
    With its reason and expiry, on the list that was named.
    """
    words = ("--list", "register", "--reason", "registered", "--expires-at", "2200-01-01")

    body = line.ask("dnc", "import", *owner, *words, str(numbers))

    rows = _exported(line, *owner)
    assert (2, 2, 0, ["1"]) == (body["read"], body["stored"], body["unreadable"], body["columns"])
    assert [FIRST, SECOND] == [row["phone_number"] for row in rows]
    assert {("operator" if owner is OPERATOR else "register", "registered", "2200-01-01T00:00:00Z")} == {
        (row["list"], row["reason"], row["expires_at"]) for row in rows
    }
    assert _is_listed(line, FIRST)


@pytest.mark.parametrize(
    ("words", "exit_code", "stored"), [((), 1, 0), (("--partial",), 0, 2)], ids=["all or nothing", "partial"]
)
def test_one_unreadable_line_stops_an_import_that_is_not_partial(
    line: CommandLine, tmp_path: Path, words: tuple[str, ...], exit_code: int, stored: int
) -> None:
    """
    The line is told either way, without what stands there.
    """
    path = tmp_path / "numbers.csv"
    path.write_text(f"name,phone\nAnn,{FIRST}\nBob,secret\nCid,020 7946 0018\n", encoding="utf-8")

    outcome = line.run("dnc", "import", *OWNER, *words, "--column", "phone", str(path), "--json")

    assert exit_code == outcome.exit_code
    assert (2, stored, 1) == (outcome.body["read"], outcome.body["stored"], outcome.body["unreadable"])
    assert "line 3: It is no phone number.\n" == outcome.err
    assert [stored > 0] * 2 == [_is_listed(line, FIRST), _is_listed(line, SECOND)]


def test_unreadable_lines_go_to_a_file(line: CommandLine, tmp_path: Path) -> None:
    """
    One a line, nothing on standard error.
    """
    path, errors = tmp_path / "numbers.txt", tmp_path / "errors.txt"
    path.write_text(f"{FIRST}\n5551234567\n", encoding="utf-8")

    outcome = line.run("dnc", "import", *OPERATOR, "--partial", "--errors", str(errors), str(path))

    assert (0, "") == (outcome.exit_code, outcome.err)
    assert "line 2: It has no +, and no region was given.\n" == errors.read_text(encoding="utf-8")


def test_national_numbers_are_the_accounts_or_of_the_region(line: CommandLine, tmp_path: Path) -> None:
    """
    The option wins over the account's own region; a region that is none is refused.
    """
    path = tmp_path / "numbers.txt"
    path.write_text("020 7946 0018\n", encoding="utf-8")

    own = line.ask("dnc", "import", *OWNER, str(path))
    other = line.run("dnc", "import", *OWNER, "--region", "US", str(path), "--json")
    wrong = line.run("dnc", "import", *OWNER, "--region", "Mars", str(path), "--json")

    assert (1, 0) == (own["stored"], other.body["stored"])
    assert (2, "invalid_value") == (wrong.exit_code, wrong.body["error"])
    assert [SECOND] == [row["phone_number"] for row in _exported(line, *OWNER)]


def test_a_compressed_file_comes_through_standard_input(line: CommandLine, numbers: Path) -> None:
    """
    As a pipe, which can't be read twice.
    """
    words = ("dnc", "import", *OWNER, "-", "--json")

    ended = subprocess.run(
        [*PROGRAM, *words],
        input=gzip.compress(numbers.read_bytes()),
        env={**os.environ, **line.variables},
        capture_output=True,
        check=True,
        timeout=PATIENCE_S,
    )

    assert 2 == json.loads(ended.stdout)["stored"]


def test_an_export_is_complete_or_not_there(line: CommandLine, numbers: Path, tmp_path: Path) -> None:
    """
    A file appears under its name when all is written; one that was there stays until then.
    """
    line.ask("dnc", "import", *OWNER, str(numbers))
    path = tmp_path / "export.csv"
    path.write_text("before", encoding="utf-8")
    missing = line.run("dnc", "export", *OWNER, "--list", "nobody", "--output", str(path))
    kept = path.read_text(encoding="utf-8")

    body: Any = line.ask("dnc", "export", *OWNER, "-o", str(path))

    assert (1, "before") == (missing.exit_code, kept)
    assert 2 == body["numbers"]
    assert 3 == len(path.read_text(encoding="utf-8").splitlines())
    assert [path] == list(tmp_path.glob("export*"))


def test_an_export_can_be_imported(line: CommandLine, numbers: Path, tmp_path: Path) -> None:
    """
    Times and names beside the numbers are not taken for numbers.
    """
    line.ask("dnc", "import", *OWNER, str(numbers), "--expires-at", "2200-01-01", "--reason", "on 24 April 2025")
    path = tmp_path / "export.csv"
    line.ask("dnc", "export", *OWNER, "-o", str(path))

    body = line.ask("dnc", "import", "--account", "2", str(path))

    assert (2, 2, ["phone_number"]) == (body["read"], body["stored"], body["columns"])


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("add", *OWNER, FIRST, "--reason", "asked"), "asked"),
        (("show", *OWNER, SECOND), "is not listed"),
        (("show", *OPERATOR, FIRST), "2200-01-01"),
        (("lists", *OWNER), "federal"),
        (("lists", *OPERATOR), "operator"),
        (("drop", *OWNER, "federal"), "federal"),
        (("remove", *OPERATOR, FIRST), "no longer"),
        (("export", *OWNER), FIRST),
    ],
)
def test_people_read_tables(line: CommandLine, words: tuple[str, ...], part: str) -> None:
    """
    Without `--json` the same is shown in words.
    """
    line.ask("dnc", "add", *OWNER, FIRST, "--list", "federal")
    line.ask("dnc", "add", *OPERATOR, FIRST, "--expires-at", "2200-01-01")

    outcome = line.run("dnc", *words)

    assert (0, "") == (outcome.exit_code, outcome.err)
    assert part in outcome.out


def test_people_read_how_an_import_went(line: CommandLine, numbers: Path) -> None:
    """
    How many numbers were read and are listed.
    """
    outcome = line.run("dnc", "import", *OWNER, str(numbers))

    assert 0 == outcome.exit_code
    assert "listed now" in outcome.out
