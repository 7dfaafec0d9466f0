"""
The same interface over a real socket: `outdial serve` with its database file.
"""

import json
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.entrypoints.clinic import CALLEE, KEY, OTHERS_KEY, calls_of, everything
from tests.http.api import BODY, CALLS, problem_of
from tests.http.live import LiveServer, look_into, serving


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """
    One server for the tests that leave it as it was, or add calls to it.
    """
    with serving(tmp_path_factory.mktemp("server")) as running:
        yield running


def received(server: LiveServer, request: bytes) -> bytes:
    """
    Return all that the server sends on a connection that asks to be closed.
    """
    with server.connect() as connection:
        connection.sendall(request)
        parts = []
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def head_of(request_line: str, *headers: str) -> bytes:
    """
    Write the head of a request with the clinic's key.
    """
    lines = [request_line, "Host: outdial.test", f"Authorization: Bearer {KEY}", *headers, "", ""]
    return "\r\n".join(lines).encode()


def parsed(answer: bytes) -> tuple[int, dict[str, str], dict[str, Any]]:
    """
    Return an answer's status, headers and JSON body.
    """
    head, _, body = answer.partition(b"\r\n\r\n")
    status_line, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return int(status_line.split()[1]), headers, json.loads(body)


@contextmanager
def held_write_lock(database: Path) -> Iterator[None]:
    """
    Keep everybody else from writing to a database.
    """
    with closing(sqlite3.connect(database, isolation_level=None)) as connection:
        connection.execute("begin immediate")
        yield
        connection.execute("rollback")


def test_accepted_call_is_dialled_and_billed(server: LiveServer) -> None:
    """
    From POST to the bill: the call is stored, rung by the simulator, and settled.
    """
    with server.client() as client:
        answer = client.post(CALLS, json=BODY)
        deadline = time.monotonic() + 20
        while (body := client.get(answer.headers["Location"]).json())["status"] != "completed":
            assert time.monotonic() < deadline

    assert 201 == answer.status_code
    assert ("billed", 0.05) == (body["billing"]["status"], body["billing"]["total_charge"])


def test_refusal_has_the_one_shape_and_changes_nothing(server: LiveServer) -> None:
    """
    Over a socket, too, a refused request leaves the database as it was.
    """
    with server.client() as client:
        before = look_into(server.database, lambda reader: reader.wallets.entries(2))
        answers = [
            client.post(CALLS, json=BODY, headers={"Authorization": f"Bearer {OTHERS_KEY}"}),
            client.post(CALLS, content=b"{", headers={"Content-Type": "application/json"}),
            client.get("/nowhere"),
            client.put(CALLS),
        ]

    assert [(404, "agent_not_found"), (400, "invalid_json"), (404, "not_found"), (405, "method_not_allowed")] == [
        problem_of(answer) for answer in answers
    ]
    assert before == look_into(server.database, lambda reader: reader.wallets.entries(2))


def test_head_has_no_body(server: LiveServer) -> None:
    """
    HEAD is answered with GET's headers and nothing behind them (RFC 9110, 9.3.2).
    """
    answer = received(server, head_of("HEAD /healthz HTTP/1.1", "Connection: close"))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert b"content-length: 15" in head.lower()
    assert b"" == body


def test_declared_length_over_the_limit_is_refused_before_the_body_comes(server: LiveServer) -> None:
    """
    The server answers 413 and closes, though not a byte of the body was sent.
    """
    request = head_of(f"POST {CALLS} HTTP/1.1", "Content-Type: application/json", "Content-Length: 10000000")

    status, headers, body = parsed(received(server, request))

    assert (413, "payload_too_large", "close") == (status, body["error"], headers["connection"])


def test_endless_chunks_are_refused_over_the_limit(server: LiveServer) -> None:
    """
    The server answers 413 after 64 KiB, though the body has no end.
    """
    request = head_of(f"POST {CALLS} HTTP/1.1", "Content-Type: application/json", "Transfer-Encoding: chunked")
    chunk = b"1000\r\n" + b" " * 4096 + b"\r\n"

    status, headers, body = parsed(received(server, request + chunk * 17))

    assert (413, "payload_too_large", "close") == (status, body["error"], headers["connection"])


def test_server_software_is_not_told(server: LiveServer) -> None:
    """
    No header names the server and its version.
    """
    with server.client() as client:
        answer = client.get("/healthz")

    assert "Server" not in answer.headers


def test_concurrent_clients_each_get_a_call_of_their_own(server: LiveServer) -> None:
    """
    Calls of one moment have different rows and ids, and are all stored.
    """
    with server.client() as client, ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: client.post(CALLS, json=BODY), range(8)))

    ids = {answer.json()["call_id"] for answer in answers}
    assert ([201] * 8, 8) == ([answer.status_code for answer in answers], len(ids))
    assert ids <= {call.call_id for call in look_into(server.database, calls_of)}


def test_client_that_leaves_in_the_middle_of_its_body_leaves_no_traceback(tmp_path: Path) -> None:
    """
    A broken connection is nobody's defect: the log stays clean and the server goes on.
    """
    with serving(tmp_path) as server:
        for _ in range(3):
            with server.connect() as connection:
                connection.sendall(
                    head_of(f"POST {CALLS} HTTP/1.1", "Content-Type: application/json", "Content-Length: 100") + b"{"
                )
        with server.client() as client:
            answer = client.get("/readyz")
        exit_code = server.stop()

    assert (200, 0) == (answer.status_code, exit_code)
    assert "Traceback" not in server.log
    assert "rror" not in server.log


def test_stopped_server_leaves_every_accepted_call_and_no_stray_hold(tmp_path: Path) -> None:
    """
    After SIGTERM the process ends by itself, every accepted call is in the file, and only open ones have holds.
    """
    with serving(tmp_path, {"OUTDIAL_SIMULATOR_TIME_SCALE": "1"}) as server:
        with server.client() as client:
            accepted = [client.post(CALLS, json={**BODY, "phone_number": CALLEE}).json() for _ in range(3)]
        exit_code = server.stop()

    calls = look_into(server.database, calls_of)
    wallet = look_into(server.database, lambda reader: reader.wallets.wallet(1))
    assert 0 == exit_code
    assert [body["call_id"] for body in accepted] == [call.call_id for call in calls]
    assert wallet is not None
    assert sum(call.hold_micros for call in calls if not call.is_terminal) == wallet.held_micros


def test_database_that_others_write_to_is_unavailable_and_accepts_nothing(tmp_path: Path) -> None:
    """
    While another process holds the write lock for too long, the answer is 503 and there is no row.
    """
    with serving(tmp_path) as server:
        before = look_into(server.database, everything)
        with held_write_lock(server.database), server.client() as client:
            answer = client.post(CALLS, json=BODY)
        after = look_into(server.database, everything)

    assert (503, "unavailable") == problem_of(answer)
    assert answer.headers["Retry-After"].isdecimal()
    assert before == after
