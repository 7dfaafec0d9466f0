"""
Keys, call ids and agent references as clients write them.
"""

import hashlib

import pytest

from outdial.domain.model.identifiers import (
    ID_MAX,
    CallReference,
    KeyProof,
    hash_secret,
    read_agent_reference,
    read_call_reference,
    read_key,
    write_call_id,
    write_key,
)
from outdial.domain.model.principal import PresentedKey
from tests import builders

KEY = "od_live_11_0123456789abcdefGHIJ1RXQ35"


def test_a_key_names_its_row_and_ends_with_its_checksum() -> None:
    """
    The format that clients have stored never changes.
    """
    assert KEY == write_key(11, "0123456789abcdefGHIJ")


def test_a_key_proves_itself_by_the_hash_of_its_secret() -> None:
    """
    Reading a key keeps no more of its secret than SHA-256.
    """
    secret_hash = hashlib.sha256(b"0123456789abcdefGHIJ").digest()

    assert KeyProof(key_id=11, secret_hash=secret_hash) == read_key(KEY)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "od_live_",
        KEY[:-1],
        KEY + "0",
        " " + KEY,
        KEY + "\n",
        KEY.upper(),
        KEY.replace("live", "test"),
        f"Bearer {KEY}",
        write_key(0, builders.SECRET),
        write_key(-1, builders.SECRET),
        write_key(ID_MAX + 1, builders.SECRET),
        write_key(10**20, builders.SECRET),
        write_key(11, builders.SECRET[:-1]),
        write_key(11, builders.SECRET[:-1] + "\u0667"),
        "\ud800",
        "x" * 50_000,
    ],
)
def test_malformed_keys_need_no_look_up(text: str) -> None:
    """
    A text that no key can have is refused by its form alone.
    """
    assert None is read_key(text)


def test_the_highest_row_has_a_key() -> None:
    """
    Row numbers go to 2**63 - 1.
    """
    proof = read_key(write_key(ID_MAX, builders.SECRET))

    assert proof is not None
    assert ID_MAX == proof.key_id


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("1", CallReference(number=1)),
        (str(ID_MAX), CallReference(number=ID_MAX)),
        ("call_789_aB3dE6gH9jK2", CallReference(number=789, token="aB3dE6gH9jK2")),
        (f"call_{ID_MAX}_aB3dE6gH9jK2", CallReference(number=ID_MAX, token="aB3dE6gH9jK2")),
    ],
)
def test_a_call_is_named_by_its_row_or_its_public_id(text: str, reference: CallReference) -> None:
    """
    Both names of the contract are read.
    """
    assert reference == read_call_reference(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0",
        "-1",
        "01",
        "1.0",
        "1 ",
        "1\n",
        "\u0661",
        str(ID_MAX + 1),
        "9" * 19,
        "9" * 20,
        "1" * 5000,
        f"call_{ID_MAX + 1}_aB3dE6gH9jK2",
        "call_0_aB3dE6gH9jK2",
        "call_789",
        "call_789_",
        "call_789_aB3dE6gH9jK",
        "call_789_aB3dE6gH9jK22",
        "call_789_aB3dE6gH9jK-",
        "CALL_789_aB3dE6gH9jK2",
        "call_789_aB3dE6gH9jK2\n",
    ],
)
def test_other_texts_name_no_call(text: str) -> None:
    """
    What no row or public id can be is none, rows beyond 2**63 - 1 included.
    """
    assert None is read_call_reference(text)


@pytest.mark.parametrize(
    ("value", "reference"),
    [
        (123, 123),
        (0, 0),
        (-1, -1),
        ("123", 123),
        (str(ID_MAX), ID_MAX),
        (str(ID_MAX + 1), str(ID_MAX + 1)),
        ("0123", "0123"),
        ("0", "0"),
        ("-1", "-1"),
        (" 123", " 123"),
        ("123\n", "123\n"),
        ("\u0661", "\u0661"),
        ("assistant_abc123", "assistant_abc123"),
        ("", ""),
    ],
)
def test_an_agent_is_named_by_its_row_or_its_assistant_id(value: int | str, reference: int | str) -> None:
    """
    A row written as text is a row; any other text may be an assistant's id.
    """
    assert reference == read_agent_reference(value)


def test_secrets_are_never_shown() -> None:
    """
    Neither a key's text nor its hash appears in what is logged.
    """
    values = [
        PresentedKey(text=KEY),
        builders.api_key(),
        read_key(KEY),
        builders.request(),
        builders.facts(),
    ]

    shown = " ".join(f"{value!r} {value}" for value in values)

    assert builders.SECRET not in shown
    assert repr(hash_secret(builders.SECRET)) not in shown
    assert hash_secret(builders.SECRET).hex() not in shown


def test_a_call_id_reads_as_its_row_and_token() -> None:
    """
    The public id of a call names it again.
    """
    call = builders.call()

    reference = read_call_reference(call.call_id)

    assert CallReference(number=call.id, token=call.token) == reference
    assert "call_789_aB3dE6gH9jK2" == write_call_id(789, "aB3dE6gH9jK2")
