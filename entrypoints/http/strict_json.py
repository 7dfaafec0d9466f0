"""
One decoder for JSON from strangers: what two parsers could read differently is refused (RFC 8259, 4 and 8).
"""

import json
from collections.abc import Mapping
from typing import Final, NoReturn

from outdial.domain.model.template import is_clean

DEPTH_MAX: Final = 32


class InvalidJsonError(ValueError):
    """
    The bytes are not one JSON object as it should be.
    """


def decode_object(body: bytes) -> Mapping[str, object]:
    """
    Decode one JSON object in UTF-8.

    Raises:
        InvalidJsonError: Another encoding or value, duplicate names, NaN or an infinity, more than 32 levels, a NUL
            or a lone surrogate in a text.
    """
    try:
        value = _DECODER.decode(body.decode())
    except (ValueError, RecursionError) as error:
        raise InvalidJsonError(str(error)) from error
    if not isinstance(value, dict):
        raise InvalidJsonError("It is no object.")
    _check(value, depth=1)
    return value


def _check(value: object, *, depth: int) -> None:
    if isinstance(value, str):
        if not is_clean(value):
            raise InvalidJsonError("A text holds a NUL or a lone surrogate.")
    elif isinstance(value, dict | list):
        if depth > DEPTH_MAX:
            raise InvalidJsonError(f"It nests more than {DEPTH_MAX} deep.")
        if isinstance(value, dict):
            for name in value:
                _check(name, depth=depth)
        for inner in value.values() if isinstance(value, dict) else value:
            _check(inner, depth=depth + 1)


def _object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    value = dict(pairs)
    if len(value) != len(pairs):
        raise InvalidJsonError("A name stands twice in an object.")
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise InvalidJsonError(f"{name} is no JSON.")


_DECODER: Final = json.JSONDecoder(object_pairs_hook=_object, parse_constant=_refuse_constant)
