"""
The OpenAPI document says of the API what the operations say, and says it properly.
"""

import re
from collections.abc import Iterator
from typing import Any, Final

import attrs
import jsonschema
import openapi_spec_validator
import pytest

from outdial.domain.model.reason import Reason
from outdial.entrypoints.http.api import OPERATIONS
from outdial.entrypoints.http.openapi.schemas import Schemas
from outdial.entrypoints.http.problems import STATUS
from outdial.entrypoints.http.reference import reference
from outdial.entrypoints.wire.addresses import HEADERS, PATH_PARAMETERS
from outdial.version import VERSION
from tests.http.api import MEMORY, Api

DOCUMENT: Final = reference(key_in_query=False)
CONTRACT_EXAMPLE: Final = {
    "phone_number": "+15551234567",
    "agent_id": 123,
    "contact_id": 456,
    "variables": {
        "customer_name": "John Doe",
        "appointment_time": "3:30 PM tomorrow",
        "custom_context": {"previous_purchase": "Premium Plan", "account_status": "Active"},
    },
}


def described() -> Iterator[tuple[str, dict[str, Any]]]:
    """
    Yield each operation of the document with its path.
    """
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            yield path, operation


def examples() -> Iterator[Any]:
    """
    Yield each example with its schema and the place where it stands.
    """
    for _path, operation in described():
        name = operation["operationId"]
        for parameter in operation.get("parameters", []):
            schema = parameter["schema"]
            shown = [parameter["example"]] if "example" in parameter else schema.get("examples", [])
            for example in shown:
                yield pytest.param(schema, example, id=f"{name} {parameter['name']}")
        if "requestBody" in operation:
            content = operation["requestBody"]["content"]["application/json"]
            yield pytest.param(content["schema"], content["example"], id=f"{name} body")
        for status, answer in operation["responses"].items():
            for content in answer.get("content", {}).values():
                if "example" in content:
                    yield pytest.param(content["schema"], content["example"], id=f"{name} {status}")
    for reason, example in DOCUMENT["components"]["examples"].items():
        yield pytest.param({"$ref": "#/components/schemas/ProblemBody"}, example["value"], id=reason)


def test_document_follows_the_specification() -> None:
    """
    A validator for OpenAPI 3.1 finds nothing to say.
    """
    openapi_spec_validator.validate(DOCUMENT, cls=openapi_spec_validator.OpenAPIV31SpecValidator)

    assert VERSION == DOCUMENT["info"]["version"]


@pytest.mark.parametrize(("schema", "example"), [*examples()])
def test_example_fits_its_schema(schema: dict[str, Any], example: object) -> None:
    """
    What is shown could be sent, or answered.
    """
    jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]}).validate(example)


def test_a_call_is_asked_for_as_the_contract_shows() -> None:
    """
    The example of `POST /api/v1/calls` is the published one.
    """
    body = DOCUMENT["paths"]["/api/v1/calls"]["post"]["requestBody"]

    assert CONTRACT_EXAMPLE == body["content"]["application/json"]["example"]


@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.name)
def test_operation_is_described_as_it_is(operation: Any) -> None:
    """
    Its permission, its statuses and each of its reasons are those of the code; nothing in its address is unexplained.
    """
    written = DOCUMENT["paths"][operation.path][operation.method.lower()]
    statuses = {str(STATUS[reason].value) for reason in operation.refusals}
    statuses |= {str(status.value) for status in (operation.status, *operation.empty_answers)}
    reasons = {
        reason
        for answer in written["responses"].values()
        for content in answer.get("content", {}).values()
        for reason in content.get("examples", {})
    }

    assert operation.permission.value == written["x-required-permission"]
    assert statuses == set(written["responses"])
    assert {reason.value for reason in operation.refusals} == reasons
    assert {*re.findall(r"\{(\w+)\}", operation.path)} <= set(PATH_PARAMETERS)
    assert {*operation.request_headers, *operation.answer_headers} <= set(HEADERS)
    assert all(parameter["description"] for parameter in written["parameters"])


def test_only_what_is_required_is_filled_in() -> None:
    """
    Pages that let people try things fill in a parameter's own example, which would narrow every list to nothing.
    """
    filled = [
        parameter["name"]
        for _path, operation in described()
        for parameter in operation.get("parameters", [])
        if not parameter["required"] and "example" in parameter
    ]

    assert [] == filled


def test_names_are_given_once() -> None:
    """
    Generated clients make a method of each operation and a class of each schema.
    """
    names = [operation["operationId"] for _path, operation in described()]

    assert sorted(set(names)) == sorted(names)
    assert [] == [name for name in DOCUMENT["components"]["schemas"] if not name.isalpha()]


def test_everything_that_is_served_is_described(api: Api) -> None:
    """
    No address answers that the document does not name, besides itself and the page that shows it.
    """
    unknown = [path for path in served(api) if path not in DOCUMENT["paths"]]

    assert ["/openapi.json", "/docs"] == [path for path in unknown if not path.startswith("/docs/")]


def served(api: Api) -> list[str]:
    """
    Return the paths of the application's routes.
    """
    application: Any = api.app
    return [route.path for route in application._app._app.routes]  # noqa: SLF001 - there is no other list of them


def test_every_reason_has_an_example() -> None:
    """
    A reason without one could not be referred to.
    """
    assert [reason.value for reason in Reason] == list(DOCUMENT["components"]["examples"])


def test_answers_lead_to_what_they_name() -> None:
    """
    By the id that an answer gives, or the first of its list, or the one that was asked for.
    """
    calls = DOCUMENT["paths"]["/api/v1/calls"]
    made = calls["post"]["responses"]["201"]["links"]["hang_up_call"]["parameters"]
    listed = calls["get"]["responses"]["200"]["links"]["show_call"]["parameters"]
    shown = DOCUMENT["paths"]["/api/v1/calls/{call_id}"]["get"]["responses"]["200"]["links"]["hang_up_call"][
        "parameters"
    ]

    assert {"call_id": "$response.body#/call_id"} == made
    assert {"call_id": "$response.body#/calls/0/id"} == listed
    assert {"call_id": "$request.path.call_id"} == shown


def test_unreferenced_schemas_are_left_out() -> None:
    """
    What stands behind the `?` is told parameter by parameter, and is no object.
    """
    text = str(DOCUMENT)

    assert [] == [name for name in DOCUMENT["components"]["schemas"] if f"'#/components/schemas/{name}'" not in text]


def test_key_in_the_query_is_told_where_it_is_allowed() -> None:
    """
    The third way to present a key is there by a setting alone.
    """
    assert ["bearer", "header"] == list(DOCUMENT["components"]["securitySchemes"])
    assert ["bearer", "header", "query"] == list(reference(key_in_query=True)["components"]["securitySchemes"])


def test_document_is_served_to_anybody_and_again_only_when_it_changed(api: Api) -> None:
    """
    `/openapi.json` needs no key, has a strong `ETag` (RFC 9110, 8.8.3) and is answered by 304 to who has it.
    """
    first = api.get("/openapi.json", key=None)
    again = api.ask("GET", "/openapi.json", headers={"If-None-Match": f'"other", {first.headers["ETag"]}'})
    other = api.ask("GET", "/openapi.json", headers={"If-None-Match": '"other"'})

    assert (200, "application/json") == (first.status_code, first.headers["Content-Type"])
    assert DOCUMENT == first.json()
    assert re.fullmatch(r'"[0-9a-f]{32}"', first.headers["ETag"])
    assert (304, b"") == (again.status_code, again.content)
    assert first.headers["ETag"] == again.headers["ETag"]
    assert 200 == other.status_code


def test_document_of_a_server_that_takes_keys_in_the_query_says_so() -> None:
    """
    The setting of the server that answers is what counts.
    """
    api = Api(attrs.evolve(MEMORY, api_key_in_query=True))

    answer = api.get("/openapi.json", key=None)
    api.close()

    assert reference(key_in_query=True) == answer.json()


def test_example_is_put_together_from_parts() -> None:
    """
    A part's own example comes before what it is made of; where nothing is said, null or a plain value has to do.
    """
    schemas = Schemas({})

    made = schemas.example(
        {
            "type": "object",
            "properties": {
                "whole": {"type": "object", "examples": [{"a": 1}], "properties": {"b": {"const": 2}}},
                "list": {"type": "array", "items": {"enum": ["first", "second"]}},
                "nullable": {"anyOf": [{"type": "null"}, {"const": 3}]},
                "empty": {"anyOf": [{"type": "string"}, {"type": "null"}]},
                "plain": {"type": "string"},
            },
        }
    )

    assert {"whole": {"a": 1}, "list": ["first"], "nullable": 3, "empty": None, "plain": "text"} == made
