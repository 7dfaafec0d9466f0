"""
Who talks: an agent, its number and the texts it speaks.
"""

from enum import StrEnum

import attrs

from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.rate import SECONDS_PER_MINUTE
from outdial.domain.model.sip_address import parse_sip_address
from outdial.domain.model.template import check_template

NAME_LENGTH_MAX = 200
TEXT_LENGTH_MAX = 16_384


class RuntimeKind(StrEnum):
    """
    What makes an agent talk.
    """

    ANNOUNCE = "announce"
    """Its greeting is spoken, then the line is hung up."""

    SIP_URI = "sip_uri"
    """It has a SIP address of its own and is joined to the callee."""


def _check_text(_instance: object, _attribute: object, value: str) -> None:
    if len(value) > TEXT_LENGTH_MAX:
        raise ValueError(f"An agent's text has at most {TEXT_LENGTH_MAX} characters.")
    check_template(value)


def _check_sip_uri(_instance: object, _attribute: object, value: str | None) -> None:
    if value is not None:
        parse_sip_address(value)


_OPTIONAL_NAME = attrs.validators.optional([attrs.validators.min_len(1), attrs.validators.max_len(NAME_LENGTH_MAX)])


@attrs.frozen(kw_only=True)
class Agent:
    """
    An AI agent that can talk on the phone.

    Attributes:
        assistant_id: Its public id, `assistant_...`.

        phone_number: The caller ID of its calls; `None` when it can't make any.

        greeting: What it says first; may hold `{{variables}}`.

        instructions: What it is told to do; may hold `{{variables}}`.

        sip_uri: Where it is reached; needed by the runtime `sip_uri` alone.

        model: The language model behind it, in the words of whoever runs it; told, not used.

        voice_id: The voice that it speaks with, likewise.

        team_id: The team that it belongs to, likewise; at least 1.
    """

    id: int
    account_id: int
    assistant_id: str
    name: str = attrs.field(validator=[attrs.validators.min_len(1), attrs.validators.max_len(NAME_LENGTH_MAX)])
    phone_number: PhoneNumber | None
    greeting: str = attrs.field(validator=_check_text)
    instructions: str = attrs.field(default="", validator=_check_text)
    runtime: RuntimeKind = RuntimeKind.ANNOUNCE
    sip_uri: str | None = attrs.field(default=None, validator=_check_sip_uri)
    model: str | None = attrs.field(default=None, validator=_OPTIONAL_NAME)
    voice_id: str | None = attrs.field(default=None, validator=_OPTIONAL_NAME)
    team_id: int | None = attrs.field(
        default=None,
        validator=attrs.validators.optional([attrs.validators.ge(1), attrs.validators.le(ID_MAX)]),
    )

    def __attrs_post_init__(self) -> None:
        if (self.runtime is RuntimeKind.SIP_URI) != (self.sip_uri is not None):
            raise ValueError("The runtime sip_uri needs a SIP URI, and no other runtime takes one.")
        if self.runtime is RuntimeKind.ANNOUNCE and not self.greeting.strip():
            raise ValueError("An agent of the runtime announce needs a greeting to speak.")

    @property
    def can_make_calls(self) -> bool:
        """
        Whether it has a number to be shown as caller ID.
        """
        return self.phone_number is not None


@attrs.frozen(kw_only=True)
class AgentTotals:
    """
    What an agent's calls came to, counted as they are accepted and settled.

    Attributes:
        calls: How many were accepted, whatever became of them.

        talk_s: Seconds talked in those that are settled.
    """

    calls: int = 0
    talk_s: int = 0

    @property
    def minutes_used(self) -> float:
        """
        The talk time in minutes, to the hundredth: as long as people talked, not as it was rounded for their bills.
        """
        return round(self.talk_s / SECONDS_PER_MINUTE, 2)
