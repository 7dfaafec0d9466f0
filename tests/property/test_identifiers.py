"""
Laws of names that clients see.
"""

from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.model.identifiers import (
    BASE62,
    CallReference,
    hash_secret,
    read_agent_reference,
    read_call_reference,
    read_key,
    write_call_id,
    write_key,
)
from tests import strategies


@given(key_id=strategies.row_numbers, secret=strategies.key_secrets)
def test_a_key_that_is_written_is_read(key_id: int, secret: str) -> None:
    """
    A key names its row and proves its secret.
    """
    proof = read_key(write_key(key_id, secret))

    assert proof is not None
    assert (key_id, hash_secret(secret)) == (proof.key_id, proof.secret_hash)


@given(key_id=strategies.row_numbers, secret=strategies.key_secrets, other=st.sampled_from(BASE62) | st.characters())
def test_a_key_with_one_wrong_character_is_refused(key_id: int, secret: str, other: str) -> None:
    """
    The checksum finds every single mistake before anything is looked up.
    """
    text = write_key(key_id, secret)

    for at, character in enumerate(text):
        if character != other:
            assert read_key(text[:at] + other + text[at + 1 :]) is None


@given(key_id=strategies.row_numbers, secret=strategies.key_secrets, at=st.integers(0, 60))
def test_a_key_with_two_characters_swapped_is_refused(key_id: int, secret: str, at: int) -> None:
    """
    The checksum finds neighbours that changed places.
    """
    text = write_key(key_id, secret)
    swapped = text[:at] + text[at : at + 2][::-1] + text[at + 2 :]

    assert swapped == text or read_key(swapped) is None


@given(number=strategies.row_numbers, token=strategies.call_tokens)
def test_a_call_id_that_is_written_is_read(number: int, token: str) -> None:
    """
    A call's public id names its row and its token.
    """
    assert CallReference(number=number, token=token) == read_call_reference(write_call_id(number, token))


@given(text=st.text() | st.from_regex(r"(call_)?[0-9]{1,20}(_[0-9A-Za-z]{12})?", fullmatch=True))
def test_any_text_is_read_without_raising(text: str) -> None:
    """
    Whatever a client sends is a name or none; a row is never beyond its column.
    """
    reference = read_call_reference(text)

    assert reference is None or 1 <= reference.number < 2**63
    assert read_key(text) is None
    assert read_agent_reference(text) in (text, int(text) if text.isdecimal() else text)
