"""
How answers lead to other operations: who made, listed or was shown something can ask for it again, by its id.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

from outdial.entrypoints.http.openapi.schemas import JsonSchema, Schemas
from outdial.entrypoints.http.operation import Operation


def links_of(operation: Operation, operations: Sequence[Operation], schemas: Schemas) -> dict[str, Any]:
    """
    Return the links of an operation's answer: to whatever stands below its address, and at it.

    An address' part that varies is the answer's field of that name, or else its `id`; of a list, that of its first.
    """
    ids = dict(_ids(schemas, schemas.of(f"answer {operation.name}")))
    found: dict[str, Any] = {}
    for target in operations:
        names = re.findall(r"\{(\w+)\}", target.path)
        if not names or target is operation or not _is_below(operation.path, target.path):
            continue
        sources = {
            name: f"$request.path.{name}" if f"{{{name}}}" in operation.path else ids.get(name, ids.get("id"))
            for name in names
        }
        if all(sources.values()):
            found[target.name] = {"operationId": target.name, "parameters": sources}
    return found


def _is_below(path: str, target: str) -> bool:
    return target == path or target.startswith(f"{path}/")


def _ids(schemas: Schemas, answer: JsonSchema) -> Iterator[tuple[str, str]]:
    """
    Yield where each field of an answer stands, those of its own last.
    """
    fields = schemas.resolved(answer).get("properties", {})
    for name, field in fields.items():
        for inner in schemas.resolved(field.get("items", {})).get("properties", {}):
            yield inner, f"$response.body#/{name}/0/{inner}"
    for name in fields:
        yield name, f"$response.body#/{name}"
