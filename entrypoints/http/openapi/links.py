"""
How answers lead to other operations: who made or was shown something can ask for it again, by its id.
"""

import re
from collections.abc import Sequence
from typing import Any

from outdial.entrypoints.http.openapi.schemas import JsonSchema
from outdial.entrypoints.http.operation import Operation


def links_of(operation: Operation, operations: Sequence[Operation], answer: JsonSchema) -> dict[str, Any]:
    """
    Return the links of an operation's answer: to whatever stands below its address, and at it.

    Args:
        answer: The schema of its answer. An address' part that varies is its field of that name, or else its `id`.
    """
    fields = answer.get("properties", {})
    found: dict[str, Any] = {}
    for target in operations:
        names = re.findall(r"\{(\w+)\}", target.path)
        if not names or target is operation or not _is_below(operation.path, target.path):
            continue
        sources = {name: _source(operation, name, fields) for name in names}
        if all(sources.values()):
            found[target.name] = {"operationId": target.name, "parameters": sources}
    return found


def _is_below(path: str, target: str) -> bool:
    return target == path or target.startswith(f"{path}/")


def _source(operation: Operation, name: str, fields: JsonSchema) -> str | None:
    if f"{{{name}}}" in operation.path:
        return f"$request.path.{name}"
    field = next((field for field in (name, "id") if field in fields), None)
    return f"$response.body#/{field}" if field is not None else None
