"""
Who talks: an agent, its number and the texts it speaks.
"""

from enum import StrEnum

import attrs

from outdial.domain.model.phone_number import PhoneNumber
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

    def __attrs_post_init__(self) -> None:
        if (self.runtime is RuntimeKind.SIP_URI) != (self.sip_uri is not None):
            raise ValueError("The runtime sip_uri needs a SIP URI, and no other runtime takes one.")
        if self.runtime is RuntimeKind.ANNOUNCE and not self.greeting.strip():
            raise ValueError("An agent of the runtime announce needs a greeting to speak.")
