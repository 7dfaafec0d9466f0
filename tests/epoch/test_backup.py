"""
`outdial backup`, and the whole story of a database that was lost and restored.
"""

import json
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from outdial.adapters.sqlite import backup
from tests.cli.commands import CommandLine, furnish

CALLEE = ("--to", "+15551234567")


def rung(log: Path) -> Counter[str]:
    """
    Return how often the network was asked for each attempt.
    """
    return Counter(json.loads(text)["attempt_id"] for text in log.read_text().splitlines())


def test_a_lost_database_is_restored_and_rings_nobody_twice(line: CommandLine) -> None:
    """
    Calls wait, some are dialled, a backup is taken, more are dialled, the machine dies, the backup is put in place.
    """
    log, saved = line.folder / "orders", line.folder / "saved.db"
    line.variables |= {
        "OUTDIAL_SIMULATOR_LOG": str(log),
        "OUTDIAL_SIMULATOR_TIME_SCALE": "0.005",
        "OUTDIAL_LIVE_CALLS_MAX": "1",
        "OUTDIAL_LOG_FORMAT": "json",
        "OUTDIAL_MAX_CALL_DURATION_S": "60",
    }
    made = furnish(line)
    asked = ("call", "--agent", str(made["agent"]["id"]), *CALLEE)
    calls = [line.ask(*asked)["call_id"] for _ in range(20)]

    with line.running("serve", "--role", "worker", "--port", "0") as serving:
        for _ in range(3):
            serving.wait_for("call_ended")
        answered = line.ask("backup", str(saved))
        for _ in range(4):
            serving.wait_for("call_ended")
        serving.kill()
    before = rung(log)
    for suffix in ("-wal", "-shm"):
        line.database.with_name(line.database.name + suffix).unlink(missing_ok=True)
    saved.replace(line.database)
    with line.running("serve", "--role", "worker", "--port", "0") as serving:
        found = json.loads(serving.wait_for('.*"epoch_begun".*')[0])
        later = line.ask(*asked, "--wait")

    assert 20 == answered["rows"]["calls"]
    assert 7 <= before.total() < 20
    assert (1, 2) == (found["epoch_before"], found["epoch"])
    assert 12 <= found["quarantined"] <= 17
    assert "completed" == later["status"]
    assert {1} == set(rung(log).values())
    assert before.total() + 1 == rung(log).total()
    shown = [line.ask("calls", "show", call_id) for call_id in calls]
    expired = [call for call in shown if call["ended_reason"] == "expired"]
    assert found["quarantined"] == len(expired)


def test_a_backup_is_whole_and_readable_by_its_owner_alone(line: CommandLine) -> None:
    """
    It is one file, equal in rows, and knows that nobody dials from it.
    """
    furnish(line)
    target = line.folder / "saved.db"

    body = line.ask("backup", str(target))

    assert {"saved.db", "saved.db.dialled"} & {path.name for path in line.folder.iterdir()} == {"saved.db"}
    assert 0o600 == target.stat().st_mode & 0o777
    assert (target.stat().st_size, True, 1) == (body["bytes"], body["verified"], body["rows"]["accounts"])
    with closing(sqlite3.connect(target)) as opened:
        assert [("", "delete")] == opened.execute(
            "select place, journal_mode from dialling, pragma_journal_mode"
        ).fetchall()
    assert not [path for path in line.folder.iterdir() if path.name.startswith(".")]


def test_no_file_is_replaced_unless_asked(line: CommandLine) -> None:
    """
    And never the database itself.
    """
    furnish(line)
    target = line.folder / "saved.db"
    target.write_text("precious")

    refused = line.run("backup", str(target))
    itself = line.run("backup", str(line.database), "--force")
    kept = target.read_text()
    line.ask("backup", str(target), "--force")

    assert (2, "precious") == (refused.exit_code, kept)
    assert "is there already" in refused.err
    assert (2, True) == (itself.exit_code, "the database itself" in itself.err)
    assert target.read_bytes().startswith(b"SQLite format 3")


def test_what_cannot_be_backed_up_is_told(line: CommandLine, tmp_path: Path) -> None:
    """
    No database, no folder, a database in memory or on a server.
    """
    target = str(tmp_path / "saved.db")
    missing = line.run("backup", target)
    furnish(line)
    nowhere = line.run("backup", str(tmp_path / "none" / "saved.db"))
    memory = line.run("backup", target, "--database", "memory:")
    server = line.run("backup", target, "--database", "postgresql://user@127.0.0.1/outdial")

    assert [2] * 4 == [outcome.exit_code for outcome in (missing, nowhere, memory, server)]
    assert "does not exist. Run `outdial migrate` first." in missing.err
    assert "There is no backup." in nowhere.err
    assert "in memory" in memory.err
    assert "pg_dump" in server.err
    assert not Path(target).exists()


def test_a_damaged_database_makes_no_backup(line: CommandLine, tmp_path: Path) -> None:
    """
    A backup that can't be read would be noticed too late.
    """
    furnish(line)
    with closing(sqlite3.connect(line.database)) as opened:
        opened.execute("pragma wal_checkpoint(truncate)")
        ((page, size),) = opened.execute(
            "select rootpage, page_size from sqlite_schema, pragma_page_size where name = 'calls_of_agent'"
        ).fetchall()
    with line.database.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)

    outcome = line.run("backup", str(tmp_path / "saved.db"))

    assert 2 == outcome.exit_code
    assert not (tmp_path / "saved.db").exists()


def test_a_backup_lets_others_write(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What is written between two of its portions waits for nothing and is not in it.
    """
    furnish(line)
    names: list[str] = []
    counts = backup._counts  # noqa: SLF001 - the moment of the backup

    def write_meanwhile(opened: sqlite3.Connection) -> dict[str, int]:
        counted = counts(opened)
        names.append(line.ask("account", "create", "Meanwhile")["name"])
        return counted

    monkeypatch.setattr(backup, "_counts", write_meanwhile)

    body = line.ask("backup", str(line.folder / "saved.db"))

    assert ["Meanwhile"] * 2 == names
    assert 1 == body["rows"]["accounts"]


def test_doctor_tells_the_epoch(line: CommandLine) -> None:
    """
    And beforehand that a database was restored.
    """
    furnish(line)
    before = line.run("doctor").out
    line.database.with_name("outdial.db.dialled").unlink()

    after = line.run("doctor").out

    assert "Its epoch is 1." in before
    assert "restored" not in before
    assert "It was restored, copied or promoted" in after
