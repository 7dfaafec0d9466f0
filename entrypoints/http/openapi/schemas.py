"""
JSON Schemas of everything on the wire, made by pydantic from the definitions that parse requests and type answers.
"""

from collections.abc import Mapping
from typing import Any, Final

from pydantic import TypeAdapter

from outdial.entrypoints.wire.json_schema import WireSchemas

COMPONENTS: Final = "#/components/schemas/"

JsonSchema = dict[str, Any]

_PLAIN: Final = {"integer": 1, "number": 1.0, "boolean": True, "string": "text"}
"""Examples of what needs none to be understood."""


class Schemas:
    """
    The schemas of some types, those that have a name as components that the others refer to.

    Attributes:
        components: By name.
    """

    def __init__(self, types: Mapping[str, Any]) -> None:
        """
        Make the schemas.

        Args:
            types: Each under a name by which its schema is asked for.
        """
        schemas, definitions = TypeAdapter.json_schemas(
            [(name, "validation", TypeAdapter(kind)) for name, kind in types.items()],
            ref_template=f"{COMPONENTS}{{model}}",
            schema_generator=WireSchemas,
        )
        self.components: dict[str, JsonSchema] = definitions.get("$defs", {})
        self._schemas = {name: schema for (name, _mode), schema in schemas.items()}

    def of(self, name: str) -> JsonSchema:
        """
        Return the schema of a type, which may be a reference to a component.
        """
        return self._schemas[name]

    def object(self, name: str) -> JsonSchema:
        """
        Return the schema of a type itself.
        """
        return self.resolved(self.of(name))

    def resolved(self, schema: JsonSchema) -> JsonSchema:
        """
        Return the schema that a reference leads to.
        """
        return self.components[schema["$ref"].removeprefix(COMPONENTS)] if "$ref" in schema else schema

    def example(self, schema: JsonSchema) -> Any:
        """
        Return an example of a schema, put together from those of its parts; `None` where nothing is said.
        """
        match schema:
            case {"examples": [example, *_]} | {"const": example} | {"enum": [example, *_]}:
                return example
            case {"$ref": _}:
                return self.example(self.resolved(schema))
            case {"anyOf": parts}:
                return next((found for part in parts if (found := self.example(part)) is not None), None)
            case {"type": "object"}:
                return {name: self._part(part) for name, part in schema.get("properties", {}).items()}
            case {"type": "array"}:
                return [self._part(schema["items"])]
            case _:
                return None

    def _part(self, schema: JsonSchema) -> Any:
        """
        Return what stands for a part: its example, or a plain value of its type; null where that is one.
        """
        example = self.example(schema)
        return _PLAIN.get(schema.get("type", "")) if example is None else example
