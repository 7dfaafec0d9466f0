"""
How types of the wire are described as JSON Schemas.
"""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema


class WireSchemas(GenerateJsonSchema):
    """
    Fields have names, titles would say them again; and bounds are called as JSON Schema calls them.
    """

    def generate_inner(self, schema: Any) -> dict[str, Any]:
        """
        Rename the bounds of a number whose spelling is looked at first, where pydantic keeps its own names for them.
        """
        made = super().generate_inner(schema)
        return {self.ValidationsMapping.numeric.get(name, name): value for name, value in made.items()}

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - pydantic's signature
        """
        Leave titles to objects.
        """
        return False
