"""
The strangers would notice: each kind of fault, put into an answer on purpose, is found.
"""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any, Final

import httpx2
import pytest
import schemathesis
from schemathesis.checks import CHECKS
from schemathesis.core.failures import FailureGroup

from tests.http.api import CALLS, Api
from tests.openapi.strangers import DOCUMENT, configuration

LISTING: Final = schemathesis.openapi.from_dict(DOCUMENT, config=configuration("positive", examples=1))[CALLS]["GET"]
OTHER_CODE: Final = {"error": "do_not_call", "message": "Not declared for lists."}


def answer(to: httpx2.Response, **changes: Any) -> httpx2.Response:
    """
    Return an answer that differs from another one.
    """
    parts = {"status_code": to.status_code, "headers": dict(to.headers), "content": to.content, **changes}
    made = httpx2.Response(**parts, request=to.request)
    made.elapsed = timedelta()
    return made


def without(to: httpx2.Response, header: str) -> dict[str, str]:
    """
    Return an answer's headers but for one.
    """
    return {name: value for name, value in to.headers.items() if name.lower() != header}


@pytest.mark.parametrize(
    ("check", "changes"),
    [
        ("not_a_server_error", lambda _to: {"status_code": 500}),
        ("status_code_conformance", lambda _to: {"status_code": 202}),
        ("content_type_conformance", lambda to: {"headers": {**to.headers, "content-type": "text/plain"}}),
        ("response_headers_conformance", lambda to: {"headers": without(to, "x-request-id")}),
        ("response_schema_conformance", lambda to: {"content": json.dumps({**to.json(), "secret": 1}).encode()}),
        ("response_schema_conformance", lambda to: {"content": json.dumps({**to.json(), "page": "1"}).encode()}),
        (
            "refuses_for_a_declared_reason",
            lambda _to: {"status_code": 403, "content": json.dumps(OTHER_CODE).encode()},
        ),
    ],
)
def test_fault_is_found(api: Api, check: str, changes: Callable[[httpx2.Response], dict[str, Any]]) -> None:
    """
    The true answer passes the check, and the changed one fails it.
    """
    api.post()
    true = api.get(CALLS)
    case = LISTING.Case()
    checks: Any = CHECKS.get_by_names([check])

    case.validate_response(true, checks=checks)
    with pytest.raises(FailureGroup):
        case.validate_response(answer(true, **changes(true)), checks=checks)
