"""
Exit codes and sentences when something is wrong: never a traceback.
"""

from pathlib import Path

import pytest

from outdial.entrypoints import library
from outdial.entrypoints.cli.answer import failed
from outdial.entrypoints.settings import SettingsError
from outdial.ports.errors import (
    CarrierUnavailableError,
    IntakeFullError,
    OutdialError,
    SpeechError,
    StorageConflictError,
    StorageError,
    UnknownRecordError,
)
from outdial.version import VERSION
from tests.cli.commands import CommandLine, furnish

WRONG = {
    "OUTDIAL_DATABASE": "postgres://x",
    "OUTDIAL_PORT": "http",
    "OUTDIAL_CARRIER": "pigeon",
    "OUTDIAL_RTP_PORTS": "9-1",
    "OUTDIAL_LOG_LEVEL": "loud",
}


@pytest.mark.parametrize(
    ("error", "exit_code", "code"),
    [
        (UnknownRecordError("There is no account 9."), 1, "not_found"),
        (SettingsError(("A.", "B.")), 2, "invalid_settings"),
        (StorageError("The disk is full."), 2, "database_unavailable"),
        (StorageConflictError("Taken."), 2, "database_unavailable"),
        (IntakeFullError("Too many."), 2, "intake_full"),
        (CarrierUnavailableError("No trunk."), 2, "carrier_unavailable"),
        (SpeechError("No voice."), 2, "speech_unavailable"),
        (OutdialError("Something else."), 2, "unavailable"),
        (ValueError("Not an amount."), 2, "invalid_value"),
    ],
)
def test_each_error_has_its_exit_code_and_its_sentence(error: Exception, exit_code: int, code: str) -> None:
    """
    1 for what does not exist, 2 for what can't be used.
    """
    answer = failed(error)

    assert exit_code == answer.exit_code
    assert {"error": code, "message": str(error)}.items() <= answer.body.items()


def test_every_wrong_setting_is_told_at_once(line: CommandLine) -> None:
    """
    Each with its name, its value and what is allowed.
    """
    outcome = line.run("wallet", "show", "--account", "1", **WRONG)
    body = line.run("wallet", "show", "--account", "1", "--json", **WRONG).body

    assert (2, "") == (outcome.exit_code, outcome.out)
    assert list(WRONG) == [_name_in(problem) for problem in sorted(body["problems"], key=_place_of)]
    assert all(f"{name}: {value!r} is not allowed; it takes " in outcome.err for name, value in WRONG.items())
    assert "invalid_settings" == body["error"]


@pytest.mark.parametrize(
    ("words", "name"),
    [
        (("serve", "--port", "99999"), "OUTDIAL_PORT"),
        (("serve", "--carrier", "pigeon"), "OUTDIAL_CARRIER"),
        (("migrate", "--database", "file.db"), "OUTDIAL_DATABASE"),
        (("demo", "--once", "--database", "file.db"), "OUTDIAL_DATABASE"),
    ],
)
def test_options_are_settings_and_are_judged_alike(line: CommandLine, words: tuple[str, ...], name: str) -> None:
    """
    The sentence is the same as for the variable.
    """
    outcome = line.run(*words)

    assert 2 == outcome.exit_code
    assert f"{name}: {words[-1]!r} is not allowed" in outcome.err


@pytest.mark.parametrize(
    "words",
    [
        ("wallet", "show", "--account", "9"),
        ("wallet", "top-up", "--account", "9", "--amount", "1"),
        ("key", "create", "--account", "9", "--permission", "can_read_calls"),
        ("key", "revoke", "9"),
        ("agent", "create", "--account", "9", "--name", "A", "--greeting", "Hi"),
        ("contact", "create", "--account", "9", "--first-name", "Jo"),
        ("dnc", "add", "--account", "9", "+15551234567"),
        ("dnc", "show", "--account", "9", "+15551234567"),
        ("dnc", "remove", "--account", "9", "+15551234567"),
    ],
)
def test_unknown_rows_end_with_1(line: CommandLine, words: tuple[str, ...]) -> None:
    """
    With a sentence that names what does not exist.
    """
    outcome = line.run(*words)
    body = line.run(*words, "--json").body

    assert (1, "") == (outcome.exit_code, outcome.out)
    assert " 9." in outcome.err
    assert "not_found" == body["error"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("account", "create", "A", "--balance", "-1"), "'-1' is not an amount"),
        (("account", "create", "A", "--currency", "usd"), "currency"),
        (("account", "create", "A", "--default-region", "XX"), "region"),
        (("account", "create", ""), "name"),
        (("account", "create", "A", "--price-cap", "gold=1"), "premium_rate"),
        (("wallet", "top-up", "--account", "1", "--amount", "0"), "more than 0"),
        (("wallet", "top-up", "--account", "1", "--amount", "999999999999"), "wallet"),
        (("agent", "create", "--account", "1", "--name", "A"), "greeting"),
        (("agent", "create", "--account", "1", "--name", "A", "--greeting", "{{"), "placeholder"),
        (("agent", "create", "--account", "1", "--name", "A", "--greeting", "x", "--phone-number", "12"), "'12'"),
        (("dnc", "add", "--account", "1", "911"), "'911' is not a phone number"),
        (("rate", "set", "--prefix", "x", "--per-minute", "1"), "prefix"),
        (("rate", "set", "--prefix", "1", "--per-minute", "1", "--increment-s", "0"), "increment-s"),
        (("key", "create", "--account", "1"), "permission"),
        (("key", "create", "--account", "1", "--permission", "all"), "can_initiate_calls"),
        (("key", "revoke", "x"), "KEY_ID"),
        (("call", "--agent", "1"), "--to"),
        (("frobnicate",), "frobnicate"),
    ],
)
def test_values_that_cannot_be_used_end_with_2(line: CommandLine, words: tuple[str, ...], part: str) -> None:
    """
    In words on standard error, or as one object with `error` and `message` when JSON was asked for.
    """
    furnish(line)

    outcome = line.run(*words)
    as_json = line.run(*words, "--json")

    assert (2, 2) == (outcome.exit_code, as_json.exit_code)
    assert part in outcome.err
    assert {"error", "message"} == set(as_json.body)


def test_a_database_that_cannot_be_made_is_told_in_a_sentence(line: CommandLine) -> None:
    """
    With its place and the system's words.
    """
    outcome = line.run("wallet", "show", "--account", "1", "--database", "sqlite:////nowhere/x.db")

    assert 2 == outcome.exit_code
    assert "/nowhere/x.db can't be written" in outcome.err


def test_a_file_that_is_no_database_is_told_in_a_sentence(line: CommandLine, tmp_path: Path) -> None:
    """
    Whatever else lies there is left alone.
    """
    text = "no database at all, " * 100
    (tmp_path / "notes.txt").write_text(text)

    outcome = line.run("migrate", "--database", "sqlite:///notes.txt", "--json")

    assert (2, "database_unavailable") == (outcome.exit_code, outcome.body["error"])
    assert text == (tmp_path / "notes.txt").read_text()


def test_a_defect_is_not_hidden(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Only what can happen to a user becomes a sentence.
    """

    def broken(*_arguments: object, **_options: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(library, "open", broken)

    with pytest.raises(ZeroDivisionError):
        line.run("wallet", "show", "--account", "1")


def test_help_lists_every_command(line: CommandLine) -> None:
    """
    Without a command the help is shown too.
    """
    outcome = line.run("--help")

    names = "account agent call calls contact demo dnc doctor key migrate rate serve wallet"
    assert all(f"\n  {name} " in outcome.out for name in names.split())
    assert "Usage: outdial" in line.run().err


def test_the_version_is_told(line: CommandLine) -> None:
    """
    By its name and number.
    """
    assert f"outdial, version {VERSION}\n" == line.run("--version").out


def _place_of(problem: str) -> int:
    return list(WRONG).index(_name_in(problem))


def _name_in(problem: str) -> str:
    return problem.partition(":")[0]
