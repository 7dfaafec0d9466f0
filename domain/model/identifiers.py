"""
Names that clients see: API keys, call ids, agent references; written and read in one place.
"""

import hashlib
import re
import zlib
from typing import Final

import attrs

BASE62: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
ID_MAX: Final = 2**63 - 1
"""Row numbers are signed 64-bit integers in every database."""

KEY_SECRET_LENGTH: Final = 20
"""119 bits; the contract asks for 112 at least."""

CALL_TOKEN_LENGTH: Final = 12
ASSISTANT_TOKEN_LENGTH: Final = 16

_CRC_LENGTH: Final = 6
_ROW: Final = r"[1-9][0-9]{0,18}"
_KEY: Final = re.compile(rf"(od_live_({_ROW})_([0-9A-Za-z]{{{KEY_SECRET_LENGTH}}}))([0-9A-Za-z]{{{_CRC_LENGTH}}})")
_CALL: Final = re.compile(rf"call_({_ROW})_([0-9A-Za-z]{{{CALL_TOKEN_LENGTH}}})")
_EVENT: Final = re.compile(rf"({_ROW})-({_ROW})")
_POSITION: Final = re.compile(rf"@(0|{_ROW})-(0|{_ROW})")


@attrs.frozen(kw_only=True)
class KeyProof:
    """
    What a presented key claims, without its secret.

    Attributes:
        key_id: Row of the key it claims to be.

        secret_hash: SHA-256 of the secret, 32 bytes.
    """

    key_id: int
    secret_hash: bytes = attrs.field(repr=False)


def write_key(key_id: int, secret: str) -> str:
    """
    Return the text of a key, shown once: `od_live_<id>_<secret><crc>`.
    """
    body = f"od_live_{key_id}_{secret}"
    return body + _checksum(body)


def read_key(text: str) -> KeyProof | None:
    """
    Read a presented key; `None` for any text whose form or CRC-32 is wrong, which needs no look-up.
    """
    match = _KEY.fullmatch(text)
    if match is None or match[4] != _checksum(match[1]):
        return None
    key_id = int(match[2])
    return KeyProof(key_id=key_id, secret_hash=hash_secret(match[3])) if key_id <= ID_MAX else None


def hash_secret(secret: str) -> bytes:
    """
    Return what is stored of a key's secret: SHA-256 is enough for 119 random bits.
    """
    return hashlib.sha256(secret.encode()).digest()


@attrs.frozen(kw_only=True)
class CallReference:
    """
    A client's name for a call.

    Attributes:
        number: The call's row, 1 to 2**63 - 1.

        token: The random part of a `call_...` id; `None` when only the row was given.
    """

    number: int
    token: str | None = None


def write_call_id(number: int, token: str) -> str:
    """
    Return a call's public id: `call_<row>_<token>`.
    """
    return f"call_{number}_{token}"


def read_call_reference(text: str) -> CallReference | None:
    """
    Read a row number or a `call_...` id; `None` for any other text.
    """
    if re.fullmatch(_ROW, text):
        reference = CallReference(number=int(text))
    elif match := _CALL.fullmatch(text):
        reference = CallReference(number=int(match[1]), token=match[2])
    else:
        return None
    return reference if reference.number <= ID_MAX else None


@attrs.frozen(kw_only=True)
class EventId:
    """
    The name of an event of a call: `<call's row>-<record's number>`.

    Attributes:
        call: The call's row, 1 to 2**63 - 1.

        number: The record's number, likewise.
    """

    call: int
    number: int

    def __str__(self) -> str:
        return f"{self.call}-{self.number}"


@attrs.frozen(order=True)
class Position:
    """
    A place in a database's log, behind a record; it means nothing to another database: `@<transaction>-<number>`.

    Attributes:
        transaction: Orders what was written by several at once, 0 to 2**63 - 1; 0 where one writes after the other.

        number: The record's, likewise; 0 for the beginning.
    """

    transaction: int = 0
    number: int = 0

    def __str__(self) -> str:
        return f"@{self.transaction}-{self.number}"


def read_place(text: str) -> EventId | Position | None:
    """
    Read what a client goes on behind; `None` for any other text.
    """
    match = _EVENT.fullmatch(text) or _POSITION.fullmatch(text)
    if match is None or max(first := int(match[1]), second := int(match[2])) > ID_MAX:
        return None
    return EventId(call=first, number=second) if match.re is _EVENT else Position(first, second)


AgentReference = int | str
"""An agent's row number, or its `assistant_...` id."""


def read_row(text: str) -> int | None:
    """
    Read a row number; `None` for any other text.
    """
    number = int(text) if re.fullmatch(_ROW, text) else 0
    return number if 0 < number <= ID_MAX else None


def read_agent_reference(value: int | str) -> AgentReference:
    """
    Take a row number written as text for a row number; anything else stays as it is.
    """
    row = read_row(value) if isinstance(value, str) else value
    return row if row is not None else value


def _checksum(body: str) -> str:
    value = zlib.crc32(body.encode())
    digits = []
    for _ in range(_CRC_LENGTH):
        value, digit = divmod(value, len(BASE62))
        digits.append(BASE62[digit])
    return "".join(reversed(digits))
