"""
JSON that two parsers could read differently, or that could harm one, is refused.
"""

import json

import pytest

from tests.http.api import BODY, Api, problem_of

START = b'{"phone_number": "+15551234567", "agent_id": 123, "variables": '


def _with(variables: bytes) -> bytes:
    return START + variables + b"}"


INVALID = {
    "empty": b"",
    "blank": b" \n",
    "half an object": b'{"phone_number": ',
    "trailing comma": _with(b'{"a": 1,}'),
    "trailing garbage": _with(b"{}") + b" x",
    "second object": _with(b"{}") * 2,
    "comment": b"/* */" + _with(b"{}"),
    "single quotes": b"{'phone_number': '+15551234567'}",
    "an array": b"[]",
    "a string": b'"text"',
    "a number": b"1",
    "null": b"null",
    "duplicate names": b'{"agent_id": 1, "agent_id": 123, "phone_number": "+15551234567"}',
    "duplicate names after decoding": b'{"agent_id": 1, "agent_\\u0069d": 123, "phone_number": "+15551234567"}',
    "duplicate names inside": _with(b'{"a": 1, "a": 2}'),
    "NaN": _with(b'{"a": NaN}'),
    "Infinity": _with(b'{"a": Infinity}'),
    "-Infinity": _with(b'{"a": -Infinity}'),
    "lone surrogate in a value": _with(b'{"a": "\\ud800"}'),
    "lone surrogate in a name": b'{"\\udfff": 1}',
    "swapped surrogates": _with(b'{"a": "\\udc00\\ud800"}'),
    "NUL in a value": _with(b'{"a": "\\u0000"}'),
    "NUL in a name": b'{"phone_number\\u0000": "+15551234567"}',
    "control character": _with(b'{"a": "\x01"}'),
    "line end in a text": _with(b'{"a": "\n"}'),
    "unknown escape": _with(b'{"a": "\\x41"}'),
    "UTF-16 with its mark": json.dumps(BODY).encode("utf-16"),
    "UTF-16 without": json.dumps(BODY).encode("utf-16-le"),
    "UTF-32": json.dumps(BODY).encode("utf-32"),
    "byte order mark": b"\xef\xbb\xbf" + json.dumps(BODY).encode(),
    "Latin-1": _with('{"a": "é"}'.encode("latin-1")),
    "overlong UTF-8": _with(b'{"a": "\xc0\xaf"}'),
    "surrogate in UTF-8": _with(b'{"a": "\xed\xa0\x80"}'),
    "leading zero": _with(b'{"a": 01}'),
    "plus sign": _with(b'{"a": +1}'),
    "hexadecimal": _with(b'{"a": 0x1}'),
    "integer of 5,000 digits": _with(b'{"a": ' + b"9" * 5000 + b"}"),
    "33 levels": _with(b"[" * 32 + b"]" * 32),
    "thousands of levels": _with(b"[" * 20_000 + b"]" * 20_000),
    "thousands of open levels": b'{"a":' * 10_000,
}


@pytest.mark.parametrize("body", INVALID.values(), ids=INVALID.keys())
def test_body_that_is_not_one_plain_object_is_invalid_json(api: Api, body: bytes) -> None:
    """
    It is refused as a whole, and nothing is stored.
    """
    before = api.everything()

    answer = api.post(body)

    assert (400, "invalid_json") == problem_of(answer)
    assert before == api.everything()


READABLE = {
    "white space around": b" \r\n\t" + _with(b"{}") + b" \n",
    "a surrogate pair": _with(b'{"a": "\\ud83d\\ude00"}'),
    "letters of any script": _with('{"a": "Приве́т 你好"}'.encode()),
    "the largest integer": _with(b'{"a": 9223372036854775807}'),
    "an exponent": _with(b'{"a": 1e3}'),
    "eight levels": _with(b'{"a": ' + b"[" * 7 + b"]" * 7 + b"}"),
}


@pytest.mark.parametrize("body", READABLE.values(), ids=READABLE.keys())
def test_plain_object_is_accepted(api: Api, body: bytes) -> None:
    """
    What every parser reads alike is taken.
    """
    answer = api.post(body)

    assert 201 == answer.status_code


UNFIT = {
    "33-level limit not reached, variables too deep": _with(b'{"a": ' + b"[" * 8 + b"]" * 8 + b"}"),
    "infinite when read": _with(b'{"a": 1e400}'),
    "integer of 4,000 digits": _with(b'{"a": ' + b"9" * 4000 + b"}"),
    "64 bits and one": _with(b'{"a": 9223372036854775808}'),
}


@pytest.mark.parametrize("body", UNFIT.values(), ids=UNFIT.keys())
def test_json_that_does_not_fit_its_field_is_a_validation_error(api: Api, body: bytes) -> None:
    """
    It is JSON, but no value that can be stored.
    """
    answer = api.post(body)

    assert (400, "validation_error") == problem_of(answer)
    assert ["variables"] == [detail["field"] for detail in answer.json()["details"]]
