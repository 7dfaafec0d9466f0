"""
`outdial audit` at the command line.
"""

import sqlite3
from contextlib import closing

from tests.cli.commands import CommandLine, furnish
from tests.cli.conftest import line, logging_as_before

__all__ = ["line", "logging_as_before"]


def test_an_audit_says_what_it_saw(line: CommandLine) -> None:
    """
    Exit code 0, and how many rows of each table there are.
    """
    furnish(line)
    line.ask("call", "--agent", "1", "--to", "+15551234567")

    body = line.ask("audit")
    shown = line.run("audit")

    assert (True, None, 1) == (body["ok"], body["finding"], body["rows"]["calls"])
    assert (0, True) == (shown.exit_code, "All is in order: 1 accounts" in shown.out)


def test_an_audit_names_the_row_that_is_wrong(line: CommandLine) -> None:
    """
    Exit code 1, and the finding as JSON or as a sentence.
    """
    furnish(line)
    with closing(sqlite3.connect(line.database, isolation_level=None)) as file:
        file.execute("update wallets set balance_micros = balance_micros + 1")

    found = line.run("audit", "--json")
    shown = line.run("audit")

    assert (1, False, "wallets") == (found.exit_code, found.body["ok"], found.body["finding"]["table"])
    assert (1, True) == (shown.exit_code, "wallets, account_id 1: Its balance_micros is" in shown.err)
