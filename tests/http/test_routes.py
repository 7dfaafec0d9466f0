"""
Addresses and methods that there are, and those that there are not.
"""

import attrs
import pytest

from tests.entrypoints.clinic import KEY
from tests.http.api import CALLS, MEMORY, Api, problem_of


@pytest.mark.parametrize(
    "path", ["/", "/api/v1", "/api/v1/calls/", "/api/v1/calls/1/", "/api/v1/calls/1/2", "//healthz"]
)
def test_unknown_address_is_not_found_in_the_one_shape(api: Api, path: str) -> None:
    """
    There are no redirects to similar addresses, and nothing is told of keys.
    """
    answer = api.get(path, key=None)

    assert (404, "not_found") == problem_of(answer)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PATCH", CALLS, {"POST", "GET", "HEAD"}),
        ("PUT", CALLS, {"POST", "GET", "HEAD"}),
        ("OPTIONS", CALLS, {"POST", "GET", "HEAD"}),
        ("BREW", CALLS, {"POST", "GET", "HEAD"}),
        ("POST", f"{CALLS}/1", {"GET", "HEAD"}),
        ("PUT", f"{CALLS}/preflight", {"POST"}),
        ("DELETE", f"{CALLS}/1", {"GET", "HEAD"}),
        ("POST", "/healthz", {"GET", "HEAD"}),
        ("POST", "/readyz", {"GET", "HEAD"}),
    ],
)
def test_other_method_is_told_which_ones_there_are(api: Api, method: str, path: str, allowed: set[str]) -> None:
    """
    405 carries `Allow` (RFC 9110, 15.5.6).
    """
    answer = api.ask(method, path)

    assert (405, "method_not_allowed") == problem_of(answer)
    assert allowed == {name.strip() for name in answer.headers["Allow"].split(",")}


@pytest.mark.parametrize("path", [f"{CALLS}/1", "/healthz", "/readyz"])
def test_head_is_answered_like_get(api: Api, path: str) -> None:
    """
    HEAD has the status and type of GET.
    """
    api.post()

    head, get = api.ask("HEAD", path), api.ask("GET", path)

    assert (get.status_code, get.headers["Content-Type"]) == (head.status_code, head.headers["Content-Type"])


def test_head_is_no_way_to_ask_for_a_call(api: Api) -> None:
    """
    HEAD lists calls without telling of them.
    """
    answer = api.ask("HEAD", CALLS, headers={"Authorization": f"Bearer {KEY}"})

    assert (200, b"") == (answer.status_code, answer.content)
    assert 0 == api.get(CALLS).json()["count"]


def test_worker_tells_of_its_health_alone() -> None:
    """
    A process that only dials takes no calls over HTTP.
    """
    api = Api(attrs.evolve(MEMORY, role="worker"), dials=True)

    asked, health = api.post(), api.get("/readyz")
    api.close()

    assert (404, "not_found") == problem_of(asked)
    assert 200 == health.status_code
