"""
Asking what would be decided, and why something was, at the command line.
"""

import sqlite3
from contextlib import closing

from outdial.domain.rules.ladder import RULES
from tests.cli.commands import CommandLine, furnish
from tests.cli.test_calls import CALL, CALLEE

PREFLIGHT = ("preflight", *CALL[1:])


def test_a_preflight_shows_every_rule_and_records_nothing(line: CommandLine) -> None:
    """
    Each rule has a line; greeting and price follow.
    """
    furnish(line)

    outcome = line.run(*PREFLIGHT, "--variable", "name=Ann")

    assert 0 == outcome.exit_code
    lines = outcome.out.splitlines()
    assert [rule.__name__.replace("_", " ") for rule in RULES] == [
        shown.partition("  ")[0].strip() for shown in lines[: len(RULES)]
    ]
    assert "The call would be accepted." in outcome.out
    assert "Hello Ann." in outcome.out
    assert "0.05 USD a minute" in outcome.out
    assert "1.50 USD for 1800 s" in outcome.out
    assert [] == line.ask("calls", "list", "--account", "1")["calls"]


def test_a_preflight_of_a_refused_call_tells_all_reasons_and_exits_with_1(line: CommandLine) -> None:
    """
    What is listed is refused; the facts tell by which entry.
    """
    made = furnish(line)
    line.ask("dnc", "add", "--account", "1", CALLEE, "--reason", "asked us to stop")

    outcome = line.run(*PREFLIGHT)
    as_json = line.run(*PREFLIGHT, "--api-key", made["key"]["key"], "--json")

    assert (1, 1) == (outcome.exit_code, as_json.exit_code)
    assert "The call would be refused: The phone number is on your Do Not Call list." in outcome.out
    assert ("refused", "do_not_call") == (as_json.body["decision"], as_json.body["error"])
    assert "asked us to stop" == as_json.body["facts"]["do_not_call"]["reason"]


def test_a_preflight_of_a_repeat_names_the_call(line: CommandLine) -> None:
    """
    The same request again would dial nobody.
    """
    furnish(line)
    call = line.ask(*CALL, "--idempotency-key", "one")

    outcome = line.run(*PREFLIGHT, "--idempotency-key", "one")

    assert 0 == outcome.exit_code
    assert call["call_id"] in outcome.out
    assert "Call 1 would be answered again, and nobody dialled." in outcome.out


def test_a_stranger_sees_a_refusal_alone(line: CommandLine) -> None:
    """
    A wrong key is told as such, with nothing else.
    """
    furnish(line)

    outcome = line.run(*PREFLIGHT, "--api-key", "nonsense", "--json")

    assert 1 == outcome.exit_code
    assert {"error", "message"} == set(outcome.body)


def test_an_agent_that_does_not_exist_is_told_with_the_rest(line: CommandLine) -> None:
    """
    Without the agent the operator acts for nobody, who has no money.
    """
    furnish(line)

    body = line.run("preflight", "--agent", "99", "--to", CALLEE, "--json").body

    refusing = [verdict["error"] for verdict in body["rules"] if verdict["verdict"] == "refuses"]
    assert ["agent_not_found", "insufficient_funds"] == refusing


def test_a_calls_decision_can_be_shown(line: CommandLine) -> None:
    """
    To people with its facts, as JSON like over HTTP; an unknown call's is not found.
    """
    furnish(line)
    call = line.ask(*CALL)

    outcome = line.run("calls", "decision", call["call_id"])
    body = line.ask("calls", "decision", str(call["id"]))
    unknown = line.run("calls", "decision", "99", "--json")

    assert "Call 1 was accepted" in outcome.out
    assert body["facts_digest"] in outcome.out
    assert body["facts_intact"]
    assert "warning" not in outcome.out
    assert (1, "not_found") == (unknown.exit_code, unknown.body["error"])


def test_refusals_can_be_listed_and_shown(line: CommandLine) -> None:
    """
    Newest first, by page and by reason, each with what was wrong.
    """
    furnish(line, **{"--greeting": "Hello {{name}}."})
    owner = ("--account", "1")
    line.run(*CALL)
    line.run("call", "--agent", "1", "--to", "911")

    listed = line.run("refusals", "list", *owner)
    page = line.ask("refusals", "list", *owner, "--limit", "1")
    rest = line.ask("refusals", "list", *owner, "--cursor", page["next_cursor"], "--reason", "validation_error")
    shown = line.run("refusals", "show", *owner, str(rest["refusals"][0]["id"]))

    assert ["invalid_phone_number"] == [refusal["error"] for refusal in page["refusals"]]
    assert ["validation_error"] == [refusal["error"] for refusal in rest["refusals"]]
    assert listed.out.index("invalid_phone_number") < listed.out.index("validation_error")
    assert "No older ones are kept." in listed.out
    assert "variables.name" in shown.out
    assert rest["refusals"][0] == line.ask("refusals", "show", *owner, str(rest["refusals"][0]["id"]))


def test_what_is_no_refusal_is_told(line: CommandLine) -> None:
    """
    A reason that does not exist, and numbers of none.
    """
    furnish(line)
    owner = ("--account", "1", "--json")

    wrong = line.run("refusals", "list", "--reason", "nothing", *owner)
    unknown = [line.run("refusals", "show", name, *owner) for name in ("7", "x")]
    stranger = line.run("refusals", "list", "--api-key", "nonsense", "--json")

    assert (1, "reason") == (wrong.exit_code, wrong.body["details"][0]["field"])
    assert [(1, "not_found")] * 2 == [(outcome.exit_code, outcome.body["error"]) for outcome in unknown]
    assert (1, "invalid_key") == (stranger.exit_code, stranger.body["error"])


def test_facts_that_were_changed_are_marked(line: CommandLine) -> None:
    """
    Somebody who wrote into the database is given away by the digest.
    """
    furnish(line)
    line.ask(*CALL)
    with closing(sqlite3.connect(line.database, isolation_level=None)) as file:
        file.execute("update call_decisions set facts = replace(facts, '25000000', '35000000')")

    outcome = line.run("calls", "decision", "1")

    assert "The facts were changed since" in outcome.out
    assert not line.ask("calls", "decision", "1")["facts_intact"]
