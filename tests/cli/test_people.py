"""
Agents and contacts at the command line: listed, shown, changed and deleted.
"""

import pytest

from tests.cli.commands import CommandLine, furnish

OWNER = ("--account", "1")
CALLEE = "+15551234567"
LONDON = "+442079460018"


def test_agents_are_listed_and_shown(line: CommandLine) -> None:
    """
    With their calls, by their rows and by their public ids, for a key or an account.
    """
    agent = furnish(line)["agent"]
    line.ask("call", "--agent", "1", "--to", CALLEE)
    line.ask("agent", "create", *OWNER, "--name", "Mute", "--greeting", "Hi")

    listed = line.ask("agent", "list", *OWNER)
    part = line.ask("agent", "list", *OWNER, "--limit", "1")
    rest = line.ask("agent", "list", *OWNER, "--cursor", part["next_cursor"])
    shown = [line.ask("agent", "show", name, *OWNER) for name in ("1", agent["assistant_id"])]
    people = line.run("agent", "list", *OWNER).out + line.run("agent", "show", "1", *OWNER).out

    assert ([1, 2], None) == ([one["id"] for one in listed["agents"]], listed["next_cursor"])
    assert listed["agents"] == part["agents"] + rest["agents"]
    assert [listed["agents"][0]] * 2 == shown
    assert (1, 0.0) == (shown[0]["total_calls"], shown[0]["minutes_used"])
    assert "2 agents shown" in people
    assert "0.00 min" in people


def test_a_contact_is_added_with_all_that_is_known(line: CommandLine) -> None:
    """
    All its fields come back as over HTTP; the first number is the primary one.
    """
    line.ask("account", "create", "Acme")
    words = ("--first-name", "Jo", "--last-name", "Doe", "--email", "jo@example.com", "--company", "Example")
    numbers = ("--phone-number", f"mobile:{CALLEE}", "--phone-number", LONDON)
    context = ("--timezone", "Europe/London", "--context", "plan.name=Basic", "--context", "since=2020")

    body = line.ask("contact", "create", *OWNER, *words, *numbers, *context)

    known = [(one["phone_number"], one["phone_type"], one["primary"]) for one in body.pop("phone_numbers")]
    assert [(CALLEE, "mobile", True), (LONDON, "other", False)] == known
    assert {
        "id": 1,
        "first_name": "Jo",
        "last_name": "Doe",
        "email": "jo@example.com",
        "company": "Example",
        "timezone": "Europe/London",
        "custom_context": {"plan": {"name": "Basic"}, "since": "2020"},
    } == body


def test_a_contact_is_changed_shown_listed_and_deleted(line: CommandLine) -> None:
    """
    What is not named stays, an empty text clears; after deleting there is none.
    """
    line.ask("account", "create", "Acme")
    before = line.ask("contact", "create", *OWNER, "--first-name", "Jo", "--last-name", "D", "--phone-number", CALLEE)

    after = line.ask("contact", "update", "1", *OWNER, "--first-name", "Joanna", "--last-name", "")
    shown = line.ask("contact", "show", "1", *OWNER)
    listed = line.ask("contact", "list", *OWNER, "--limit", "5")
    people = line.run("contact", "list", *OWNER).out + line.run("contact", "show", "1", *OWNER).out
    deleted = line.ask("contact", "delete", "1", *OWNER)
    gone = line.run("contact", "show", "1", *OWNER, "--json")

    assert {**before, "first_name": "Joanna", "last_name": None} == after == shown
    assert ([shown], 1, 5) == (listed["contacts"], listed["count"], listed["limit"])
    assert "1 of 1 contacts" in people
    assert f"{CALLEE} (other)" in people
    assert {"id": 1, "deleted": True} == deleted
    assert (1, "not_found") == (gone.exit_code, gone.body["error"])


def test_a_contacts_numbers_are_flagged_and_freed(line: CommandLine) -> None:
    """
    All of them at once, with a reason; the others of its fields stay.
    """
    furnish(line)
    line.ask("contact", "create", *OWNER, "--first-name", "Jo", "--phone-number", CALLEE, "--phone-number", LONDON)

    flagged = line.ask("contact", "update", "1", *OWNER, "--do-not-call", "--reason", "asked")
    shown = line.run("contact", "show", "1", *OWNER).out
    refused = line.run("call", "--agent", "1", "--to", CALLEE, "--json")
    freed = line.ask("contact", "update", "1", *OWNER, "--may-call")

    assert [(True, "asked")] * 2 == [(one["do_not_call"], one["dnc_reason"]) for one in flagged["phone_numbers"]]
    assert "do not call" in shown
    assert (1, "do_not_call") == (refused.exit_code, refused.body["error"])
    assert [False, False] == [one["do_not_call"] for one in freed["phone_numbers"]]
    assert [one["id"] for one in flagged["phone_numbers"]] == [one["id"] for one in freed["phone_numbers"]]


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (("contact", "create", *OWNER, "--first-name", "Jo", "--timezone", "Mars"), "validation_error"),
        (("contact", "create", *OWNER, "--first-name", "Jo", "--phone-number", "fax:+15551234567"), "validation_error"),
        (("contact", "create", *OWNER, "--first-name", ""), "validation_error"),
        (("contact", "update", "9", *OWNER, "--first-name", "Jo"), "not_found"),
        (("contact", "update", "me", *OWNER, "--do-not-call"), "not_found"),
        (("contact", "delete", "9", *OWNER), "not_found"),
        (("contact", "list", *OWNER, "--limit", "0"), "validation_error"),
        (("contact", "list", "--account", "9"), "not_found"),
        (("agent", "show", "9", *OWNER), "not_found"),
        (("agent", "list", *OWNER, "--limit", "0"), "validation_error"),
        (("agent", "list", "--api-key", "od_live_nonsense"), "invalid_key"),
    ],
)
def test_what_can_not_be_done_is_told_as_over_http(line: CommandLine, words: tuple[str, ...], error: str) -> None:
    """
    With the same code, and a sentence for people.
    """
    furnish(line)

    outcome = line.run(*words, "--json")

    assert (1, error) == (outcome.exit_code, outcome.body["error"])
    assert line.run(*words).err.strip()


def test_a_key_needs_the_permission(line: CommandLine) -> None:
    """
    As over HTTP.
    """
    furnish(line)
    reading = line.ask("key", "create", *OWNER, "--permission", "can_read_contacts")["key"]

    listed = line.ask("contact", "list", "--api-key", reading)
    refused = line.run("contact", "create", "--first-name", "Jo", "--api-key", reading, "--json")

    assert [] == listed["contacts"]
    assert (1, "permission_denied") == (refused.exit_code, refused.body["error"])
