"""
`outdial mcp` before it speaks: for whom it starts, and what it says when it doesn't.
"""

import json
import sys

import pytest

from tests.cli.commands import CommandLine, furnish


@pytest.mark.parametrize(
    ("words", "key", "exit_code", "code", "said"),
    [
        ([], None, 2, "wrong_usage", "Set OUTDIAL_API_KEY to an API key, or give --account to act as the operator."),
        ([], "", 2, "wrong_usage", "Set OUTDIAL_API_KEY to an API key"),
        ([], "od_live_nonsense", 1, "invalid_key", "The API key is invalid or inactive."),
        (["--account", "1"], "od_live_nonsense", 1, "invalid_key", "The API key is invalid or inactive."),
        (["--account", "99"], None, 1, "not_found", "There is no account 99."),
    ],
)
def test_it_starts_for_somebody_alone(
    line: CommandLine, words: list[str], key: str | None, exit_code: int, code: str, said: str
) -> None:
    """
    A key that works, or the operator for an account; the key counts when both are given.
    """
    furnish(line)
    variables = {"OUTDIAL_API_KEY": key} if key is not None else {}

    outcome = line.run("mcp", *words, **variables)
    as_json = line.run("mcp", *words, "--json", **variables)

    assert (exit_code, "") == (outcome.exit_code, outcome.out)
    assert said in outcome.err
    assert (exit_code, code) == (as_json.exit_code, json.loads(as_json.out)["error"])


def test_keys_are_not_taken_as_options(line: CommandLine) -> None:
    """
    Every user of the machine sees those.
    """
    assert 2 == line.run("mcp", "--api-key", "od_live_nonsense").exit_code


def test_a_database_that_can_not_be_read_is_told_on_standard_error(line: CommandLine) -> None:
    """
    Standard output stays empty: what starts this program reads the protocol there.
    """
    line.database.write_bytes(b"no database" * 100)

    outcome = line.run("mcp", "--account", "1")

    assert (2, "") == (outcome.exit_code, outcome.out)
    assert outcome.err


def test_doctor_misses_the_extra_where_it_is_wanted(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    As serving would; without the setting nobody needs it.
    """
    line.ask("migrate")
    monkeypatch.setitem(sys.modules, "mcp", None)

    wanted = line.run("doctor", "--json", OUTDIAL_MCP="on")
    unwanted = line.run("doctor", "--json")

    assert (1, 0) == (wanted.exit_code, unwanted.exit_code)
    assert "pip install 'outdial[mcp]'" in wanted.body["checks"][0]["finding"]
