"""
Looking on while calls live, at the command line.
"""

import io
import json
import signal
from typing import Any

import pytest
from rich.console import Console
from rich.live import Live

from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.status_change import StatusChange
from outdial.entrypoints.cli import watching
from tests import builders
from tests.cli.commands import CommandLine, furnish

CALLEE = "+15551234567"
CALL = ("call", "--agent", "1", "--to", CALLEE)


def watched(line: CommandLine, *words: str) -> list[dict[str, Any]]:
    """
    Return what is told of a call as JSON, a line each.
    """
    outcome = line.run("calls", "watch", *words, "--json")
    assert 0 == outcome.exit_code, outcome
    return [json.loads(told) for told in outcome.out.splitlines()]


def test_one_call_is_told_to_its_end(line: CommandLine) -> None:
    """
    As over HTTP, with the ids to go on behind; by its number, its id, and with a key.
    """
    key = furnish(line)["key"]["key"]
    call = line.ask(*CALL)
    line.ask("calls", "hang-up", str(call["id"]))

    told = watched(line, str(call["id"]))

    assert [("call.queued", None), ("call.failed", "canceled")] == [
        (event["event_type"], event["call"]["ended_reason"]) for event in told
    ]
    assert told == watched(line, call["call_id"], "--api-key", key)
    assert told[1:] == watched(line, call["call_id"], "--account", "1", "--after", told[0]["id"])


def test_people_get_a_line_for_each_change(line: CommandLine) -> None:
    """
    Where there is no terminal to paint on.
    """
    furnish(line)
    line.ask(*CALL)
    line.ask("calls", "hang-up", "1")

    outcome = line.run("calls", "watch", "1")

    first, last = outcome.out.splitlines()
    assert first.endswith(f"call 1  {CALLEE}  queued")
    assert last.endswith(f"call 1  {CALLEE}  failed  canceled")


def test_a_terminal_shows_each_call_in_a_row(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    What was shown of a call before is replaced.
    """
    furnish(line)
    line.ask(*CALL)
    line.ask("calls", "hang-up", "1")
    screen = Console(file=io.StringIO(), force_terminal=True, width=120)
    monkeypatch.setattr(watching, "console", lambda: screen)

    outcome = line.run("calls", "watch", "1")

    shown = screen.file.getvalue()  # type: ignore[attr-defined]
    assert 0 == outcome.exit_code
    assert shown.index("queued") < shown.index("failed") < shown.index("canceled")
    assert "queued" not in shown[shown.index("failed") :]


def test_the_screen_has_room_for_some_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The call that was silent for longest makes room; the others stay in the order of their numbers.
    """
    monkeypatch.setattr(watching, "ROWS", 2)
    screen = Console(file=io.StringIO(), width=120)
    board = watching.Board(Live(console=screen, auto_refresh=False))

    for number in (7, 9, 7, 8):
        call = builders.call(id=number)
        record = CallRecord(number=1, call_id=number, account_id=1, state=call.state, disposition=None, at=builders.NOW)
        board.show(StatusChange(record=record, call=call))
    screen.print(board.table())

    rows = screen.file.getvalue().splitlines()[1:]  # type: ignore[attr-defined]
    assert ["7", "8"] == [row.split()[0] for row in rows]


def test_an_account_is_watched_until_ctrl_c(line: CommandLine) -> None:
    """
    What other processes do is told, and leaving is no failure.
    """
    furnish(line)
    line.ask(*CALL)
    line.ask("calls", "hang-up", "1")
    beginning = watched(line, "1")[0]["id"]
    with line.running("calls", "watch", "--account", "1", "--after", beginning) as running:
        running.wait_for("call 1 .* failed")
        line.ask(*CALL)
        running.wait_for("call 2 .* queued")
        outcome = running.end(signal.SIGINT)

    assert (0, "") == (outcome.exit_code, outcome.err)


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("999",), "not_found"),
        (("999", "--account", "1"), "not_found"),
        (("--account", "1", "--after", "1-999"), "validation_error"),
        (("--api-key", "wrong"), "invalid_key"),
        ((), "invalid_value"),
    ],
)
def test_what_can_not_be_watched_is_said(line: CommandLine, words: tuple[str, ...], code: str) -> None:
    """
    A missing call, an unknown event, a wrong key, and nobody to act for.
    """
    furnish(line)

    outcome = line.run("calls", "watch", *words, "--json")

    assert outcome.exit_code != 0
    assert code == outcome.body["error"]
