"""
What load balancers are told.
"""

import contextlib
import resource
import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.entrypoints import readiness
from outdial.entrypoints.worker.call_worker import CallWorker
from outdial.entrypoints.worker.webhook_worker import WebhookWorker
from tests.http.api import Api, problem_of


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """
    Where the database of `on_file` lies.
    """
    return tmp_path / "outdial.db"


@pytest.fixture
def on_file(path: Path) -> Iterator[Api]:
    """
    A process that takes calls into a file.
    """
    migrate(path)
    api = Api(storage=SqliteStorage(path))
    yield api
    api.close()


def wal(path: Path) -> Path:
    """
    Return where SQLite writes what is committed.
    """
    return path.with_name(f"{path.name}-wal")


@contextlib.contextmanager
def full_disk(path: Path) -> Iterator[None]:
    """
    Let no file grow beyond what a database's log has now.
    """
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (wal(path).stat().st_size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def readiness_of(api: Api) -> tuple[int, str]:
    """
    Ask for readiness and return the status and what is said of the database.
    """
    answer = api.get("/readyz", key=None)
    return answer.status_code, answer.json()["checks"]["database"]


def test_process_that_answers_is_alive(api: Api) -> None:
    """
    `/healthz` needs neither key nor database.
    """
    api.run(api.dialer.stop())

    answer = api.get("/healthz", key=None)

    assert (200, {"status": "ok"}) == (answer.status_code, answer.json())


def test_open_and_dialling_process_is_ready() -> None:
    """
    `/readyz` tells of each part that it is ready.
    """
    api = Api(dials=True)

    answer = api.get("/readyz", key=None)
    api.close()

    assert (200, {"status": "ready", "checks": {"database": "ready", "worker": "ready", "webhooks": "ready"}}) == (
        answer.status_code,
        answer.json(),
    )


def test_process_that_only_takes_calls_is_ready_with_its_database(api: Api) -> None:
    """
    Where other processes dial, nothing but the database is looked at.
    """
    answer = api.get("/readyz", key=None)

    assert (200, {"status": "ready", "checks": {"database": "ready"}}) == (answer.status_code, answer.json())


def test_process_whose_dialler_stopped_is_not_ready(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    503 says which part is not ready, in the one shape, and when to ask again.
    """
    api = Api(dials=True)
    monkeypatch.setattr(CallWorker, "is_running", False)

    answer = api.get("/readyz", key=None)
    api.close()

    assert (503, "unavailable") == problem_of(answer)
    assert {"database": "ready", "worker": "Nothing is being dialled.", "webhooks": "ready"} == answer.json()["checks"]
    assert "1" == answer.headers["Retry-After"]


def test_process_that_drains_is_not_ready() -> None:
    """
    It says so, and how many calls go on, so that its operator knows what it waits for.
    """
    api = Api(dials=True)
    api.run(api.dialer.drain())

    answer = api.get("/readyz", key=None)
    taken = api.post().status_code
    api.close()

    assert (503, "unavailable") == problem_of(answer)
    assert "Draining: nothing more is dialled, 0 calls go on." == answer.json()["checks"]["worker"]
    assert 201 == taken


def test_process_whose_database_is_in_a_new_place_is_not_ready_to_dial() -> None:
    """
    After a restore nothing is dialled before the calls that waited were ended.
    """
    api = Api(dials=True)
    api.run(api.storage.transact(lambda transaction: transaction.places.leave()))

    answer = api.get("/readyz", key=None)
    api.close()

    assert (503, "unavailable") == problem_of(answer)
    assert "restored, copied or promoted" in answer.json()["checks"]["worker"]


def test_process_that_tells_no_webhooks_is_ready_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Calls are taken and dialled all the same, so that no load balancer must turn away.
    """
    api = Api(dials=True)
    monkeypatch.setattr(WebhookWorker, "is_running", False)

    answer = api.get("/readyz", key=None)
    api.close()

    assert (200, "ready") == (answer.status_code, answer.json()["status"])
    assert "Webhooks are told nothing." == answer.json()["checks"]["webhooks"]


def test_stopped_process_is_not_ready() -> None:
    """
    After the dialer is stopped neither the database nor the dialler is ready.
    """
    api = Api(dials=True)
    api.run(api.dialer.stop())

    answer = api.get("/readyz", key=None)
    api.close()

    assert (503, "unavailable") == problem_of(answer)
    assert {"database", "worker", "webhooks"} == {
        name for name, check in answer.json()["checks"].items() if check != "ready"
    }


def test_process_whose_database_another_one_holds_is_not_ready(
    on_file: Api, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    The answer comes before whoever asks has given up, and is another one as soon as the lock is free.
    """
    assert 0 < readiness.READY_WITHIN_S < 1
    monkeypatch.setattr(readiness, "READY_WITHIN_S", 0.05)

    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("begin immediate")
        held = readiness_of(on_file)
    monkeypatch.undo()

    assert (503, "Nothing can be written within 0.05 s.") == held
    assert (200, "ready") == readiness_of(on_file)


def test_process_that_could_not_write_is_not_ready_until_it_can(on_file: Api, path: Path) -> None:
    """
    A full disk takes empty transactions, and readiness is not deceived by them.
    """
    with full_disk(path):
        refused = on_file.post().status_code
        full = [readiness_of(on_file) for _ in range(2)]

    assert (503, [503, 503]) == (refused, [status for status, _ in full])
    assert (200, "ready") == readiness_of(on_file)
    assert 201 == on_file.post().status_code


def test_process_whose_database_was_moved_is_not_ready(on_file: Api, path: Path) -> None:
    """
    What it would write, nobody would find.
    """
    gone = path.parent / "gone"
    gone.mkdir()
    for file in path.parent.glob(f"{path.name}*"):
        file.rename(gone / file.name)

    status, said = readiness_of(on_file)

    assert (503, 503) == (status, on_file.post().status_code)
    assert "moved or replaced" in said


def test_asking_for_readiness_writes_nothing(on_file: Api, path: Path) -> None:
    """
    It may be asked for every second without wearing out a disk.
    """
    before = wal(path).read_bytes()

    ready = [readiness_of(on_file) for _ in range(5)]

    assert [(200, "ready")] * 5 == ready
    assert before == wal(path).read_bytes()
