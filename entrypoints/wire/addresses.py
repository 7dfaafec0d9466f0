"""
What stands in addresses and headers: each name once, with what the reference says of it.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Final

import attrs
from pydantic import Field

from outdial.domain.model.idempotency import HEADER as IDEMPOTENCY_KEY
from outdial.domain.model.idempotency import KEY_PATTERN

CallAddress = Annotated[
    str, Field(description="The call: its database id or its `call_id`.", examples=["call_789_Zb8qPqkmT3xA"])
]

PATH_PARAMETERS: Final[Mapping[str, Any]] = {
    "call_id": CallAddress,
    "agent_id": Annotated[
        str, Field(description="The agent: its database id or its `assistant_id`.", examples=["assistant_abc123"])
    ],
    "contact_id": Annotated[str, Field(description="The contact's database id.", examples=["456"])],
    "list_id": Annotated[str, Field(description="The list's id.", examples=["7"])],
    "number": Annotated[
        str, Field(description="The number, E.164 or as the account's people write it.", examples=["+15551234567"])
    ],
    "refusal_id": Annotated[str, Field(description="The refusal's id.", examples=["4711"])],
    "webhook_id": Annotated[str, Field(description="The webhook's id.", examples=["31"])],
}
"""The parts of addresses that vary."""


@attrs.frozen(kw_only=True)
class Header:
    """
    What a header holds.

    Attributes:
        value: Its type, with an example.

        always: Whether each answer that may have it does.
    """

    value: Any
    always: bool = False


HEADERS: Final[Mapping[str, Header]] = {
    IDEMPOTENCY_KEY: Header(
        value=Annotated[
            str,
            Field(
                pattern=f"^({KEY_PATTERN})$",
                examples=["0f6a3c1e-reminder-2025-04-25"],
            ),
        ]
    ),
    "Idempotent-Replayed": Header(value=Annotated[str, Field(pattern="^true$", examples=["true"])]),
    "Last-Event-ID": Header(value=Annotated[str, Field(examples=["789-31415"])]),
    "Location": Header(
        value=Annotated[
            str,
            Field(json_schema_extra={"format": "uri-reference"}, examples=["/api/v1/calls/call_789_Zb8qPqkmT3xA"]),
        ],
        always=True,
    ),
    "RateLimit": Header(
        value=Annotated[
            str,
            Field(
                description="What is left of the key's limits: `r` of it, more after `t` seconds.",
                examples=['"minute";r=59;t=60'],
            ),
        ]
    ),
    "RateLimit-Policy": Header(
        value=Annotated[
            str, Field(description="The key's limits: `q` in `w` seconds.", examples=['"minute";q=60;w=60'])
        ]
    ),
    "Retry-After": Header(
        value=Annotated[int, Field(ge=1, description="Seconds to wait before trying again.", examples=[1])],
        always=True,
    ),
    "WWW-Authenticate": Header(
        value=Annotated[str, Field(description="How to present a key.", examples=["Bearer"])], always=True
    ),
    "X-Request-Id": Header(
        value=Annotated[str, Field(description="Names the request in the logs.", examples=["4fJz0mQxT9bLr2Vd"])],
        always=True,
    ),
}
"""Headers of requests and answers; a name that is not here holds any text."""
