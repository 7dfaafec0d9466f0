"""
The OpenAPI 3.1 document: what the operations say of themselves, in the words of the specification.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final

from outdial.entrypoints.http.authentication import KEY_HEADER, KEY_PARAMETER
from outdial.entrypoints.http.openapi import problems
from outdial.entrypoints.http.openapi.links import links_of
from outdial.entrypoints.http.openapi.schemas import COMPONENTS, JsonSchema, Schemas
from outdial.entrypoints.http.operation import Operation
from outdial.entrypoints.http.page import Page
from outdial.entrypoints.http.request_id import HEADER as REQUEST_ID
from outdial.entrypoints.wire.addresses import HEADERS, PATH_PARAMETERS, Header
from outdial.entrypoints.wire.problems import ProblemBody
from outdial.version import VERSION

JSON: Final = "application/json"
LIMIT_HEADERS: Final = ("RateLimit", "RateLimit-Policy")
UNCOUNTED: Final = {HTTPStatus.UNAUTHORIZED, HTTPStatus.INTERNAL_SERVER_ERROR, HTTPStatus.SERVICE_UNAVAILABLE}
"""Answers that tell of no limit: to strangers, and where nobody could look."""

HEADER_COMPONENTS: Final = "#/components/headers/"
PERMISSION_EXTENSION: Final = "x-required-permission"
DATA_EXTENSION: Final = "x-event-data"
"""The objects in a stream of events; the specification itself has a word for them (`itemSchema`) only since 3.2."""

DESCRIPTION: Final = """
Place outbound phone calls from AI agents, each at most once.

Every refusal has one shape, `ProblemBody`: its `error` is a code for programs. Every answer names its request in
`X-Request-Id`. Fields and parameters that are not listed are refused.
"""

_TEXT: Final = Header(value=str)


def document(operations: Sequence[Operation], pages: Sequence[Page], *, key_in_query: bool) -> dict[str, Any]:
    """
    Describe an API.

    Args:
        key_in_query: Whether the key may stand behind the `?`.
    """
    writer = _Writer(operations, pages, [*_schemes(key_in_query=key_in_query)])
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = writer.operation(operation)
    for page in pages:
        paths[page.path] = {"get": writer.page(page)}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "outdial",
            "version": VERSION,
            "description": DESCRIPTION.strip(),
            "license": {"name": "Apache License 2.0", "identifier": "Apache-2.0"},
        },
        "tags": [{"name": name} for name in dict.fromkeys(_tag(path) for path in paths)],
        "paths": paths,
        "components": {
            "schemas": writer.components(),
            "headers": writer.headers(),
            "examples": problems.examples(),
            "securitySchemes": _schemes(key_in_query=key_in_query),
        },
    }


class _Writer:
    """
    Writes operations down; their schemas are made at once, so that they share components.
    """

    def __init__(self, operations: Sequence[Operation], pages: Sequence[Page], schemes: Sequence[str]) -> None:
        self._operations = operations
        self._security = [{scheme: list[str]()} for scheme in schemes]
        self._schemas = Schemas(dict(_types(operations, pages)))

    def components(self) -> dict[str, JsonSchema]:
        """
        Return the schemas that are referred to.
        """
        queries = {operation.query.__name__ for operation in self._operations}
        return {name: schema for name, schema in self._schemas.components.items() if name not in queries}

    def headers(self) -> dict[str, Any]:
        """
        Return the headers that are referred to: those of any request.
        """
        names = (name for operation in self._operations for name in problems.header_names(operation.refusals))
        return {name: self._header(name, "") for name in sorted({REQUEST_ID, *names})}

    def operation(self, operation: Operation) -> dict[str, Any]:
        """
        Describe one operation.
        """
        written = {
            "operationId": operation.name,
            "summary": operation.summary,
            "description": f"Needs the permission `{operation.permission.value}`.",
            "tags": [_tag(operation.path)],
            "parameters": [*self._path(operation), *self._query(operation), *self._request_headers(operation)],
            "responses": {
                str(operation.status.value): self._success(operation),
                **self._empty_answers(operation),
                **self._refusals(operation),
            },
            "security": self._security,
            PERMISSION_EXTENSION: operation.permission.value,
        }
        if operation.body is not None:
            schema = self._schemas.of(f"body {operation.name}")
            written["requestBody"] = {"required": True, "content": {JSON: self._content(schema)}}
        return written

    def page(self, page: Page) -> dict[str, Any]:
        """
        Describe an address that needs no key.
        """
        return {
            "operationId": page.name,
            "summary": page.summary,
            "tags": [_tag(page.path)],
            "responses": {
                str(status.value): {
                    "description": status.phrase,
                    "headers": self._headers({REQUEST_ID: ""}),
                    "content": {
                        page.media_type if answer is str else JSON: self._content(
                            self._schemas.of(f"answer {page.name} {status.value}")
                        )
                    },
                }
                for status, answer in page.answers.items()
            },
            "security": [],
        }

    def _path(self, operation: Operation) -> list[dict[str, Any]]:
        schemas = {name: dict(self._schemas.of(f"path {name}")) for name in _names(operation.path)}
        return [_parameter(name, "path", schema, required=True) for name, schema in schemas.items()]

    def _query(self, operation: Operation) -> list[dict[str, Any]]:
        query = self._schemas.object(f"query {operation.query.__name__}")
        required = query.get("required", [])
        return [
            _parameter(name, "query", _without_null(schema), required=name in required)
            for name, schema in query.get("properties", {}).items()
        ]

    def _request_headers(self, operation: Operation) -> list[dict[str, Any]]:
        return [
            _parameter(name, "header", {**self._schemas.of(f"header {name}"), "description": words}, required=False)
            for name, words in operation.request_headers.items()
        ]

    def _success(self, operation: Operation) -> dict[str, Any]:
        written: dict[str, Any] = {
            "description": operation.status.phrase,
            "headers": self._headers({**operation.answer_headers, **dict.fromkeys([*LIMIT_HEADERS, REQUEST_ID], "")}),
        }
        if operation.answer is None:
            return written
        schema = self._schemas.of(f"answer {operation.name}")
        if operation.media_type != JSON:
            return written | {"content": {operation.media_type: {"schema": _text_of(schema)}}}
        written["content"] = {JSON: self._content(schema)}
        links = links_of(operation, self._operations, self._schemas)
        return written | {"links": links} if links else written

    def _empty_answers(self, operation: Operation) -> dict[str, Any]:
        return {
            str(status.value): {"description": words, "headers": self._headers({REQUEST_ID: ""})}
            for status, words in operation.empty_answers.items()
        }

    def _refusals(self, operation: Operation) -> dict[str, Any]:
        return {
            str(status): {
                "description": HTTPStatus(status).phrase,
                "headers": self._headers(dict.fromkeys([*problems.header_names(reasons), *told, REQUEST_ID], "")),
                "content": {
                    JSON: {
                        "schema": self._schemas.of("problem"),
                        "examples": {reason.value: {"$ref": f"{problems.EXAMPLES}{reason}"} for reason in reasons},
                    }
                },
            }
            for status, reasons in problems.by_status(operation.refusals).items()
            for told in [() if status in UNCOUNTED else LIMIT_HEADERS]
        }

    def _headers(self, descriptions: Mapping[str, str]) -> dict[str, Any]:
        return {
            name: self._header(name, words) if words else {"$ref": f"{HEADER_COMPONENTS}{name}"}
            for name, words in sorted(descriptions.items())
        }

    def _header(self, name: str, words: str) -> dict[str, Any]:
        schema = dict(self._schemas.of(f"header {name}"))
        own = schema.pop("description", "")
        return {"description": words or own, "required": HEADERS.get(name, _TEXT).always, "schema": schema}

    def _content(self, schema: JsonSchema) -> dict[str, Any]:
        example = self._schemas.example(schema)
        return {"schema": schema} if example is None else {"schema": schema, "example": example}


def _types(operations: Iterable[Operation], pages: Iterable[Page]) -> Iterable[tuple[str, Any]]:
    """
    Yield everything that has a schema, under a name for each.
    """
    yield "problem", ProblemBody
    yield f"header {REQUEST_ID}", HEADERS[REQUEST_ID].value
    for operation in operations:
        yield f"query {operation.query.__name__}", operation.query
        if operation.body is not None:
            yield f"body {operation.name}", operation.body
        if operation.answer is not None:
            yield f"answer {operation.name}", operation.answer
        for name in _names(operation.path):
            yield f"path {name}", PATH_PARAMETERS.get(name, str)
        for name in (
            *operation.request_headers,
            *operation.answer_headers,
            *problems.header_names(operation.refusals),
        ):
            yield f"header {name}", HEADERS.get(name, _TEXT).value
    for page in pages:
        for status, answer in page.answers.items():
            yield f"answer {page.name} {status.value}", answer


def _schemes(*, key_in_query: bool) -> dict[str, Any]:
    schemes: dict[str, Any] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": "An API key: `Authorization: Bearer od_live_...`.",
        },
        "header": {"type": "apiKey", "in": "header", "name": KEY_HEADER, "description": "An API key."},
    }
    if key_in_query:
        schemes["query"] = {
            "type": "apiKey",
            "in": "query",
            "name": KEY_PARAMETER,
            "description": "An API key, for tests: addresses are logged on their way.",
        }
    return schemes


def _parameter(name: str, place: str, schema: JsonSchema, *, required: bool) -> dict[str, Any]:
    """
    Describe a parameter: what is said of its value is said of the parameter.

    The example of an optional one stays with its schema: pages that let people try things would fill it in.
    """
    schema = dict(schema)
    described = {"name": name, "in": place, "required": required, "description": schema.pop("description", "")}
    if required and "examples" in schema:
        described["example"] = schema.pop("examples")[0]
    return described | {"schema": schema}


def _without_null(schema: JsonSchema) -> JsonSchema:
    """
    Return the schema of what is sent, where absent means null.
    """
    parts = [part for part in schema.get("anyOf", []) if part != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if not (name == "default" and value is None)}
    if len(parts) != 1:
        return rest
    del rest["anyOf"]
    return {**parts[0], **rest}


def _text_of(schema: JsonSchema) -> JsonSchema:
    """
    Return the schema of a text that objects are written in, one after the other.
    """
    name = schema["$ref"].removeprefix(COMPONENTS)
    return {"type": "string", "description": f"Each `data` is a `{name}`.", DATA_EXTENSION: schema}


def _names(path: str) -> list[str]:
    return re.findall(r"\{(\w+)\}", path)


def _tag(path: str) -> str:
    """
    Return the group that an address stands under: what it is about.
    """
    match = re.match(r"/api/v1/(\w[\w-]*)", path)
    return match[1] if match is not None else "service"
