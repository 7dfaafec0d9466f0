"""
What can't be copied is said in a sentence, with exit code 2, and nothing is changed.
"""

import re
import sqlite3
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from outdial.entrypoints import composition
from tests.cli.commands import CommandLine, Outcome
from tests.contract.storage.database import furnish
from tests.copying.databases import Place, place
from tests.postgres.databases import as_user, make_database

NEWER = {
    "sqlite": "insert into _sqlite_migrations (migration_set, name, applied_at) values ('outdial', '9999', '2030')",
    "postgres": "insert into outdial_migrations (name) values ('9999')",
}


def _refused(line: CommandLine, source: str, target: str) -> str:
    outcome: Outcome = line.run("copy", "--from", source, "--to", target, "--json")
    assert 2 == outcome.exit_code, outcome
    assert outcome.body["error"] in {"database_unavailable", "wrong_usage"}
    message: str = outcome.body["message"]
    assert "sesame" not in outcome.out + outcome.err
    return message


def _unmigrated(folder: Path) -> str:
    path = folder / "bare.db"
    sqlite3.connect(path).close()
    path.touch()
    return f"sqlite:///{path}"


def test_a_database_is_not_copied_onto_itself(line: CommandLine, source: Place) -> None:
    """
    By the same address, another spelling of it, or a link to it.
    """
    path = source.path
    assert path is not None
    link = path.with_name("link.db")
    link.hardlink_to(path)

    for other in (source.url, f"sqlite:///{path.parent}/./{path.name}", f"sqlite:///{link}"):
        assert "the same database" in _refused(line, source.url, other)


def test_a_server_database_is_not_copied_onto_itself(line: CommandLine) -> None:
    """
    The same address twice.
    """
    url = place("postgres", Path()).url

    assert "the same database" in _refused(line, url, url)


Make = Callable[[Path], str]
UNUSABLE: list[tuple[str, Make, str]] = [
    ("missing", lambda folder: f"sqlite:///{folder}/gone.db", r"gone.db does not exist. Run `outdial migrate --data"),
    ("not migrated", _unmigrated, r"older schema or none. Run `outdial migrate --database sqlite:///.*bare.db` first"),
    ("server not migrated", lambda _folder: make_database(), r"Run `outdial migrate --database postgresql://"),
    ("no folder", lambda folder: f"sqlite:///{folder}/source.db/x", "source.db/x can't be opened: Not a directory"),
    ("in memory", lambda _folder: "memory:", "in memory ends with its process"),
    (
        "unreachable",
        lambda _folder: "postgresql://ann:sesame@127.0.0.1:1/x",
        "PostgreSQL at 127.0.0.1:1 can't be used: nobody listens there",
    ),
]


@pytest.mark.parametrize(("name", "make", "sentence"), UNUSABLE, ids=[name for name, *_ in UNUSABLE])
def test_a_side_that_can_not_be_used_is_named(
    line: CommandLine, source: Place, tmp_path: Path, name: str, make: Make, sentence: str
) -> None:
    """
    The same sentence for the source and for the target, with what to do; no file is made by asking.
    """
    other = make(tmp_path)
    lock = tmp_path / "source.db.lock"
    files = sorted([*tmp_path.iterdir(), *([lock] if name != "in memory" else [])])

    as_source, as_target = _refused(line, other, source.url), _refused(line, source.url, other)

    for message in (as_source, as_target):
        assert re.search(sentence, message), message
    if name != "in memory":
        assert as_source.startswith("The source can't be used: ")
        assert as_target.startswith("The target can't be used: ")
    assert files == sorted(path for path in tmp_path.iterdir() if not path.name.startswith("source.db-"))


def test_a_newer_schema_is_refused(line: CommandLine, source: Place, target: Place) -> None:
    """
    Neither side may have been written by a newer outdial.
    """
    target.run(NEWER["postgres" if target.path is None else "sqlite"])

    for message in (_refused(line, source.url, target.url), _refused(line, target.url, source.url)):
        assert "written by a newer outdial" in message


def test_a_target_that_holds_something_is_left_as_it_is(line: CommandLine, source: Place, target: Place) -> None:
    """
    Another account, a changed copy, or a finished copy: not a row is written.
    """
    with target.opened() as database:
        database.transact(furnish)
    before = target.content()

    message = _refused(line, source.url, target.url)

    assert "The target holds accounts or rates already" in message
    assert before == target.content()


def test_a_copy_is_not_made_twice(line: CommandLine, source: Place, target: Place) -> None:
    """
    A finished copy is not empty; a second one says so.
    """
    line.ask("copy", "--from", source.url, "--to", target.url)
    before = target.content()

    assert "holds accounts or rates already" in _refused(line, source.url, target.url)
    assert before == target.content()


@pytest.mark.parametrize("side", ["source", "target"])
def test_nobody_may_dial_meanwhile(line: CommandLine, source: Place, tmp_path: Path, side: str) -> None:
    """
    A process that dials from either file is named by its lock.
    """
    sides = {"source": source, "target": place("sqlite", tmp_path, "target.db")}

    with composition.dialling_rights(sides[side].settings):
        message = _refused(line, source.url, sides["target"].url)

    assert message.startswith(f"The {side} can't be used: Another outdial process dials from this database")
    assert sides["target"].is_empty()


@pytest.mark.parametrize("target", ["postgres"], indirect=True)
@pytest.mark.parametrize("side", ["source", "target"])
def test_workers_of_a_server_are_heard_of(line: CommandLine, source: Place, target: Place, side: str) -> None:
    """
    A worker that showed itself lately dials from the database, on whatever machine; a silent one does not.
    """
    target.run("insert into workers values ('gone', now() - interval '16 s')")
    urls = {"source": (target.url, source.url), "target": (source.url, target.url)}[side]
    with target.opened() as database:
        database.transact(lambda transaction: transaction.workers.beat("lively"))

    assert "A worker dialled from this database within the last 15 s" in _refused(line, *urls)

    target.run("update workers set seen_at = now() - interval '16 s'")
    assert line.run("copy", "--from", source.url, "--to", target.url).exit_code == 0


def test_a_text_that_postgresql_can_not_keep_is_named_by_its_row(line: CommandLine, source: Place) -> None:
    """
    SQLite keeps a NUL; the row that has it is named, its text is not shown.
    """
    source.run("update agents set instructions = 'secret' || char(0)")
    target = place("postgres", Path())

    message = _refused(line, source.url, target.url)

    assert "Row 123 of agents holds a text with a NUL" in message
    assert target.is_empty()


def test_a_wallet_that_lacks_an_open_hold_is_refused(line: CommandLine, source: Place, target: Place) -> None:
    """
    Books that do not add up are for the operator to mend: no call can be ended by them.
    """
    source.run("update wallets set held_micros = 0")

    assert "An open call's hold is missing" in _refused(line, source.url, target.url)
    assert target.is_empty()


def test_a_password_is_never_shown(line: CommandLine, source: Place) -> None:
    """
    Not in the error of an address that can't be read, nor of one that lets nobody in.
    """
    assert "***" in _refused(line, source.url, "postgres://ann:sesame@host/x")
    url = as_user(place("postgres", Path()).url, "nobody_such", "sesame")
    assert "there is no user nobody_such" in _refused(line, source.url, url)


def test_the_extra_that_is_missing_is_named(line: CommandLine, source: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A database on a server needs a driver.
    """
    monkeypatch.setitem(sys.modules, "outdial.adapters.postgres.archive", None)

    assert "pip install 'outdial[postgres]'" in _refused(line, source.url, "postgresql://ann@host/x")


def test_both_addresses_are_needed(line: CommandLine, source: Place) -> None:
    """
    Wrong usage is told as such.
    """
    outcome = line.run("copy", "--from", source.url, "--json")

    assert (2, "wrong_usage") == (outcome.exit_code, outcome.body["error"])


def test_what_was_copied_is_told(line: CommandLine, source: Place, target: Place) -> None:
    """
    For people a few lines with progress beside them; for programs one object.
    """
    outcome = line.run("copy", "--from", source.url, "--to", target.url)

    assert 0 == outcome.exit_code, outcome
    assert "copying: " in outcome.err
    assert "every row and every account's money are the same on both sides" in outcome.out
    assert "24.90 USD, 12.00 USD of it held" in outcome.out
    with closing(sqlite3.connect(str(source.path))) as file:
        assert [("ok",)] == file.execute("pragma integrity_check").fetchall()


def test_the_answer_for_programs(line: CommandLine, source: Place, target: Place) -> None:
    """
    Rows by table, accounts, balances, how many open calls ended, and that both sides agreed.
    """
    body = line.ask("copy", "--from", source.url, "--to", target.url)

    assert {"accounts": 1, "balance": {"USD": 24.9}, "quarantined": 8, "verified": True} == {
        name: value for name, value in body.items() if name != "tables"
    }
    assert {name: len(rows) for name, rows in source.content().items()} == body["tables"]
