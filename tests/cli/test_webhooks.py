"""
Webhooks at the command line.
"""

import sqlite3
from contextlib import closing

import pytest

from tests.cli.commands import CommandLine, furnish

ACCOUNT = ("--account", "1")
URL = "https://hooks.example.com/outdial"


def test_the_life_of_a_webhook(line: CommandLine) -> None:
    """
    Made, listed, shown, changed, its secret replaced, deleted.
    """
    furnish(line)

    made = line.ask("webhook", "create", *ACCOUNT, URL, "--event", "call.ended", "--description", "Production")
    shown = line.ask("webhook", "show", *ACCOUNT, "1")
    changed = line.ask("webhook", "update", *ACCOUNT, "1", "--event", "call.failed", "--disable")
    enabled = line.ask("webhook", "update", *ACCOUNT, "1", "--enable")
    rotated = line.ask("webhook", "rotate-secret", *ACCOUNT, "1")
    listed = line.ask("webhook", "list", *ACCOUNT)
    line.ask("webhook", "delete", *ACCOUNT, "1")

    assert made["secret"].startswith("whsec_")
    assert {name: value for name, value in made.items() if name != "secret"} == shown
    assert (["call.failed"], False, "requested") == (changed["events"], changed["enabled"], changed["disabled_reason"])
    assert enabled["enabled"]
    assert rotated["secret"] != made["secret"]
    assert [1] == [one["id"] for one in listed["webhooks"]]
    assert 1 == line.run("webhook", "show", *ACCOUNT, "1").exit_code


def test_a_secret_is_shown_to_people_once(line: CommandLine) -> None:
    """
    When it is made, and when it is replaced; never in a list.
    """
    furnish(line)

    made = line.run("webhook", "create", *ACCOUNT, URL)
    rotated = line.run("webhook", "rotate-secret", *ACCOUNT, "1")
    others = [line.run("webhook", *words) for words in (("list", *ACCOUNT), ("show", *ACCOUNT, "1"))]

    assert "whsec_" in made.out
    assert "signs until" in rotated.out
    for shown in others:
        assert URL in shown.out
        assert "enabled" in shown.out
        assert "whsec_" not in shown.out


def test_what_was_parked_is_shown_and_sent_again(line: CommandLine) -> None:
    """
    A call that failed is told of; nobody runs, so it waits, and parked messages can be asked for again.
    """
    furnish(line)
    line.ask("webhook", "create", *ACCOUNT, URL)
    call = line.ask("call", "--agent", "1", "--to", "+15551234567", "--variable", "name=Ann")
    line.ask("calls", "hang-up", call["call_id"])
    line.ask("webhook", "update", *ACCOUNT, "1", "--disable")
    line.ask("webhook", "update", *ACCOUNT, "1", "--enable")

    parked = line.ask("webhook", "deliveries", *ACCOUNT, "1", "--state", "parked")
    shown = line.run("webhook", "deliveries", *ACCOUNT, "1")
    again = line.run("webhook", "replay", *ACCOUNT, "1")
    one = line.ask("webhook", "replay", *ACCOUNT, "1", "--message", parked["deliveries"][0]["message_id"])

    assert [("call.failed", "The webhook was disabled.")] == [
        (told["event_type"], told["last_problem"]) for told in parked["deliveries"]
    ]
    assert "call.failed" in shown.out
    assert "There are no older ones." in shown.out
    assert "1 messages are sent again." in again.out
    assert {"queued": 1, "has_more": False} == one


@pytest.mark.parametrize(
    ("words", "problem"),
    [
        (("create", *ACCOUNT, "http://10.0.0.1/"), "url: It has to begin with https://."),
        (("create", *ACCOUNT, URL, "--event", "call.transcript"), "events"),
        (("update", *ACCOUNT, "1", "--url", "x"), "url: "),
        (("update", *ACCOUNT, "9"), "nothing here"),
        (("delete", *ACCOUNT, "x"), "nothing here"),
        (("rotate-secret", *ACCOUNT, "9"), "nothing here"),
        (("replay", *ACCOUNT, "9"), "nothing here"),
        (("replay", *ACCOUNT, "1", "--since", "yesterday"), "since: "),
        (("deliveries", *ACCOUNT, "9"), "nothing here"),
        (("deliveries", *ACCOUNT, "1", "--state", "lost"), "state: "),
        (("list", "--account", "9"), ""),
    ],
    ids=str,
)
def test_what_can_not_be_is_told(line: CommandLine, words: tuple[str, ...], problem: str) -> None:
    """
    In a sentence, with exit code 1.
    """
    furnish(line)

    outcome = line.run("webhook", *words)

    assert 1 == outcome.exit_code
    assert problem in outcome.err


def test_secrets_stand_in_the_database_and_in_no_log(line: CommandLine) -> None:
    """
    A signature needs them; nobody else does.
    """
    furnish(line)
    secret = line.ask("webhook", "create", *ACCOUNT, URL)["secret"]

    outcome = line.run("webhook", "list", *ACCOUNT, OUTDIAL_LOG_LEVEL="debug")

    with closing(sqlite3.connect(line.database)) as opened:
        assert [(secret,)] == opened.execute("select secret from webhooks").fetchall()
    assert secret not in outcome.out + outcome.err
