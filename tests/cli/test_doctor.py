"""
`outdial doctor` and `outdial migrate`: what is ready, and making it so.
"""

import socket
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from outdial.adapters.sqlite import connection
from outdial.adapters.sqlite.lock import DiallingLock
from outdial.ports.errors import StorageError
from tests.cli.commands import CommandLine
from tests.postgres.databases import new_database

NAMES = ["settings", "database", "dialling", "carrier", "speech"]


def checks(body: Any) -> dict[str, bool]:
    """
    Return the verdicts by name.
    """
    return {check["name"]: check["ok"] for check in body["checks"]}


def test_a_database_is_migrated_once(line: CommandLine) -> None:
    """
    The second time there is nothing to do.
    """
    first = line.run("migrate")
    second = line.run("migrate")

    assert "applied 0001_" in first.out
    assert "The database is up to date.\n" == second.out
    assert [] == line.ask("migrate")["applied"]


def test_everything_is_well_after_migrating(line: CommandLine) -> None:
    """
    Each check is named and the exit code is 0.
    """
    line.ask("migrate")

    outcome = line.run("doctor")
    body = line.ask("doctor")

    assert 0 == outcome.exit_code
    assert body["healthy"]
    assert dict.fromkeys(NAMES, True) == checks(body)
    assert all(f"\n{name}" in f"\n{outcome.out}" for name in NAMES)


def test_a_missing_database_is_not_made(line: CommandLine) -> None:
    """
    The advice is to migrate; what depends on it counts as not ready.
    """
    outcome = line.run("doctor")
    body = line.run("doctor", "--json").body

    assert 1 == outcome.exit_code
    assert "run `outdial migrate`" in outcome.out
    assert {"settings": True, "database": False, "dialling": False, "carrier": True, "speech": True} == checks(body)
    assert [] == list(line.folder.iterdir())


def test_a_missing_folder_is_told(line: CommandLine) -> None:
    """
    Migrating would not make it.
    """
    outcome = line.run("doctor", "--database", "sqlite:///nowhere/x.db")

    assert 1 == outcome.exit_code
    assert "nowhere is no folder" in outcome.out


def test_looking_changes_nothing(line: CommandLine) -> None:
    """
    Neither a file nor a byte.
    """
    line.ask("migrate")
    before = {path.name: path.read_bytes() for path in line.folder.iterdir()}

    line.ask("doctor")

    assert before == {path.name: path.read_bytes() for path in line.folder.iterdir()}


def test_a_database_without_a_schema_is_told(line: CommandLine) -> None:
    """
    With what to run.
    """
    sqlite3.connect(line.database).close()
    line.database.write_bytes(b"")

    outcome = line.run("doctor")

    assert 1 == outcome.exit_code
    assert "Run `outdial migrate` first." in outcome.out


def test_a_locked_database_is_told(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What can't be written is not ready.
    """
    line.ask("migrate")
    monkeypatch.setattr("outdial.adapters.sqlite.storage.SqliteStorage.transact", _full_disk)

    body = line.run("doctor", "--json").body

    assert not checks(body)["database"]


def test_a_file_that_can_only_be_read_is_told(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Although a transaction begins on it.
    """
    line.ask("migrate")
    opening = connection._open  # noqa: SLF001 - what SQLite does by itself where rights are missing
    monkeypatch.setattr(connection, "_open", lambda path, **given: opening(path, **{**given, "mode": "ro"}))

    outcome = line.run("doctor")

    assert 1 == outcome.exit_code
    assert "read-only" in outcome.out


def test_a_dialling_process_is_seen_through_a_link(line: CommandLine) -> None:
    """
    Whatever name the database goes by.
    """
    line.ask("migrate")
    link = line.folder / "link.db"
    link.symlink_to(line.database)
    lock = DiallingLock(line.database)
    lock.acquire()

    outcome = line.run("doctor", "--database", f"sqlite:///{link}")
    lock.release()

    assert "An outdial process dials from this database now." in outcome.out


def test_a_lock_that_can_not_be_opened_is_told(line: CommandLine) -> None:
    """
    With its name; nobody could dial.
    """
    line.ask("migrate")
    lock = line.folder / "outdial.db.lock"
    lock.symlink_to(lock)

    outcome = line.run("doctor")

    assert 1 == outcome.exit_code
    assert "outdial.db.lock can't be opened" in outcome.out


def test_every_wrong_setting_is_a_line(line: CommandLine) -> None:
    """
    The rest can't be looked at then.
    """
    outcome = line.run("doctor", OUTDIAL_PORT="x", OUTDIAL_LOG_LEVEL="loud")

    assert 1 == outcome.exit_code
    assert "OUTDIAL_PORT: 'x'" in outcome.out
    assert "OUTDIAL_LOG_LEVEL: 'loud'" in outcome.out
    assert 4 == outcome.out.count("Not looked at")


def test_a_database_in_memory_is_well(line: CommandLine) -> None:
    """
    With a word on what that means.
    """
    outcome = line.run("doctor", "--database", "memory:")

    assert 0 == outcome.exit_code
    assert "everything is lost" in outcome.out


def test_a_sip_address_in_use_is_told(line: CommandLine) -> None:
    """
    In a program of its own, because the SIP stack stays once it is loaded.
    """
    line.ask("migrate")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        bind = f"127.0.0.1:{taken.getsockname()[1]}"

        with line.running("doctor", "--carrier", "sip", "--json", OUTDIAL_SIP_BIND=bind) as program:
            outcome = program.outcome()

    assert 1 == outcome.exit_code
    assert not checks(outcome.body)["carrier"]


@pytest.mark.parametrize(
    ("trunk", "words"),
    [
        ("sip:127.0.0.1:1;transport=tcp", "The trunk 127.0.0.1:1 can't be reached over TCP now"),
        ("sip:no-such-trunk.invalid", "The trunk no-such-trunk.invalid:5060 can't be reached over UDP now"),
        ("sip:198.51.100.1", "No packet gets from 127.0.0.1 to the trunk 198.51.100.1"),
    ],
)
def test_a_trunk_that_is_not_reached_is_told(line: CommandLine, trunk: str, words: str) -> None:
    """
    What would fail with each call is found before the first one.
    """
    line.ask("migrate")
    variables = {"OUTDIAL_SIP_BIND": "127.0.0.1:0", "OUTDIAL_SIP_TRUNK": trunk}

    with line.running("doctor", "--carrier", "sip", "--json", **variables) as program:
        outcome = program.outcome()

    (finding,) = [check["finding"] for check in outcome.body["checks"] if check["name"] == "carrier"]
    assert not checks(outcome.body)["carrier"]
    assert words in finding


def test_a_folder_that_can_not_be_written_is_told(line: CommandLine, tmp_path: Path) -> None:
    """
    Nobody would hang up the calls of a killed process; looking makes no folder.
    """
    line.ask("migrate")
    (tmp_path / "file").touch()
    variables = {"OUTDIAL_SIP_BIND": "127.0.0.1:0", "OUTDIAL_SIP_TRUNK": "sip:127.0.0.1:5999"}

    verdicts = {}
    for folder in (tmp_path / "file" / "dialogs", tmp_path / "new" / "dialogs"):
        with line.running(
            "doctor", "--carrier", "sip", "--json", OUTDIAL_SIP_DIALOGS=str(folder), **variables
        ) as program:
            verdicts[folder.parent.name] = checks(program.outcome().body)["carrier"]

    assert {"file": False, "new": True} == verdicts
    assert not (tmp_path / "new").exists()


def test_a_trunk_that_is_no_sip_address_is_told(line: CommandLine) -> None:
    """
    With the variable's name, and without loading a SIP stack.
    """
    line.ask("migrate")

    outcome = line.run("doctor", "--carrier", "sip", "--json", OUTDIAL_SIP_TRUNK="http://trunk")

    assert not checks(outcome.body)["settings"]
    assert "OUTDIAL_SIP_TRUNK: 'http://trunk' is not allowed" in outcome.out


@pytest.mark.parametrize(
    ("variables", "part"),
    [
        ({"OUTDIAL_SPEECH_COMMAND": "no-such-voice {text_file} {wav_file}"}, "no-such-voice"),
        ({"OUTDIAL_SPEECH_COMMAND": "false {text_file} {wav_file}"}, "false"),
        ({"OUTDIAL_SPEECH_FILE": "nowhere.wav"}, "nowhere.wav"),
    ],
)
def test_a_voice_that_does_not_speak_is_told(line: CommandLine, variables: dict[str, str], part: str) -> None:
    """
    It is tried with a word.
    """
    line.ask("migrate")

    outcome = line.run("doctor", **variables)

    assert 1 == outcome.exit_code
    assert part in outcome.out


def test_a_voice_that_speaks_is_named(line: CommandLine, tmp_path: Path) -> None:
    """
    With the length of the word.
    """
    line.ask("migrate")
    voice = tmp_path / "voice.py"
    voice.write_text(VOICE)
    command = f"python3 {voice} {{text_file}} {{wav_file}}"

    spoken = line.run("doctor", OUTDIAL_SPEECH_COMMAND=command)

    assert 0 == spoken.exit_code, spoken
    assert f"{command} spoke a word of 0.5 s" in spoken.out


VOICE = """
import sys, wave
with wave.open(sys.argv[2], "wb") as file:
    file.setnchannels(1); file.setsampwidth(2); file.setframerate(8000)
    file.writeframes(b"\\x00\\x40\\x00\\xc0" * 2000)
"""


async def _full_disk(*_arguments: object) -> None:
    raise StorageError("The disk is full.")


def test_a_database_on_a_server_is_looked_at(line: CommandLine) -> None:
    """
    With PostgreSQL any number of workers may dial from it.
    """
    body = line.ask("doctor", "--database", new_database())

    findings = {check["name"]: check["finding"] for check in body["checks"]}
    assert body["healthy"]
    assert "has the newest schema and can be written" in findings["database"]
    assert "Any number of workers" in findings["dialling"]


def test_a_server_that_cannot_be_reached_is_told(line: CommandLine) -> None:
    """
    The sentence names no password.
    """
    outcome = line.run("doctor", "--json", "--database", "postgresql://outdial:s3cret@127.0.0.1:1/outdial")

    assert not checks(outcome.body)["database"]
    assert "s3cret" not in outcome.out + outcome.err
