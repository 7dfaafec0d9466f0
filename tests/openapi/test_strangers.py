"""
Requests by the thousand, made up by schemathesis from the OpenAPI document: none fails, all are answered as documented.
"""

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from schemathesis import Case

from tests.http.live import serving
from tests.openapi.strangers import DOCUMENT, Application, configuration, furnish_generously

fitting = schemathesis.openapi.from_dict(DOCUMENT, config=configuration("positive", examples=50))
unfitting = schemathesis.openapi.from_dict(DOCUMENT, config=configuration("negative", examples=50))
served = schemathesis.openapi.from_dict(DOCUMENT, config=configuration("all", examples=10))

fitting.app = unfitting.app = Application()


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """
    Return the address of a server that runs.
    """
    with serving(tmp_path_factory.mktemp("served"), furnished_by=furnish_generously) as server:
        yield server.url


@fitting.parametrize()
def test_request_that_fits_is_answered_as_documented(case: Case[Any]) -> None:
    """
    Whatever the document allows is understood.
    """
    case.call_and_validate()


@unfitting.exclude(tag="service").parametrize()
def test_request_that_does_not_fit_is_refused_as_documented(case: Case[Any]) -> None:
    """
    Whatever the document does not allow is refused, in the one shape.
    """
    case.call_and_validate()


@served.parametrize()
def test_served_process_answers_as_documented(case: Case[Any], url: str) -> None:
    """
    A process of its own, over HTTP and a database file, does the same.
    """
    case.call_and_validate(base_url=url)
