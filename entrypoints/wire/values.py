"""
How times and money look on the wire.
"""

from datetime import datetime
from typing import Annotated

from pydantic import Field

Time = Annotated[
    str,
    Field(description="UTC.", json_schema_extra={"format": "date-time"}, examples=["2025-04-24T10:15:30Z"]),
]
Money = Annotated[float, Field(description="In units of the currency.", examples=[1.5])]
Currency = Annotated[str, Field(description="ISO 4217.", examples=["USD"])]


def write_time(at: datetime) -> str:
    """
    Write a time as clients see it: UTC, whole seconds.
    """
    return f"{at.replace(microsecond=0, tzinfo=None).isoformat()}Z"


def write_time_or_null(at: datetime | None) -> str | None:
    """
    Write a time that may not have come yet.
    """
    return write_time(at) if at is not None else None
