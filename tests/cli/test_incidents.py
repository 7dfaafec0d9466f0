"""
Looking at people who were reached by mistake, at the command line.
"""

import sqlite3
from contextlib import closing

from tests.cli.commands import CommandLine, furnish
from tests.cli.test_calls import CALL, CALLEE

AT = "2025-04-24T10:15:30Z"
AT_MICROS = 1_745_489_730_000_000


def _reach(line: CommandLine, count: int) -> list[str]:
    """
    Have callees reached whose calls were over, and return the calls' public ids.
    """
    furnish(line)
    call_ids = [line.ask(*CALL)["call_id"] for _ in range(count)]
    with closing(sqlite3.connect(line.database, isolation_level=None)) as file:
        for number in range(1, count + 1):
            file.execute(
                "insert into incidents (account_id, call_id, attempt, kind, objection, at)"
                " values (1, ?, 1, 'answer_stopped', 'over', ?)",
                (number, AT_MICROS),
            )
        file.execute("update calls set disposition = 'carrier_error'")  # of an attempt before the next
    return call_ids


def test_who_was_reached_is_listed_with_the_reason(line: CommandLine) -> None:
    """
    Number, time, kind and reason, and what names the call here and in the network.
    """
    (call_id,) = _reach(line, 1)

    body, outcome = line.ask("incidents", "list"), line.run("incidents", "list")

    incident = {
        "id": 1,
        "at": AT,
        "kind": "answer_stopped",
        "reason": "over",
        "account_id": 1,
        "call": 1,
        "call_id": call_id,
        "attempt_id": f"{call_id}_1",
        "phone_number": CALLEE,
        "ended_reason": None,
    }
    assert {"incidents": [incident], "limit": 10, "next_cursor": None} == body
    assert all(word in outcome.out for word in (CALLEE, AT, "answer_stopped", "over", "There are no older ones."))


def test_incidents_come_in_pages_newest_first(line: CommandLine) -> None:
    """
    The cursor leads on; an account's are listed alone.
    """
    _reach(line, 3)
    line.ask("account", "create", "Other")

    first = line.ask("incidents", "list", "--limit", "2")
    second = line.ask("incidents", "list", "--account", "1", "--cursor", first["next_cursor"])

    assert [[3, 2], [1]] == [[incident["id"] for incident in page["incidents"]] for page in (first, second)]
    assert "Older ones: --cursor 2" in line.run("incidents", "list", "--limit", "2").out
    assert [] == line.ask("incidents", "list", "--account", "2")["incidents"]


def test_a_list_that_there_can_not_be_is_refused(line: CommandLine) -> None:
    """
    A wrong limit, and an account that does not exist.
    """
    furnish(line)

    wrong, nobody = line.run("incidents", "list", "--limit", "0"), line.run("incidents", "list", "--account", "9")

    assert (1, 1) == (wrong.exit_code, nobody.exit_code)
    assert "limit" in wrong.err
    assert "There is no account 9." in nobody.err
