"""
What comes over the wire when it is not what a well-behaved client sends: byte by byte over raw sockets.
"""

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from typing import Final

import attrs
import pytest
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from outdial.entrypoints.http.bodies import BODY_BYTES_MAX
from outdial.entrypoints.http.connections import HEAD_BYTES_MAX, HEADERS_MAX, ImpatientProtocol
from tests.entrypoints.clinic import KEY, calls_of
from tests.http.api import BODY, REQUEST_ID
from tests.http.live import LiveServer, look_into, serving

JSON: Final = json.dumps(BODY).encode()
START: Final = b"POST /api/v1/calls HTTP/1.1\r\n"
HOST: Final = b"Host: outdial.test\r\n"
AUTHORIZATION: Final = b"Authorization: Bearer %s\r\n" % KEY.encode()
TYPE: Final = b"Content-Type: application/json\r\n"
LENGTH: Final = b"Content-Length: %d\r\n" % len(JSON)
CHUNKED: Final = b"Transfer-Encoding: chunked\r\n"
CHUNKS: Final = b"%x\r\n%s\r\n0\r\n\r\n" % (len(JSON), JSON)
END: Final = b"\r\n"
GOOD: Final = START + HOST + AUTHORIZATION + TYPE + LENGTH + END + JSON
SMUGGLED: Final = b"POST /api/v1/calls HTTP/1.1\r\nHost: a\r\n\r\n"

NO_HTTP: Final = {
    "a greeting": b"hello\r\n\r\n",
    "zeros": b"\x00" * 64,
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x7f" * 60,
    "a length beside chunks": START + HOST + AUTHORIZATION + TYPE + LENGTH + CHUNKED + END + CHUNKS,
    "chunks beside a length": START + HOST + AUTHORIZATION + TYPE + CHUNKED + LENGTH + END + CHUNKS,
    "two lengths": START + HOST + AUTHORIZATION + TYPE + LENGTH + b"Content-Length: 2\r\n" + END + JSON,
    "twice the same length": START + HOST + AUTHORIZATION + TYPE + LENGTH + LENGTH + END + JSON,
    "a length that is none": START + HOST + AUTHORIZATION + TYPE + b"Content-Length: 0x10\r\n" + END + JSON,
    "a negative length": START + HOST + AUTHORIZATION + TYPE + b"Content-Length: -1\r\n" + END + JSON,
    "a length of two values": START + HOST + AUTHORIZATION + TYPE + b"Content-Length: 5, 5\r\n" + END + JSON,
    "a chunk that is none": START + HOST + AUTHORIZATION + TYPE + CHUNKED + END + b"zz\r\n" + SMUGGLED,
    "chunks not last": START + HOST + AUTHORIZATION + TYPE + b"Transfer-Encoding: chunked, gzip\r\n" + END + CHUNKS,
    "chunked twice": START + HOST + AUTHORIZATION + TYPE + CHUNKED + CHUNKED + END + CHUNKS,
    "a space before the colon": START + HOST + b"Content-Length : 5\r\n" + END + JSON,
    "a NUL in a header": START + HOST + b"X-API-Key: a\x00b\r\n" + END,
    "a header without a name": START + HOST + b": value\r\n" + END,
    "a bare carriage return": START + b"Host: a\rX-API-Key: b\r\n" + END,
    "two hosts": START + HOST + b"Host: other.test\r\n" + AUTHORIZATION + TYPE + LENGTH + END + JSON,
    "two keys": START + HOST + AUTHORIZATION + AUTHORIZATION + TYPE + LENGTH + END + JSON,
    "two keys of the other kind": START + HOST + b"X-API-Key: a\r\nx-api-key: b\r\n" + TYPE + LENGTH + END + JSON,
    "two types": START + HOST + AUTHORIZATION + TYPE + b"content-type: text/plain\r\n" + LENGTH + END + JSON,
}
"""What two readers could take for different things, or nobody for a request."""

TOO_LARGE: Final = {
    "a long header": START + HOST + b"X-Long: " + b"x" * HEAD_BYTES_MAX + b"\r\n" + END,
    "a header without an end": START + HOST + b"X-Long: " + b"x" * (HEAD_BYTES_MAX + 1),
    "many headers": START + HOST + b"".join(b"X-%d: x\r\n" % number for number in range(HEADERS_MAX)) + END,
    "a long address": b"GET /%s HTTP/1.1\r\n" % (b"x" * HEAD_BYTES_MAX) + HOST + END,
    "a long name": START + HOST + b"x" * HEAD_BYTES_MAX + b": x\r\n" + END,
}


@attrs.frozen
class Answer:
    """
    The first answer that came, and whether the connection was closed behind it.
    """

    status: int
    headers: dict[str, str]
    body: bytes
    rest: bytes


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """
    A server for all tests here: none of them may harm it.
    """
    with serving(tmp_path_factory.mktemp("raw")) as live:
        yield live


def exchange(server: LiveServer, *parts: bytes) -> Answer:
    """
    Send something in parts and read until the server closes the connection.
    """
    with server.connect() as connection:
        for part in parts:
            connection.sendall(part)
        received = b""
        try:
            while chunk := connection.recv(65_536):
                received += chunk
        except ConnectionResetError:
            pass  # it was closed before all was read that had been sent
    head, _, rest = received.partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    length = int(headers["content-length"])
    return Answer(int(first.split()[1]), headers, rest[:length], rest[length:])


def check_refusal(answer: Answer, status: int, error: str) -> None:
    """
    Check that a refusal has the one shape, an id, and nothing behind it.
    """
    body = json.loads(answer.body)
    assert (status, error) == (answer.status, body["error"])
    assert "application/json" == answer.headers["content-type"]
    assert "close" == answer.headers["connection"]
    assert REQUEST_ID.fullmatch(answer.headers["x-request-id"])
    assert b"" == answer.rest


def check_alive(server: LiveServer) -> None:
    """
    Check that others are served.
    """
    with server.client() as client:
        assert 200 == client.get("/readyz").status_code


@pytest.mark.parametrize("sent", NO_HTTP.values(), ids=NO_HTTP.keys())
def test_what_is_no_proper_http_is_refused_and_closed(server: LiveServer, sent: bytes) -> None:
    """
    Nothing is accepted, whatever stands behind it in the same packet.
    """
    before = len(look_into(server.database, calls_of))

    answer = exchange(server, sent)

    check_refusal(answer, 400, "invalid_http")
    assert before == len(look_into(server.database, calls_of))
    check_alive(server)


@pytest.mark.parametrize("sent", TOO_LARGE.values(), ids=TOO_LARGE.keys())
def test_a_head_has_a_largest_size(server: LiveServer, sent: bytes) -> None:
    """
    Address and headers are counted while they come, and no more of them is kept.
    """
    answer = exchange(server, sent)

    check_refusal(answer, 431, "headers_too_large")
    check_alive(server)


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_head_is_counted_over_all_its_parts(server: LiveServer, size: int) -> None:
    """
    A head that comes in small parts is no smaller; one below the limits is fine.
    """
    filler = b"X-Filler: " + b"x" * 20_000 + b"\r\n"
    small = START + HOST + AUTHORIZATION + TYPE + filler + LENGTH + b"Connection: close\r\n" + END + JSON
    parts = [small[place : place + size] for place in range(0, len(small), size)] if size > 1 else [small]

    assert 201 == exchange(server, *parts).status
    assert 431 == exchange(server, START + HOST, *[filler] * 2).status


LARGE: Final = b"Content-Length: %d\r\n" % (BODY_BYTES_MAX + 1)
PIECE: Final = b"400\r\n" + b" " * 1024 + b"\r\n"
TOO_LONG: Final = {
    "declared": LARGE + END,
    "declared and asked about": LARGE + b"Expect: 100-continue\r\n" + END,
    "declared in thousands of digits": b"Content-Length: " + b"0" * 5000 + b"99999\r\n" + END,
    "in chunks without an end": CHUNKED + END + PIECE * (BODY_BYTES_MAX // 1024 + 1),
    "in one chunk": CHUNKED + END + b"%x\r\n" % (2 * BODY_BYTES_MAX) + b" " * (BODY_BYTES_MAX + 1),
}
"""Bodies over the limit, as far as they have to be sent until that is known."""


@pytest.mark.parametrize("sent", TOO_LONG.values(), ids=TOO_LONG.keys())
def test_a_body_that_is_too_large_is_refused_before_it_came(server: LiveServer, sent: bytes) -> None:
    """
    Nobody waits for the rest, or asks for it; the connection is closed, as the rest is no next request.
    """
    answer = exchange(server, START + HOST + AUTHORIZATION + TYPE + sent)

    check_refusal(answer, 413, "payload_too_large")
    check_alive(server)


def test_no_other_parser_takes_the_place_of_httptools() -> None:
    """
    Where it is missing nothing is served: uvicorn would go on with h11, which takes a length beside chunks.
    """
    program = "import sys; sys.modules['httptools'] = None; import outdial.entrypoints.http.server"

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)

    assert issubclass(ImpatientProtocol, HttpToolsProtocol)
    assert 1 == ended.returncode
    assert "import of httptools halted" in ended.stderr


def test_a_second_request_that_is_wrong_takes_nothing_from_the_first(server: LiveServer) -> None:
    """
    The first is answered or the connection ends; it is never answered twice, and the second is not heard.
    """
    before = len(look_into(server.database, calls_of))
    with server.connect() as connection:
        connection.sendall(GOOD + b"nonsense\r\n\r\n")
        connection.shutdown(socket.SHUT_WR)
        received = b""
        try:
            while chunk := connection.recv(65_536):
                received += chunk
        except ConnectionResetError:
            pass

    assert received.count(b"201 Created") <= 1
    assert len(look_into(server.database, calls_of)) <= before + 1
    check_alive(server)
