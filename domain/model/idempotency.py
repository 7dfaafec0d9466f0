"""
Asking for the same call twice, on purpose: the key that a client gives a request, and what the request said.
"""

import hashlib
import json
import re
from collections.abc import Sequence
from typing import Final

from outdial.domain.model.call_request import CallFields
from outdial.domain.model.decision import FieldProblem, Refused
from outdial.domain.model.reason import Reason

HEADER: Final = "Idempotency-Key"
KEY_LENGTH_MAX: Final = 255
KEY_PATTERN: Final = rf'"([!#-~]{{1,{KEY_LENGTH_MAX}}})"|([!#-~]{{1,{KEY_LENGTH_MAX}}})'
"""A key as it is sent: in quotes or bare."""

_KEY: Final = re.compile(KEY_PATTERN)


def read_idempotency_key(text: str) -> str | None:
    """
    Read a key as it is sent, bare or in quotes; `None` when it is not 1 to 255 visible ASCII characters.
    """
    match = _KEY.fullmatch(text)
    return None if match is None else match[1] or match[2]


def named(content: CallFields | Refused, keys: Sequence[str]) -> tuple[CallFields | Refused, str | None]:
    """
    Return a request's content with the idempotency key it is sent with, or as refused when that is no key.

    Args:
        keys: As they were sent; one at most makes sense.
    """
    if not keys or isinstance(content, Refused):
        return content, None
    key = read_idempotency_key(keys[0]) if len(keys) == 1 else None
    if key is None:
        problem = FieldProblem(
            field=HEADER, problem=f"It must be sent once, as 1 to {KEY_LENGTH_MAX} visible ASCII characters."
        )
        return Refused(reason=Reason.VALIDATION_ERROR, problems=(problem,)), None
    return content, key


def digest_of(fields: CallFields) -> bytes:
    """
    Return 32 bytes that are equal for requests that ask for the same, however their JSON was written.
    """
    asked = {
        "phone_number": fields.phone_number,
        "agent_id": fields.agent_id,
        "contact_id": fields.contact_id,
        "variables": _canonical(fields.variables),
    }
    return hashlib.sha256(json.dumps(asked, sort_keys=True, separators=(",", ":")).encode()).digest()


def _canonical(value: object) -> object:
    """
    Write equal numbers alike: 1.0 as 1 (RFC 8785, 3.2.2.3).
    """
    match value:
        case float() if value.is_integer():
            return int(value)
        case dict():
            return {name: _canonical(inner) for name, inner in value.items()}
        case list():
            return [_canonical(inner) for inner in value]
        case _:
            return value
