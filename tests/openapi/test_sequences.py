"""
Sequences of requests that schemathesis makes up: each asks for what an earlier answer named.
"""

import copy
from http import HTTPStatus
from typing import Any, Final

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis import Case, Response
from schemathesis.python import asgi

from tests.conftest import IN_CI
from tests.openapi.strangers import DOCUMENT, Application, configuration

SETTINGS: Final = settings(
    max_examples=30,
    stateful_step_count=8,
    derandomize=IN_CI,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
BESIDE: Final = {"calls": ("agents", "contacts")}
"""What sequences take in, beside what they are about: a call needs an agent, and may have a contact."""


def named(subjects: set[str], *, varying: bool = False) -> set[str]:
    """
    Return the names of the operations on some subjects, or of those alone that are about one thing by its id.
    """
    return {
        operation["operationId"]
        for path, methods in DOCUMENT["paths"].items()
        for operation in methods.values()
        if operation["tags"][0] in subjects and ("{" in path or not varying)
    }


def excerpt(names: set[str]) -> dict[str, Any]:
    """
    Return the document with some of its operations and the links between them.
    """
    excerpt = copy.deepcopy(DOCUMENT)
    for methods in excerpt["paths"].values():
        for method, operation in list(methods.items()):
            if operation["operationId"] not in names:
                del methods[method]
        for operation in methods.values():
            for answer in operation["responses"].values():
                links = answer.pop("links", {})
                answer["links"] = {name: link for name, link in links.items() if name in names}
    return excerpt


SUBJECTS: Final = [tag["name"] for tag in DOCUMENT["tags"] if named({tag["name"]}, varying=True)]


@pytest.mark.parametrize("subject", SUBJECTS)
def test_sequence_is_answered_as_documented(subject: str) -> None:
    """
    What was made, listed or shown can be asked for, changed and ended, in any order, and sequences get that far.
    """
    schema = schemathesis.openapi.from_dict(
        excerpt(named({subject, *BESIDE.get(subject, ())})), config=configuration("all", examples=1)
    )
    schema.app = Application()
    machine: Any = schema.as_state_machine()
    succeeded: set[str] = set()

    class Sequence(machine):  # type: ignore[misc] # a class made just now
        """
        Every sequence begins with the same database: what an earlier one deleted is there again.
        """

        def setup(self) -> None:
            """
            Begin anew.
            """
            super().setup()
            self.application = Application()

        def teardown(self) -> None:
            """
            End what was begun.
            """
            super().teardown()
            asgi.shutdown_lifespans()

        def get_call_kwargs(self, case: Case[Any]) -> dict[str, Any]:
            """
            Ask this sequence's application.
            """
            return {**super().get_call_kwargs(case), "app": self.application}

        def after_call(self, response: Response, case: Case[Any]) -> None:
            """
            Note what went well.
            """
            if response.status_code < HTTPStatus.BAD_REQUEST:
                succeeded.add(case.operation.definition.raw["operationId"])

    Sequence.run(settings=SETTINGS)

    assert succeeded & named({subject}, varying=True)
