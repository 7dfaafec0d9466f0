"""
Values are checked when they are made.
"""

from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.model.agent import NAME_LENGTH_MAX, TEXT_LENGTH_MAX, AgentTotals, RuntimeKind
from outdial.domain.model.call_event import Ended
from outdial.domain.model.contact import Contact, ContactNumber
from outdial.domain.model.disposition import WORDS_LENGTH_MAX, Disposition, HangUpCause
from outdial.domain.model.identifiers import KeyProof, hash_secret
from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.phone_number import NumberKind, PhoneNumber
from outdial.domain.model.policy import Policy
from outdial.domain.model.rate import INCREMENT_S_MAX
from outdial.domain.model.reason import Reason
from tests import builders

SIP = {"runtime": RuntimeKind.SIP_URI, "sip_uri": "sip:agent@example.com"}


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"currency": "usd"},
        {"default_region": "us"},
        {"default_region": ""},
        {"default_region": "001"},
        {"allowed_regions": frozenset({"US", "XX"})},
    ],
)
def test_impossible_accounts_are_refused(changes: dict[str, Any]) -> None:
    """
    An account has a name, a currency and regions that exist.
    """
    with pytest.raises(ValueError):
        builders.account(**changes)


def test_an_account_may_have_every_setting() -> None:
    """
    Regions and price caps are the account's choice.
    """
    account = builders.account(
        default_region="DE",
        allowed_regions=frozenset({"DE", "US"}),
        price_caps_micros={NumberKind.PREMIUM_RATE: 1_000_000},
    )

    assert "DE" == account.default_region


@pytest.mark.parametrize(
    "changes",
    [
        {"name": ""},
        {"name": "x" * (NAME_LENGTH_MAX + 1)},
        {"greeting": ""},
        {"greeting": " \n"},
        {"greeting": "Hello {{name"},
        {"greeting": "x" * (TEXT_LENGTH_MAX + 1)},
        {"instructions": "{{}}"},
        {"instructions": "x" * (TEXT_LENGTH_MAX + 1)},
        {"runtime": RuntimeKind.SIP_URI},
        {"sip_uri": "sip:agent@example.com"},
        {**SIP, "sip_uri": "agent@example.com"},
        {**SIP, "sip_uri": "tel:+15551234567"},
        {**SIP, "sip_uri": "sip:agent @example.com"},
        {**SIP, "sip_uri": "sip:agent@example.com\r\nVia: x"},
        {**SIP, "sip_uri": "sip:agent@example.com\n"},
        {**SIP, "sip_uri": "sip:"},
        {**SIP, "sip_uri": "sip:agent@[::1]"},
        {**SIP, "sip_uri": 'sip:<a>"b"@example.com'},
        {**SIP, "sip_uri": "sip:agent@example.com:65536"},
        {**SIP, "sip_uri": "sip:agent@example.com;ttl=x"},
    ],
)
def test_impossible_agents_are_refused(changes: dict[str, Any]) -> None:
    """
    An agent has a name, texts that can be rendered and what its runtime needs.
    """
    with pytest.raises(ValueError):
        builders.agent(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"name": "x" * NAME_LENGTH_MAX, "greeting": "x" * TEXT_LENGTH_MAX},
        {"phone_number": None},
        {**SIP, "greeting": ""},
        {**SIP, "sip_uri": "sips:agent@example.com:5061;transport=tcp"},
    ],
)
def test_agents_at_their_limits_are_agents(changes: dict[str, Any]) -> None:
    """
    Each limit may be reached; an agent that is reached by SIP needs no greeting.
    """
    agent = builders.agent(**changes)

    assert agent == attrs.evolve(agent)


@pytest.mark.parametrize(
    "changes",
    [
        {"model": ""},
        {"model": "x" * (NAME_LENGTH_MAX + 1)},
        {"voice_id": ""},
        {"voice_id": "x" * (NAME_LENGTH_MAX + 1)},
        {"team_id": 0},
        {"team_id": 2**63},
    ],
)
def test_what_is_told_of_an_agent_has_bounds(changes: dict[str, Any]) -> None:
    """
    Nobody has to know its model, voice and team; what is known can be stored and shown.
    """
    with pytest.raises(ValueError):
        builders.agent(**changes)


@pytest.mark.parametrize(("talk_s", "minutes"), [(0, 0.0), (1, 0.02), (90, 1.5), (3600, 60.0), (100, 1.67)])
def test_minutes_are_told_to_the_hundredth(talk_s: int, minutes: float) -> None:
    """
    They are the time talked, not the time billed.
    """
    assert minutes == AgentTotals(talk_s=talk_s).minutes_used


@pytest.mark.parametrize(
    "changes",
    [
        {"first_name": ""},
        {"first_name": "x" * 256},
        {"last_name": "x" * 256},
        {"email": "x" * 256},
        {"company": "x" * 256},
        {"timezone": ""},
        {"timezone": "/UTC"},
        {"timezone": "../UTC"},
        {"timezone": "x" * 256},
        {"custom_context": {"no name": 1}},
        {"custom_context": {"large": "x" * 16_384}},
    ],
)
def test_impossible_contacts_are_refused(changes: dict[str, Any]) -> None:
    """
    A contact has a first name; its time zone looks like one, and its context keeps the limits of variables.
    """
    with pytest.raises(ValueError):
        builders.person(**changes)


def _number(**changes: Any) -> ContactNumber:
    (number,) = builders.contact().phone_numbers
    return attrs.evolve(number, **changes)


OTHER = _number(id=7, phone_number=PhoneNumber("+442079460018"), is_primary=False)


@pytest.mark.parametrize(
    "numbers",
    [
        (OTHER,),
        (_number(), attrs.evolve(OTHER, is_primary=True)),
        (_number(), _number(is_primary=False)),
        (_number(), *[_number(phone_number=PhoneNumber(f"+4930{place:07}"), is_primary=False) for place in range(20)]),
    ],
    ids=["no_primary", "two_primaries", "one_twice", "too_many"],
)
def test_impossible_sets_of_numbers_are_refused(numbers: tuple[ContactNumber, ...]) -> None:
    """
    A contact has each of at most 20 numbers once, and one of them is the primary one.
    """
    with pytest.raises(ValueError):
        Contact(person=builders.person(), phone_numbers=numbers)


@pytest.mark.parametrize("numbers", [(), (_number(),), (OTHER, _number())])
def test_a_contact_may_have_any_number_of_numbers(numbers: tuple[ContactNumber, ...]) -> None:
    """
    None, one or more.
    """
    contact = Contact(person=builders.person(), phone_numbers=numbers)

    assert (builders.CONTACT_ID, builders.ACCOUNT_ID, numbers) == (
        contact.id,
        contact.account_id,
        contact.phone_numbers,
    )


@pytest.mark.parametrize(("last_name", "name"), [("Doe", "John Doe"), (None, "John"), ("", "John")])
def test_a_contact_has_a_name_in_full(last_name: str | None, name: str) -> None:
    """
    Made of those that are known.
    """
    assert name == builders.person(last_name=last_name).name


def test_texts_may_name_what_is_known_of_a_contact() -> None:
    """
    Fields that nobody filled are no values.
    """
    person = builders.person(last_name=None, company=None)

    assert {"first_name": "John", "email": "john@example.com"} == person.values


def test_texts_may_name_a_contacts_context_and_time_zone() -> None:
    """
    The context stands under its own name, so that it hides no field.
    """
    person = builders.person(last_name=None, timezone="UTC", custom_context={"company": "X"})

    assert {
        "first_name": "John",
        "email": "john@example.com",
        "company": "Example",
        "timezone": "UTC",
        "custom_context": {"company": "X"},
    } == person.values


@pytest.mark.parametrize(
    "changes",
    [
        {"max_call_duration_s": 0},
        {"minimum_hold_s": 0},
        {"default_rate_micros": -1},
        {"default_rate_micros": MICROS_MAX + 1},
        {"default_increment_s": 0},
        {"default_increment_s": INCREMENT_S_MAX + 1},
        {"default_minimum_s": -1},
        {"default_minimum_s": INCREMENT_S_MAX + 1},
    ],
)
def test_impossible_policies_are_refused(changes: dict[str, Any]) -> None:
    """
    A policy that passes can be used in every decision.
    """
    with pytest.raises(ValueError):
        Policy(**changes)


@pytest.mark.parametrize(
    ("changes", "live"),
    [
        ({}, True),
        ({"expires_at": builders.NOW + timedelta(microseconds=1)}, True),
        ({"expires_at": builders.NOW}, False),
        ({"revoked_at": builders.NOW}, False),
        ({"revoked_at": builders.NOW + timedelta(days=1)}, False),
    ],
)
def test_a_key_works_until_it_is_revoked_or_expires(changes: dict[str, Any], *, live: bool) -> None:
    """
    A key stops working at the moment it expires, and for good once it was revoked.
    """
    assert live is builders.api_key(**changes).is_live(builders.NOW)


@pytest.mark.parametrize(
    ("key_id", "secret", "proved"),
    [
        (builders.KEY_ID, builders.SECRET, True),
        (builders.KEY_ID + 1, builders.SECRET, False),
        (builders.KEY_ID, builders.secret(2), False),
    ],
)
def test_a_key_is_proved_by_its_row_and_secret(key_id: int, secret: str, *, proved: bool) -> None:
    """
    Another key's secret proves nothing.
    """
    proof = KeyProof(key_id=key_id, secret_hash=hash_secret(secret))

    assert proved is builders.api_key().is_proved_by(proof)


@pytest.mark.parametrize(
    ("cause", "text"),
    [
        (HangUpCause(), ""),
        (HangUpCause(code=486), "486"),
        (HangUpCause(words="Busy Here"), "Busy Here"),
        (HangUpCause(code=486, words="Busy Here", provisional=(100, 180)), "486 Busy Here"),
    ],
)
def test_a_cause_is_shown_in_the_networks_words(cause: HangUpCause, text: str) -> None:
    """
    People read the code and the phrase as the network gave them.
    """
    assert text == str(cause)


def test_a_cause_keeps_the_beginning_of_long_words() -> None:
    """
    A network may say what it likes; 200 characters are kept.
    """
    assert "x" * WORDS_LENGTH_MAX == HangUpCause(words="x" * 50_000).words


@given(st.text(st.characters(), max_size=2 * WORDS_LENGTH_MAX))
def test_a_cause_holds_only_what_can_be_shown(words: str) -> None:
    """
    Whatever a network says fits into a database, an answer and a terminal; what was readable stays where it was.
    """
    kept = HangUpCause(words=words).words

    assert len(words[:WORDS_LENGTH_MAX]) == len(kept)
    assert kept.isprintable()
    assert kept == kept.encode().decode()
    assert all(after in {before, " "} for before, after in zip(words, kept, strict=False))
    assert all(after == before for before, after in zip(words, kept, strict=False) if before.isprintable())


@pytest.mark.parametrize(
    ("words", "kept"),
    [
        ("Bu\0sy\x1b[31m", "Bu sy [31m"),
        ("a\r\nb\tc", "a  b c"),
        ("\ud800\u202ex\x9b", "  x "),
        ("Belegt: später", None),
    ],
)
def test_a_cause_has_no_control_characters(words: str, kept: str | None) -> None:
    """
    Each becomes a space, a lone surrogate too.
    """
    assert (words if kept is None else kept) == HangUpCause(words=words).words


def test_talk_time_is_never_negative() -> None:
    """
    An end before the answer is an adapter's mistake.
    """
    with pytest.raises(ValueError):
        Ended(attempt_id="a", at=builders.NOW, disposition=Disposition.BUSY, talk_s=-1)


@pytest.mark.parametrize("reason", Reason)
def test_every_reason_has_a_sentence(reason: Reason) -> None:
    """
    A client can show the message to a person.
    """
    assert reason.sentence.endswith(".")
