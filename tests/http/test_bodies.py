"""
Bodies that are too large, and how little of them is read.
"""

from collections.abc import Iterator

import pytest

from tests.http.api import Api, problem_of

CHUNK = b" " * 1024
LIMIT = 64 * 1024


def endless() -> Iterator[bytes]:
    """
    Yield chunks for ever, as a client may that wants to fill the memory.
    """
    while True:
        yield CHUNK


def test_body_of_just_the_limit_is_read(api: Api) -> None:
    """
    64 KiB are allowed.
    """
    body = b'{"phone_number": "+15551234567", "agent_id": 123}'

    answer = api.post(body.ljust(LIMIT))

    assert 201 == answer.status_code


def test_body_of_one_byte_more_is_refused(api: Api) -> None:
    """
    64 KiB and a byte are not, and the connection is closed because the rest is not read.
    """
    body = b'{"phone_number": "+15551234567", "agent_id": 123}'

    answer = api.post(body.ljust(LIMIT + 1))

    assert (413, "payload_too_large") == problem_of(answer)
    assert "close" == answer.headers["Connection"]


@pytest.mark.parametrize("declared", [str(LIMIT + 1), "9" * 30, "9" * 5000, "0" * 5000 + "9" * 6])
def test_declared_length_is_refused_before_anything_is_read(api: Api, declared: str) -> None:
    """
    A body that says it is too large is not waited for, however many digits say so.
    """
    streamed = api.stream(endless(), {"Content-Length": declared})

    assert (413, "payload_too_large") == (streamed.status, streamed.error)
    assert 0 == streamed.chunks_read


def test_length_with_leading_zeros_is_a_number(api: Api) -> None:
    """
    Zeros before a length change nothing (RFC 9110, 8.6 allows any number of digits).
    """
    streamed = api.stream([CHUNK], {"Content-Length": "0" * 5000 + "1024"})

    assert 1 == streamed.chunks_read


def test_undeclared_length_is_read_up_to_the_limit(api: Api) -> None:
    """
    A chunked body is refused with the first chunk over the limit; the rest is not waited for.
    """
    streamed = api.stream(endless(), {"Transfer-Encoding": "chunked"})

    assert (413, "payload_too_large") == (streamed.status, streamed.error)
    assert LIMIT // len(CHUNK) + 1 == streamed.chunks_read


@pytest.mark.parametrize("declared", ["-1", "ten", "1.5", "", "\u00b2"])
def test_length_that_is_no_number_is_not_trusted(api: Api, declared: str) -> None:
    """
    What can't be read as a length is as good as none: the bytes are counted.
    """
    streamed = api.stream(endless(), {"Content-Length": declared})

    assert (413, "payload_too_large") == (streamed.status, streamed.error)


def test_understated_length_does_not_help(api: Api) -> None:
    """
    The bytes are counted, whatever was declared.
    """
    streamed = api.stream(endless(), {"Content-Length": "10"})

    assert (413, "payload_too_large") == (streamed.status, streamed.error)


@pytest.mark.parametrize("media_type", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_other_media_types_are_refused(api: Api, media_type: str) -> None:
    """
    Only `application/json` is read.
    """
    answer = api.post(headers={"Content-Type": media_type})

    assert (415, "unsupported_media_type") == problem_of(answer)
