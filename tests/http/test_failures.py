"""
What goes wrong with the server or on the way: nothing is half done, and the answer has the one shape.
"""

import asyncio
from collections.abc import Iterator

import httpx2
import pytest
import structlog

from outdial.adapters.batching import intake
from outdial.entrypoints.http import request_id
from tests.entrypoints.clinic import calls_of
from tests.http.api import BODY, CALLS, REQUEST_ID, Api, problem_of
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


async def _dial(api: Api) -> int:
    return (await api.send(BODY)).status_code
