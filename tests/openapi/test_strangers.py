"""
Requests by the thousand, made up by schemathesis from the OpenAPI document: none fails, all are answered as documented.
"""

from collections.abc import Iterator
from typing import Any, Final

import pytest
import schemathesis
from schemathesis import Case

from outdial.entrypoints.http.reference import reference
from tests.http.live import serving
from tests.openapi.strangers import Application, closed, configuration, furnish_generously

DOCUMENT: Final = closed(reference(key_in_query=False))

fitting = schemathesis.openapi.from_dict(DOCUMENT, config=configuration("positive", examples=50))
unfitting = schemathesis.openapi.from_dict(DOCUMENT, config=configuration("negative", examples=50))
served = schemathesis.openapi.from_dict(DOCUMENT, config=configuration("all", examples=10))
following = schemathesis.openapi.from_dict(DOCUMENT, config=configuration("all", examples=30))
FINAL: Final = ["delete_contact"]
"""What can be done once only: the same sequence, run again on what the last one left, would be answered otherwise."""

fitting.app = unfitting.app = following.app = Application()


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


TestSequences = following.exclude(operation_id=FINAL).as_state_machine().TestCase
"""Operations one after the other, each with ids of an earlier answer."""
