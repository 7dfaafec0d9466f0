"""
What goes wrong with the server or on the way: nothing is half done, and the answer has the one shape.
"""

import asyncio
import json
from collections.abc import Iterator

import httpx2
import pytest
import structlog
from uvicorn.server import ServerState

from outdial.adapters.batching import intake
from outdial.entrypoints.http import request_id
from tests.entrypoints.clinic import KEY, calls_of
from tests.http.api import BODY, CALLS, REQUEST_ID, Api, problem_of
from tests.http.on_a_port import on_a_port
from tests.http.storages import FailingStorage, HeldStorage


@pytest.fixture
def broken() -> Iterator[Api]:
    """
    An interface whose storage has a defect.
    """
    api = Api(storage=FailingStorage(ZeroDivisionError))
    yield api
    api.close()


def test_defect_is_a_server_error_and_nothing_is_half_done(broken: Api) -> None:
    """
    An unexpected exception answers 500 in the one shape, and stores nothing.
    """
    before = broken.everything()

    answer = broken.post()

    assert (500, "server_error") == problem_of(answer)
    assert before == broken.everything()


def test_defect_is_logged_with_the_requests_id(broken: Api) -> None:
    """
    Whoever reports the id of a failed request can be helped.
    """
    with structlog.testing.capture_logs(processors=[structlog.contextvars.merge_contextvars]) as lines:
        answer = broken.post()

    defects = [line for line in lines if line["event"] == "request_failed"]
    assert [(answer.headers["X-Request-Id"], "RuntimeError")] == [
        (line["request_id"], line["kind"]) for line in defects
    ]


def test_requests_over_the_limit_are_unavailable_until_others_are_answered(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The answer has the one shape, the request's id and the time to try again; nothing is accepted, nobody else harmed.
    """
    monkeypatch.setattr(request_id, "REQUESTS_MAX", 3)
    storage = HeldStorage()
    api = Api(storage=storage)

    async def ask() -> list[httpx2.Response]:
        waiting = [asyncio.ensure_future(api.send()) for _ in range(3)]
        while not storage.batches:
            await asyncio.sleep(0)
        over = [await api.send() for _ in range(2)]
        storage.let_go.set()
        return [*over, *await asyncio.gather(*waiting), await api.send()]

    answers = api.run(ask())
    calls = api.read(calls_of)
    api.close()

    assert [503, 503, 201, 201, 201, 201] == [answer.status_code for answer in answers]
    assert [(503, "unavailable")] * 2 == [problem_of(answer) for answer in answers[:2]]
    assert all(answer.headers["Retry-After"].isdecimal() for answer in answers[:2])
    assert all(REQUEST_ID.fullmatch(answer.headers["X-Request-Id"]) for answer in answers)
    assert 4 == len(calls)


def test_closed_database_is_unavailable(api: Api) -> None:
    """
    Once the dialer is stopped, asking and reading answer 503 with the time to try again.
    """
    before = api.everything()
    api.run(api.dialer.stop())

    answers = [api.post(), api.get(f"{CALLS}/1")]
    api.run(api.storage.start())

    assert [(503, "unavailable")] * 2 == [problem_of(answer) for answer in answers]
    assert ["1", "1"] == [answer.headers["Retry-After"] for answer in answers]
    assert before == api.everything()


def test_client_that_leaves_in_the_middle_of_its_body_is_no_defect(api: Api) -> None:
    """
    Nothing is raised to the server, which would log a traceback, and nothing is stored.
    """
    before = api.everything()

    with structlog.testing.capture_logs() as lines:
        streamed = api.stream([b'{"phone_number": '])

    assert 1 == streamed.chunks_read
    assert [] == lines
    assert before == api.everything()


def test_full_queue_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Over the queue's cap the answer is 503 at once; those who waited already get their calls.
    """
    monkeypatch.setattr(intake, "QUEUE_LENGTH_MAX", 2)
    storage = HeldStorage()
    api = Api(storage=storage)

    async def crowd() -> tuple[list[int], list[int]]:
        early = [asyncio.create_task(_dial(api)) for _ in range(2)]
        late = [asyncio.create_task(_dial(api)) for _ in range(2)]
        refused = await asyncio.gather(*late)
        storage.let_go.set()
        return await asyncio.gather(*early), refused

    statuses = api.run(crowd())

    assert ([201, 201], [503, 503]) == statuses
    api.close()


def test_full_queue_is_told_over_the_wire(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A client over the queue's cap hears at once when to come again, and its connection goes on.
    """
    monkeypatch.setattr(intake, "QUEUE_LENGTH_MAX", 1)
    storage = HeldStorage()
    api = Api(storage=storage)

    async def crowd() -> tuple[list[bytes], bytes]:
        async with on_a_port(api.app, ServerState()) as port:
            early = asyncio.create_task(_exchange(port, 1))
            while not storage.batches:
                await asyncio.sleep(0)
            waits = asyncio.create_task(_dial(api))
            await asyncio.sleep(0)
            late = await _exchange(port, 2)
            storage.let_go.set()
            assert 201 == await waits
            return late, (await early)[0]

    late, early = api.run(crowd())
    api.close()

    assert [True, True] == [answer.startswith(b"HTTP/1.1 503 ") for answer in late]
    assert [True, True] == [b"\r\nretry-after: 1\r\n" in answer.lower() for answer in late]
    assert early.startswith(b"HTTP/1.1 201 ")


async def _exchange(port: int, times: int) -> list[bytes]:
    """
    Ask for calls one after the other on a connection, and return the answers' heads.
    """
    body = json.dumps(BODY).encode()
    request = (
        b"POST /api/v1/calls HTTP/1.1\r\nHost: outdial.test\r\nContent-Type: application/json\r\n"
        b"Authorization: Bearer %s\r\nContent-Length: %d\r\n\r\n%s" % (KEY.encode(), len(body), body)
    )
    heads = []
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    async with asyncio.timeout(10):
        for _ in range(times):
            writer.write(request)
            heads.append(head := await reader.readuntil(b"\r\n\r\n"))
            length = next(line for line in head.lower().splitlines() if line.startswith(b"content-length:"))
            await reader.readexactly(int(length.partition(b":")[2]))
    writer.close()
    return heads


async def _dial(api: Api) -> int:
    return (await api.send(BODY)).status_code
