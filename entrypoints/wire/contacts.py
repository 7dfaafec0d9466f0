"""
Contacts on the wire.
"""

from typing import Annotated, Any, cast
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import TypedDict

from outdial.domain.model.contact import FIELD_LENGTH_MAX, NUMBERS_MAX, ContactNumber, PhoneType
from outdial.domain.model.listing import Page
from outdial.domain.service.contacts import ContactFields, ContactView, NumberDraft
from outdial.entrypoints.wire.pages import PageBody, PageLimit, PageQuery, page_body
from outdial.entrypoints.wire.reading import RequestBody, Says, clean, problem
from outdial.entrypoints.wire.values import Time, write_time_or_null
from outdial.entrypoints.wire.variables import within_limits

DEFAULT_LIMIT = 25


def _known_timezone(name: str | None) -> str | None:
    if name is not None:
        try:
            ZoneInfo(name)
        except (KeyError, OSError) as error:
            raise ValueError(name) from error
    return name


def _list(value: object) -> object:
    if not isinstance(value, list | tuple):
        raise problem("It must be a list of numbers.")
    return value


_Short = Annotated[str, Field(max_length=FIELD_LENGTH_MAX), AfterValidator(clean)]
_OptionalText = Annotated[_Short | None, Says(f"It must be a text of at most {FIELD_LENGTH_MAX} characters.")]

FirstName = Annotated[
    Annotated[_Short, Field(min_length=1)],
    Says(f"It must be a text of 1 to {FIELD_LENGTH_MAX} characters."),
    Field(examples=["John"]),
]


class NumberBody(RequestBody):
    """
    One of a contact's numbers.
    """

    phone_number: Annotated[
        str,
        Says("It must be a string."),
        Field(description="E.164; without `+`, a number of the account's region.", examples=["+15551234567"]),
    ]
    phone_type: Annotated[
        Annotated[PhoneType, Field(strict=False)],
        Says(f"It must be one of {', '.join(PhoneType)}."),
        Field(description="Where it rings."),
    ] = PhoneType.OTHER
    primary: Annotated[
        bool,
        Says("It must be true or false."),
        Field(description="Whether it is the one that people try first; the first number is where none says so."),
    ] = False
    do_not_call: Annotated[
        bool | None,
        Says("It must be true or false."),
        Field(description="Whether it is on the account's Do-Not-Call list `contacts`; absent, that stays as it is."),
    ] = None
    dnc_reason: Annotated[_OptionalText, Field(description="Why it must not be called.")] = None

    @property
    def draft(self) -> NumberDraft:
        """
        The number as it was asked for.
        """
        return NumberDraft(
            phone_number=self.phone_number,
            phone_type=self.phone_type,
            is_primary=self.primary,
            do_not_call=self.do_not_call,
            dnc_reason=self.dnc_reason,
        )


class NewContactBody(RequestBody):
    """
    A contact that a client adds.
    """

    first_name: FirstName
    last_name: Annotated[_OptionalText, Field(examples=["Doe"])] = None
    email: Annotated[_OptionalText, Field(examples=["john@example.com"])] = None
    company: Annotated[_OptionalText, Field(examples=["Example Ltd"])] = None
    timezone: Annotated[
        Annotated[str, Field(max_length=FIELD_LENGTH_MAX)] | None,
        AfterValidator(_known_timezone),
        Says("It must be the name of a time zone such as America/New_York."),
        Field(description="A name of the IANA time zone database.", examples=["America/New_York"]),
    ] = None
    phone_numbers: Annotated[
        list[NumberBody],
        BeforeValidator(_list),
        Field(
            description=f"All its numbers, {NUMBERS_MAX} at most.",
            json_schema_extra={"maxItems": NUMBERS_MAX},
        ),
    ] = Field(default_factory=list)
    custom_context: Annotated[
        dict[str, Any] | None,
        Says("It must be an object."),
        AfterValidator(within_limits),
        Field(
            description="Further values for the agents' texts, as `{{custom_context.name}}`; may nest.",
            examples=[{"account_status": "Active"}],
        ),
    ] = None

    @property
    def fields(self) -> ContactFields:
        """
        What was said of the contact; whatever was left out is not among it.
        """
        given: dict[str, Any] = {name: getattr(self, name) for name in self.model_fields_set}
        if "custom_context" in given:
            given["custom_context"] = self.custom_context or {}
        if "phone_numbers" in given:
            given["phone_numbers"] = tuple(number.draft for number in self.phone_numbers)
        return cast("ContactFields", given)


class ContactChangeBody(NewContactBody):
    """
    What changes of a contact: fields that are absent stay, `phone_numbers` and `custom_context` are replaced as wholes.
    """

    first_name: FirstName = Field(default_factory=str)


class ContactsQuery(PageQuery):
    """
    Which contacts are listed.
    """

    limit: PageLimit = DEFAULT_LIMIT


class ContactNumberBody(TypedDict):
    """
    One of a contact's numbers, and whether it may be called.
    """

    id: int
    phone_number: Annotated[str, Field(description="E.164.", examples=["+15551234567"])]
    phone_type: PhoneType
    primary: bool
    do_not_call: Annotated[
        bool, Field(description="Whether it is on a Do-Not-Call list that binds the account, on whichever.")
    ]
    dnc_date: Annotated[Time | None, Field(description="Since when.")]
    dnc_reason: Annotated[str | None, Field(description="Why, in the words of whoever listed it.")]


class ContactBody(TypedDict):
    """
    A contact.
    """

    id: Annotated[int, Field(description="The contact's database id.", examples=[456])]
    first_name: str
    last_name: str | None
    email: str | None
    company: str | None
    timezone: str | None
    phone_numbers: Annotated[list[ContactNumberBody], Field(description="In the order in which they were added.")]
    custom_context: dict[str, Any]


class ContactPageBody(PageBody):
    """
    A page of contacts, newest first.
    """

    contacts: list[ContactBody]


def contact_body(view: ContactView) -> ContactBody:
    """
    Return the answer to `GET /api/v1/contacts/{id}`.
    """
    person = view.contact.person
    return ContactBody(
        id=person.id,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        company=person.company,
        timezone=person.timezone,
        phone_numbers=[_number_body(number, view) for number in view.contact.phone_numbers],
        custom_context=dict(person.custom_context),
    )


def contact_page_body(page: Page[ContactView]) -> ContactPageBody:
    """
    Return the answer to `GET /api/v1/contacts`.
    """
    return ContactPageBody(contacts=[contact_body(view) for view in page.records], **page_body(page))


def _number_body(number: ContactNumber, view: ContactView) -> ContactNumberBody:
    flag = view.flags.get(number.phone_number)
    return ContactNumberBody(
        id=number.id,
        phone_number=number.phone_number.e164,
        phone_type=number.phone_type,
        primary=number.is_primary,
        do_not_call=flag is not None,
        dnc_date=write_time_or_null(flag.listed_at if flag is not None else None),
        dnc_reason=flag.reason if flag is not None else None,
    )
