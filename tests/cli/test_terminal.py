"""
What clients wrote, on the operator's terminal.
"""

from typing import Final

import click

from tests.cli.commands import CommandLine, furnish

CALLEE: Final = "+15551234567"
OWNER: Final = ("--account", "1")
TRICK: Final = "[/red]\x1b[2J\x9b2J"
"""Closes what rich opened, and clears the screen in two ways."""

HARMLESS: Final = "[/red]\N{REPLACEMENT CHARACTER}[2J\N{REPLACEMENT CHARACTER}2J"

TERMINAL: Final = {"TTY_COMPATIBLE": "1", "COLUMNS": "80"}


def test_words_of_clients_are_shown_and_not_obeyed(line: CommandLine) -> None:
    """
    Neither as rich's markup nor as a terminal's control sequences.
    """
    furnish(line)
    line.ask("contact", "create", *OWNER, "--first-name", TRICK, "--phone-number", CALLEE)
    line.ask("contact", "update", "1", *OWNER, "--do-not-call", "--reason", TRICK)
    line.ask("dnc", "add", *OWNER, CALLEE, "--list", TRICK, "--source", TRICK)
    looks = (
        ("contact", "list", *OWNER),
        ("contact", "show", "1", *OWNER),
        ("dnc", "show", *OWNER, CALLEE),
        ("dnc", "lists", *OWNER),
    )

    shown = [line.run(*words).out for words in looks]

    assert len(looks) == sum(HARMLESS in out for out in shown)
    assert not any(control in out for out in shown for control in "\x1b\x9b")


def test_a_list_fits_an_ordinary_terminal(line: CommandLine) -> None:
    """
    Numbers are whole in 80 columns, also beside an agent with a long name.
    """
    furnish(line)
    line.ask(
        "agent", "create", *OWNER, "--name", "Scheduler " * 9, "--greeting", "Hi", "--phone-number", "+15550001111"
    )
    call = line.ask("call", "--agent", "2", "--to", CALLEE)
    line.ask("calls", "hang-up", call["call_id"])

    shown = click.unstyle(line.run("calls", "list", *OWNER, **TERMINAL).out)

    assert CALLEE in shown
    assert "canceled" in shown
    assert max(map(len, shown.splitlines())) <= 80


def test_a_call_is_looked_at_and_ended_as_its_key_may(line: CommandLine) -> None:
    """
    A key that is in the environment is not passed over for the operator's rights.
    """
    furnish(line)
    call = line.ask("call", "--agent", "1", "--to", CALLEE)
    reading = line.ask("key", "create", *OWNER, "--permission", "can_read_calls")["key"]
    asking = line.ask("key", "create", *OWNER, "--permission", "can_initiate_calls")["key"]

    outcomes = [
        line.run("calls", command, call["call_id"], "--json", OUTDIAL_API_KEY=key).body.get("error")
        for command in ("show", "decision", "hang-up")
        for key in (reading, asking)
    ]

    denied = "permission_denied"
    assert [None, denied, None, denied, denied, None] == outcomes
