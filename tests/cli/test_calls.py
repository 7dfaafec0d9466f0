"""
Asking for calls, and looking at them, at the command line.
"""

import asyncio
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any, Final

import pytest

from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.domain.model.capacity import Capacity
from outdial.domain.model.disposition import HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.model.patience import Patience
from outdial.domain.service.dialling import lease, pass_no_return
from outdial.domain.service.progress import mark_doubtful
from outdial.entrypoints.cli.following import progress
from outdial.ports.storage import Transaction
from tests import builders
from tests.cli.commands import CommandLine, furnish

CALLEE = "+15551234567"
CALL = ("call", "--agent", "1", "--to", CALLEE)
LATER: Final = datetime(2025, 4, 24, 10, 20, 30, tzinfo=UTC)


def test_a_call_is_only_recorded(line: CommandLine) -> None:
    """
    The answer is that of `POST /api/v1/calls`; nothing is dialled.
    """
    furnish(line)

    body = line.ask(*CALL)

    fields = {"id", "call_id", "status", "type", "phone_number", "agent", "created_at", "estimated_start"}
    assert fields == set(body)
    assert ("queued", CALLEE) == (body["status"], body["phone_number"])
    assert "queued" == line.ask("calls", "show", body["call_id"])["status"]


def test_people_learn_who_dials(line: CommandLine) -> None:
    """
    Recording a call is not dialling it.
    """
    furnish(line)

    outcome = line.run(*CALL)

    assert 0 == outcome.exit_code
    assert "a running `outdial serve` dials it" in outcome.out
    assert "1.50 USD" in outcome.out


def test_variables_fill_the_greeting_and_nest(line: CommandLine) -> None:
    """
    A dot in a name opens an object, and a value may hold equals signs.
    """
    furnish(line, **{"--greeting": "Hello {{name}}, {{custom_context.account_status}}."})
    variables = ("--variable", "name=J=D", "--variable", "custom_context.account_status=Active")

    call = line.ask(*CALL, *variables)
    outcome = line.run("calls", "show", str(call["id"]))
    body = line.ask("calls", "show", str(call["id"]))

    assert {"name": "J=D", "custom_context": {"account_status": "Active"}} == body["variables"]
    assert "Hello J=D, Active." in outcome.out


def test_a_call_is_shown_as_over_http(line: CommandLine) -> None:
    """
    The body is that of `GET /api/v1/calls/{id}`, with the contact.
    """
    furnish(line)
    line.ask("contact", "create", "--account", "1", "--first-name", "Jo", "--last-name", "Doe")
    call = line.ask(*CALL, "--contact", "1")

    body = line.ask("calls", "show", call["call_id"])

    assert {"id": 1, "name": "Jo Doe", "email": None, "company": None} == body["contact"]
    assert {"status": "held", "initial_charge": 1.5, "currency": "USD"}.items() <= body["billing"].items()


def test_a_queued_call_is_hung_up(line: CommandLine) -> None:
    """
    The answer is that of HTTP, at once; again is fine, and the money is free.
    """
    furnish(line)
    call = line.ask(*CALL)

    bodies = [line.ask("calls", "hang-up", name) for name in (call["call_id"], str(call["id"]))]
    outcome = line.run("calls", "hang-up", call["call_id"])

    assert bodies[0] == bodies[1] == line.ask("calls", "show", call["call_id"])
    assert ("failed", "canceled") == (bodies[0]["status"], bodies[0]["ended_reason"])
    assert (0, True) == (outcome.exit_code, "Call 1: failed" in outcome.out)
    assert 0.0 == line.ask("wallet", "show", "--account", "1")["held"]


@pytest.mark.parametrize("call_id", ["99", "call_99_abcdefghijkl", "nonsense"])
@pytest.mark.parametrize("command", ["show", "hang-up"])
def test_an_unknown_call_is_not_found(line: CommandLine, command: str, call_id: str) -> None:
    """
    The exit code is 1, whether the name could be a call's or not.
    """
    furnish(line)

    outcome = line.run("calls", command, call_id, "--json")

    assert (1, "not_found") == (outcome.exit_code, outcome.body["error"])


def test_a_refusal_is_the_body_of_the_http_answer(line: CommandLine) -> None:
    """
    With its code, its sentence and what belongs to it, on standard output.
    """
    furnish(line)

    outcome = line.run("call", "--agent", "1", "--to", "12", "--json")

    assert 1 == outcome.exit_code
    assert {"error": "invalid_phone_number", "message": "The provided phone number is not valid."} == outcome.body


def test_a_refusal_is_a_sentence_on_standard_error(line: CommandLine) -> None:
    """
    With what is missing, when values for the agent's texts are.
    """
    furnish(line, **{"--greeting": "Hello {{name}}."})

    outcome = line.run(*CALL)

    assert (1, "") == (outcome.exit_code, outcome.out)
    assert "variables.name" in outcome.err


def test_a_lack_of_money_is_told_with_amounts(line: CommandLine) -> None:
    """
    What must be available and what is.
    """
    furnish(line)
    line.ask("rate", "set", "--prefix", "1", "--per-minute", "100")

    outcome = line.run(*CALL)
    body = line.run(*CALL, "--json").body

    assert "100.00 USD must be available, and 25.00 USD is." in outcome.err
    assert ("insufficient_funds", 25.0, 100.0) == (body["error"], body["available_balance"], body["required_amount"])


def test_a_call_may_be_asked_for_with_a_key(line: CommandLine) -> None:
    """
    As an option or a variable; a wrong one is refused.
    """
    key = furnish(line)["key"]["key"]

    assert 0 == line.run(*CALL, "--api-key", key).exit_code
    assert 0 == line.run(*CALL, OUTDIAL_API_KEY=key).exit_code
    assert "invalid_key" == line.run(*CALL, "--json", OUTDIAL_API_KEY="od_live_1_x").body["error"]


@pytest.mark.parametrize(
    ("words", "part"),
    [
        (("--variable", "name"), "name=value"),
        (("--variable", "=x"), "name=value"),
        (("--variable", "a=1", "--variable", "a=2"), "twice"),
        (("--variable", "a=1", "--variable", "a.b=2"), "names inside it"),
        (("--variable", "a.b=1", "--variable", "a=2"), "twice"),
        (("--contact", "Jo"), "integer"),
    ],
)
def test_options_that_make_no_sense_are_wrong_usage(line: CommandLine, words: tuple[str, ...], part: str) -> None:
    """
    The exit code is 2, and nothing was asked for.
    """
    outcome = line.run(*CALL, *words)

    assert 2 == outcome.exit_code
    assert part in outcome.err
    assert not line.database.exists()


def test_waiting_for_a_call_that_nobody_dials_comes_to_an_end(
    line: CommandLine, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The call stays queued, and the exit code tells that it did not complete.
    """
    furnish(line)
    monkeypatch.setattr("outdial.entrypoints.cli.calls.WAIT_SPARE_S", -1.8)

    outcome = line.run(*CALL, "--wait", OUTDIAL_RING_TIMEOUT_S="1", OUTDIAL_MAX_CALL_DURATION_S="1")

    assert 1 == outcome.exit_code
    assert "the call is not over" in outcome.err
    assert "Call 1: queued" in outcome.out


def test_calls_are_listed_as_over_http(line: CommandLine) -> None:
    """
    Newest first, filtered and by pages; the body is that of `GET /api/v1/calls`.
    """
    furnish(line)
    asked = [line.ask(*CALL)["call_id"] for _ in range(3)][::-1]
    newest = ("calls", "list", "--account", "1")

    first = line.ask(*newest, "--limit", "2")
    rest = line.ask(*newest, "--cursor", first["next_cursor"])
    none = line.ask(*newest, "--status", "failed", "--agent", "1")
    shown = line.run(*newest)

    assert (asked[:2], asked[2:]) == tuple([call["id"] for call in page["calls"]] for page in (first, rest))
    assert (3, True, []) == (first["count"], first["count_is_exact"], none["calls"])
    assert CALLEE in shown.out
    assert "3 of 3 calls" in shown.out


def test_calls_of_unknown_outcome_are_found(line: CommandLine) -> None:
    """
    Operators see them as what they are, and until when evidence is waited for; clients see them dialing.
    """
    furnish(line)
    asked = [line.ask(*CALL) for _ in range(2)]
    doubted_at = datetime.fromisoformat(asked[0]["created_at"]) + timedelta(seconds=1)
    unknown = ("calls", "list", "--account", "1", "--status", "unknown")
    none = line.ask(*unknown)

    asyncio.run(_leave_in_doubt(line, doubted_at))
    found = line.ask(*unknown)
    shown = line.run("calls", "show", "1").out

    assert [] == none["calls"]
    assert [(asked[0]["call_id"], "dialing")] == [(call["id"], call["status"]) for call in found["calls"]]
    assert "unknown" in line.run(*unknown).out
    assert "Call 1: unknown" in shown
    assert "the line broke" in shown
    assert (doubted_at + timedelta(seconds=40 + 1800 + 60)).strftime("%H:%M:%S") in shown


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "queued (a running `outdial serve` dials it)"),
        ({"state": State.RINGING}, "ringing"),
        (
            {"not_before": LATER, "cause": HangUpCause(code=503, words="Service Unavailable")},
            "queued (503 Service Unavailable): dialled again from 2025-04-24T10:20:30Z on",
        ),
        (
            {"state": State.UNKNOWN, "deadline_at": LATER, "cause": HangUpCause(words="no answer")},
            "unknown (no answer): evidence is waited for until 2025-04-24T10:20:30Z",
        ),
    ],
    ids=["queued", "ringing", "queued again", "unknown"],
)
def test_who_waits_for_a_call_learns_what_it_waits_for(changes: dict[str, Any], said: str) -> None:
    """
    What may take minutes says until when.
    """
    assert said == progress(builders.call(**changes))


async def _leave_in_doubt(line: CommandLine, at: datetime) -> None:
    """
    Dial the oldest call, and never learn what became of it.
    """

    def work(transaction: Transaction) -> None:
        leasing = partial(lease, transaction, worker_id="worker", trunk="trunk", capacity=Capacity())
        (leased,) = leasing(limit=1, at=at)
        sending = pass_no_return(transaction, leased, at=at, patience=Patience())
        assert sending is not None
        cause = HangUpCause(words="the line broke")
        mark_doubtful(transaction, sending, at=at, cause=cause, patience=Patience())

    storage = SqliteStorage(line.database)
    await storage.start()
    await storage.transact(work)
    await storage.stop()


@pytest.mark.parametrize(
    ("options", "exit_code", "error"),
    [
        ((), 2, "wrong_usage"),
        (("--account", "99"), 1, "not_found"),
        (("--account", "1", "--limit", "0"), 1, "validation_error"),
        (("--account", "1", "--page", "2", "--cursor", "1"), 1, "validation_error"),
        (("--api-key", "od_live_nonsense"), 1, "invalid_key"),
    ],
)
def test_a_list_that_can_t_be_given(line: CommandLine, options: tuple[str, ...], exit_code: int, error: str) -> None:
    """
    Somebody has to be acted for, and what is wrong is told as over HTTP.
    """
    furnish(line)

    outcome = line.run("calls", "list", *options, "--json")

    assert (exit_code, error) == (outcome.exit_code, outcome.body["error"])
