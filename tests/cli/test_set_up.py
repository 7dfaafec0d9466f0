"""
Accounts, wallets, keys, agents, lists and rates at the command line.
"""

import pytest

from tests.cli.commands import CommandLine, furnish

OWNER = ("--account", "1")


def test_an_account_is_created_with_its_money(line: CommandLine) -> None:
    """
    `--json` may stand last and the balance is a number of currency units.
    """
    body = line.run("account", "create", "Acme", "--balance", "25.00", "--json").body

    assert {
        "account_id": 1,
        "name": "Acme",
        "currency": "USD",
        "balance": 25.0,
        "default_region": None,
        "allowed_regions": [],
        "price_caps": {},
    } == body


def test_an_account_gets_its_regions_and_price_caps(line: CommandLine) -> None:
    """
    Repeated options add up.
    """
    regions = ("--default-region", "DE", "--allow-region", "DE", "--allow-region", "AT")
    caps = ("--price-cap", "premium_rate=2.00", "--price-cap", "pager=0.5")

    body = line.ask("account", "create", "Acme", "--currency", "EUR", *regions, *caps)

    assert ("EUR", "DE", ["AT", "DE"]) == (body["currency"], body["default_region"], body["allowed_regions"])
    assert {"premium_rate": 2.0, "pager": 0.5} == body["price_caps"]


def test_a_wallet_is_topped_up_and_shown(line: CommandLine) -> None:
    """
    What it owns, what is held and what is left.
    """
    line.ask("account", "create", "Acme", "--balance", "1.50")

    topped_up = line.ask("wallet", "top-up", *OWNER, "--amount", "10.00")

    assert {"account_id": 1, "currency": "USD", "balance": 11.5, "available": 11.5, "held": 0.0} == topped_up
    assert topped_up == line.ask("wallet", "show", *OWNER)


def test_a_queued_call_holds_money(line: CommandLine) -> None:
    """
    Balance is what is owned, available what is not held.
    """
    furnish(line)
    line.ask("call", "--agent", "1", "--to", "+15551234567")

    body = line.ask("wallet", "show", *OWNER)

    assert (25.0, 23.5, 1.5) == (body["balance"], body["available"], body["held"])


def test_a_key_is_created_with_several_permissions(line: CommandLine) -> None:
    """
    `--permission` is repeated, and the key comes with its number.
    """
    line.ask("account", "create", "Acme")

    body = line.ask("key", "create", *OWNER, "--permission", "can_initiate_calls", "--permission", "can_read_calls")

    assert {"key_id", "account_id", "key", "permissions", "calls_per_day", "requests_per_minute"} == set(body)
    assert ["can_initiate_calls", "can_read_calls"] == body["permissions"]
    assert body["key"].startswith(f"od_live_{body['key_id']}_")


def test_a_new_key_is_said_to_be_shown_once(line: CommandLine) -> None:
    """
    A person learns that it must be kept now.
    """
    line.ask("account", "create", "Acme")

    outcome = line.run("key", "create", *OWNER, "--permission", "can_read_calls")

    assert "od_live_1_" in outcome.out
    assert "shown only once" in outcome.out


def test_a_revoked_key_is_refused(line: CommandLine) -> None:
    """
    It stops working at once.
    """
    key = furnish(line)["key"]

    revoked = line.ask("key", "revoke", str(key["key_id"]))
    outcome = line.run("call", "--agent", "1", "--to", "+15551234567", "--api-key", key["key"], "--json")

    assert revoked["revoked_at"].endswith("Z")
    assert (1, "invalid_key") == (outcome.exit_code, outcome.body["error"])


def test_an_agent_has_two_ids(line: CommandLine) -> None:
    """
    Its row and its `assistant_...` id; the number is stored in E.164.
    """
    body = furnish(line, **{"--phone-number": "+1 (555) 555-0100"})["agent"]

    assert 1 == body["id"]
    assert body["assistant_id"].startswith("assistant_")
    assert ("+15555550100", "announce", True) == (body["phone_number"], body["runtime"], body["can_make_calls"])


def test_an_agent_may_have_a_model_a_voice_and_a_team(line: CommandLine) -> None:
    """
    They come back as they were given; an agent without them has none.
    """
    line.ask("account", "create", "Acme")
    words = ("agent", "create", *OWNER, "--name", "Bot", "--greeting", "Hi")

    whole = line.ask(*words, "--model", "large-1", "--voice-id", "alto", "--team-id", "7")
    plain = line.ask(*words)

    assert ("large-1", "alto", 7) == (whole["model"], whole["voice_id"], whole["team_id"])
    assert (None, None, None) == (plain["model"], plain["voice_id"], plain["team_id"])


def test_an_agent_may_have_a_sip_address(line: CommandLine) -> None:
    """
    It then needs no greeting.
    """
    line.ask("account", "create", "Acme")

    body = line.ask(
        "agent", "create", *OWNER, "--name", "Bot", "--runtime", "sip_uri", "--sip-uri", "sip:bot@example.com"
    )

    assert ("sip_uri", "sip:bot@example.com", False) == (body["runtime"], body["sip_uri"], body["can_make_calls"])


def test_a_number_is_listed_looked_up_and_taken_off_again(line: CommandLine) -> None:
    """
    `dnc show` tells before, between and after.
    """
    line.ask("account", "create", "Acme")
    number = "+15551234567"

    before = line.ask("dnc", "show", *OWNER, number)
    added = line.ask("dnc", "add", *OWNER, number, "--reason", "asked")
    between = line.ask("dnc", "show", *OWNER, number)
    removed = line.ask("dnc", "remove", *OWNER, number)
    again = line.ask("dnc", "remove", *OWNER, number)

    (entry,) = between["entries"]
    assert [False, True] == [before["listed"], between["listed"]]
    assert ("asked", "asked", True, False) == (added["reason"], entry["reason"], removed["removed"], again["removed"])


def test_a_rate_is_set(line: CommandLine) -> None:
    """
    The price, its increment and its minimum come back.
    """
    body = line.ask("rate", "set", "--prefix", "+1", "--per-minute", "0.05", "--increment-s", "6", "--minimum-s", "30")

    assert {"prefix": "1", "currency": "USD", "per_minute": 0.05, "increment_s": 6, "minimum_s": 30} == body


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (("account", "create", "Bcme", "--balance", "2", "--price-cap", "pager=0.50"), ["Account 2", "pager 0.50 USD"]),
        (("wallet", "show", *OWNER), ["Wallet of account 1", "25.00 USD"]),
        (("wallet", "top-up", *OWNER, "--amount", "0.005"), ["25.005 USD"]),
        (("key", "revoke", "1"), ["Key 1 of account 1", "revoked"]),
        (("agent", "create", *OWNER, "--name", "Mute", "--greeting", "Hi"), ["Agent 2", "it can't make calls"]),
        (("dnc", "add", *OWNER, "+15551234567"), ["+15551234567", "yes"]),
        (("dnc", "show", *OWNER, "+15551234567"), ["+15551234567", "no"]),
        (("dnc", "remove", *OWNER, "+15551234567"), ["it was not before"]),
        (("rate", "set", "--prefix", "49", "--per-minute", "0.1"), ["Rate of +49", "0.10 USD", "60 s"]),
    ],
)
def test_people_read_small_tables(line: CommandLine, words: tuple[str, ...], expected: list[str]) -> None:
    """
    Names, values and amounts with their currency, without colours where there is no terminal.
    """
    furnish(line)

    outcome = line.run(*words)

    assert 0 == outcome.exit_code
    assert all(part in outcome.out for part in expected), outcome.out
    assert "\x1b" not in outcome.out


def test_the_database_may_be_an_option(line: CommandLine) -> None:
    """
    `--database` comes before OUTDIAL_DATABASE.
    """
    other = line.folder / "other.db"

    line.ask("account", "create", "Acme", "--database", f"sqlite:///{other}")

    assert (True, False) == (other.exists(), line.database.exists())
