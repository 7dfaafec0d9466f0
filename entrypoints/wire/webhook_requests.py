"""
What clients send about webhooks.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, ValidationInfo, field_validator

from outdial.domain.model.delivery import DeliveryState
from outdial.domain.model.template import is_clean
from outdial.domain.model.webhook import EventType
from outdial.entrypoints.wire.pages import CursorQuery
from outdial.entrypoints.wire.reading import RequestBody, Says, problem

DESCRIPTION_LENGTH_MAX: Final = 200
_TEXT: Final = f"It must be a text of at most {DESCRIPTION_LENGTH_MAX} characters."
_EVENTS: Final = f"It must be a list of some of {', '.join(EventType)}."


def _event_type(value: object) -> object:
    return EventType(value) if isinstance(value, str) else value


def _read_time(value: object) -> object:
    """
    Read a time with its offset; anything else is left to be refused.
    """
    if not isinstance(value, str):
        return value
    try:
        at = datetime.fromisoformat(value)
        return at.astimezone(UTC) if at.tzinfo is not None else value
    except (ValueError, OverflowError):
        return value


def _clean(text: str) -> str:
    if not is_clean(text):
        raise problem(_TEXT)
    return text


Url = Annotated[
    Annotated[str, Field(min_length=1)],
    Says("It must be a text."),
    Field(
        description="Where messages are posted to: https, a public host, no redirect.",
        examples=["https://hooks.example.com/outdial"],
    ),
]
Events = Annotated[
    Annotated[list[Annotated[EventType, BeforeValidator(_event_type)]], Field(min_length=1)],
    Says(_EVENTS),
    Field(description="What it is told of.", examples=[[EventType.CALL_ENDED, EventType.CALL_FAILED]]),
]
Description = Annotated[
    Annotated[str, Field(max_length=DESCRIPTION_LENGTH_MAX)],
    Says(_TEXT),
    Field(description="For people.", examples=["Production"]),
]


class NewWebhook(RequestBody):
    """
    A webhook that is to be made.
    """

    url: Url
    events: Events = Field(default_factory=lambda: [*EventType])
    description: Description = ""

    _check_description = field_validator("description")(_clean)


class WebhookChanges(RequestBody):
    """
    What is to be changed of a webhook; what is left out stays as it is.
    """

    url: Url | None = None
    events: Events | None = None
    description: Description | None = None
    enabled: Annotated[
        Annotated[bool | None, Says("It must be true or false.")],
        Field(description="Whether it is told of calls; what was on its way to a disabled one is parked."),
    ] = None

    @property
    def fields(self) -> dict[str, Any]:
        """
        What changes of a webhook, by name, but for whether it is enabled.
        """
        given: dict[str, Any] = {"url": self.url, "description": self.description}
        given["events"] = frozenset(self.events) if self.events is not None else None
        return {name: value for name, value in given.items() if value is not None}


class Replay(RequestBody):
    """
    What is to be sent again: one message, or all that was parked, perhaps since a time.
    """

    message_id: Annotated[
        Annotated[str | None, Says("It must be a message's id.")],
        Field(description="One message, whatever became of it.", examples=["msg_3f9c0b1d7e42a5f68b0c9d1e2f3a4b5c"]),
    ] = None
    since: Annotated[
        Annotated[
            datetime | None, BeforeValidator(_read_time), Says("It must be a time such as 2025-04-24T10:15:30Z.")
        ],
        Field(description="What was parked of what happened from then on."),
    ] = None

    @field_validator("since")
    @classmethod
    def _exclude_message(cls, since: datetime | None, info: ValidationInfo) -> datetime | None:
        if since is not None and info.data.get("message_id") is not None:
            raise problem("A message and a time exclude each other.")
        return since


class DeliveriesQuery(CursorQuery):
    """
    Which deliveries are listed.
    """

    state: Annotated[
        DeliveryState | None,
        Says(f"It must be one of {', '.join(DeliveryState)}."),
        Field(description="Those that came so far.", examples=["parked"]),
    ] = None
