"""
What load balancers are told.
"""

import pytest

from outdial.entrypoints.worker.dialler import Dialler
from tests.http.api import Api, problem_of


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

    assert (200, {"status": "ready", "checks": {"database": "ready", "dialler": "ready"}}) == (
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
    monkeypatch.setattr(Dialler, "is_running", False)

    answer = api.get("/readyz", key=None)
    api.close()

    assert (503, "unavailable") == problem_of(answer)
    assert {"database": "ready", "dialler": "Nothing is being dialled."} == answer.json()["checks"]
    assert "1" == answer.headers["Retry-After"]


def test_stopped_process_is_not_ready() -> None:
    """
    After the dialer is stopped neither the database nor the dialler is ready.
    """
    api = Api(dials=True)
    api.run(api.dialer.stop())

    answer = api.get("/readyz", key=None)
    api.close()

    assert (503, "unavailable") == problem_of(answer)
    assert {"database", "dialler"} == {name for name, check in answer.json()["checks"].items() if check != "ready"}
