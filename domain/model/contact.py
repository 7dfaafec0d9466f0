"""
Who is called, as far as the account knows.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Final

import attrs

from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.template import Variables, is_clean, variable_problems

FIELD_LENGTH_MAX: Final = 255
"""A mail address has at most 254 characters (RFC 5321, 4.5.3.1.3); no other field needs more."""

NUMBERS_MAX: Final = 20

_TIMEZONE: Final = re.compile(r"[A-Za-z0-9_+-]+(?:/[A-Za-z0-9_+-]+)*")


class PhoneType(StrEnum):
    """
    Where a number rings.
    """

    MOBILE = "mobile"
    HOME = "home"
    WORK = "work"
    OTHER = "other"


def _check_text(_instance: object, _attribute: object, value: str | None) -> None:
    if value is not None and (len(value) > FIELD_LENGTH_MAX or not is_clean(value)):
        raise ValueError(f"A text has at most {FIELD_LENGTH_MAX} characters, no NUL and no lone surrogate.")


def _check_first_name(instance: object, attribute: object, value: str) -> None:
    if not value:
        raise ValueError("A contact has a first name.")
    _check_text(instance, attribute, value)


def _check_timezone(_instance: object, _attribute: object, value: str | None) -> None:
    if value is not None and (len(value) > FIELD_LENGTH_MAX or _TIMEZONE.fullmatch(value) is None):
        raise ValueError(f"{value[:FIELD_LENGTH_MAX]!r} is not the name of a time zone such as America/New_York.")


def _check_context(_instance: object, _attribute: object, value: Variables) -> None:
    problems = variable_problems(value) if value else ()
    if problems:
        raise ValueError(f"custom_context: {problems[0]}")


@attrs.frozen(kw_only=True)
class Person:
    """
    A contact without its numbers: all that a decision, a text and a call's answer need of it.

    Attributes:
        id: The contact's row.

        timezone: A name of the IANA database, such as `America/New_York`; whether it is there is for others to say.

        custom_context: Further values for the agent's texts, within the limits of variables.
    """

    id: int
    account_id: int
    first_name: str = attrs.field(validator=_check_first_name)
    last_name: str | None = attrs.field(default=None, validator=_check_text)
    email: str | None = attrs.field(default=None, validator=_check_text)
    company: str | None = attrs.field(default=None, validator=_check_text)
    timezone: str | None = attrs.field(default=None, validator=_check_timezone)
    custom_context: Variables = attrs.field(factory=dict, validator=_check_context)

    @property
    def name(self) -> str:
        """
        What it is called in full.
        """
        return f"{self.first_name} {self.last_name}" if self.last_name else self.first_name

    @property
    def values(self) -> Mapping[str, object]:
        """
        What an agent's texts may name of it; fields that nobody filled are no values.
        """
        fields = {
            "first_name": self.first_name,
            "last_name": self.last_name,
            "email": self.email,
            "company": self.company,
            "timezone": self.timezone,
            "custom_context": self.custom_context or None,
        }
        return {name: value for name, value in fields.items() if value is not None}


@attrs.frozen(kw_only=True)
class ContactNumber:
    """
    One of a contact's numbers; calls may go to any other as well.

    Attributes:
        is_primary: Whether it is the first that people try.
    """

    id: int
    phone_number: PhoneNumber
    phone_type: PhoneType
    is_primary: bool


@attrs.frozen(kw_only=True)
class Contact:
    """
    An entry of an account's address book.

    Attributes:
        phone_numbers: By their rows, each number once; one of them is the primary one, if there is any.
    """

    person: Person
    phone_numbers: tuple[ContactNumber, ...] = ()

    def __attrs_post_init__(self) -> None:
        if len(self.phone_numbers) > NUMBERS_MAX:
            raise ValueError(f"A contact has at most {NUMBERS_MAX} numbers.")
        if len({number.phone_number for number in self.phone_numbers}) < len(self.phone_numbers):
            raise ValueError("A contact has each number once.")
        if self.phone_numbers and sum(number.is_primary for number in self.phone_numbers) != 1:
            raise ValueError("One of a contact's numbers is the primary one.")

    @property
    def id(self) -> int:
        """
        Its row.
        """
        return self.person.id

    @property
    def account_id(self) -> int:
        """
        Whose it is.
        """
        return self.person.account_id
