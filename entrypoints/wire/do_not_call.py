"""
Do-Not-Call lists on the wire.
"""

import re
from datetime import UTC, datetime
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field
from typing_extensions import TypedDict

from outdial.domain.model.do_not_call import NAME_LENGTH_MAX, REASON_LENGTH_MAX, DncList
from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.service.do_not_call import ListedNumber
from outdial.domain.service.own_lists import NumbersPage, NumbersWanted, Standing
from outdial.entrypoints.wire.pages import DEFAULT_LIMIT, CursorBody, Limit, cursor_body
from outdial.entrypoints.wire.reading import QueryNumber, RequestBody, RequestQuery, RowId, Says, clean
from outdial.entrypoints.wire.values import Time, write_time, write_time_or_null

_CURSOR: Final = re.compile(r"([0-9]{1,19})-([1-9][0-9]{6,14})")
_TIME_EXAMPLE: Final = "2026-12-31T00:00:00Z"

ListId = Annotated[int, Field(description="The list's id.", examples=[7])]
ListName = Annotated[str, Field(description="Unique within the account.", examples=["federal"])]
ListedCallee = Annotated[str, Field(description="E.164.", examples=["+15551234567"])]
Owner = Annotated[
    Literal["account", "operator"],
    Field(description="Whose list it is; the operator's binds every account, and no account changes it."),
]


def _read_time(value: object) -> object:
    """
    Let only times with a zone through, written or, in Python, given as such.
    """
    try:
        at = datetime.fromisoformat(value) if isinstance(value, str) else value
        if isinstance(at, datetime) and at.tzinfo is not None:
            return at.astimezone(UTC)
    except OverflowError as error:
        raise ValueError(value) from error
    raise ValueError(value)


def _read_cursor(value: str | None) -> str | None:
    if value is not None and _CURSOR.fullmatch(value) is None:
        raise ValueError(value)
    return value


class ListDraft(RequestBody):
    """
    A Do-Not-Call list that a client makes.
    """

    name: Annotated[
        Annotated[str, Field(min_length=1, max_length=NAME_LENGTH_MAX), AfterValidator(clean)],
        Says(f"It must be a string of 1 to {NAME_LENGTH_MAX} characters."),
        Field(description="Unique within the account.", examples=["federal"]),
    ]
    source: Annotated[
        Annotated[str, Field(max_length=REASON_LENGTH_MAX), AfterValidator(clean)],
        Says(f"It must be a string of at most {REASON_LENGTH_MAX} characters."),
        Field(description="Where its numbers come from.", examples=["National registry"]),
    ] = ""


class NumberDraft(RequestBody):
    """
    A number that a client lists.
    """

    phone_number: Annotated[
        str,
        Says("It must be a string."),
        Field(description="The number, E.164 or as the account's people write it.", examples=["+15551234567"]),
    ]
    list_id: Annotated[
        RowId | None,
        Says("It must be an integer."),
        Field(description="One of the account's lists; `default` if not given.", examples=[7]),
    ] = None
    reason: Annotated[
        Annotated[str, Field(max_length=REASON_LENGTH_MAX), AfterValidator(clean)],
        Says(f"It must be a string of at most {REASON_LENGTH_MAX} characters."),
        Field(description="Why it is not to be called.", examples=["asked us to stop"]),
    ] = ""
    expires_at: Annotated[
        Annotated[datetime, BeforeValidator(_read_time)] | None,
        Says(f"It must be a time with its zone, such as {_TIME_EXAMPLE}."),
        Field(description="From when on it may be called again; never if not given.", examples=[_TIME_EXAMPLE]),
    ] = None


class NumbersQuery(RequestQuery):
    """
    Which listed numbers are shown.
    """

    list_id: Annotated[
        Annotated[QueryNumber, Field(ge=1, le=ID_MAX)] | None,
        Says("It must be a list's id."),
        Field(description="Those of one list."),
    ] = None
    phone_number: Annotated[str | None, Field(description="That of one number.")] = None
    limit: Annotated[Limit, Field(description="Numbers of a page.")] = DEFAULT_LIMIT
    cursor: Annotated[
        Annotated[str | None, AfterValidator(_read_cursor)],
        Says("It must be the `next_cursor` of a page."),
        Field(description="The `next_cursor` of the page before."),
    ] = None

    @property
    def wanted(self) -> NumbersWanted:
        """
        The numbers as storage finds them.
        """
        place = _CURSOR.fullmatch(self.cursor or "")
        after = None if place is None else (int(place[1]), PhoneNumber(f"+{place[2]}"))
        return NumbersWanted(list_id=self.list_id, text=self.phone_number, after=after)


class RemovalQuery(RequestQuery):
    """
    Which lists a number is taken off.
    """

    list_id: Annotated[
        Annotated[QueryNumber, Field(ge=1, le=ID_MAX)] | None,
        Says("It must be a list's id."),
        Field(description="One of the account's lists; all of them if not given."),
    ] = None


class DncListBody(TypedDict):
    """
    A Do-Not-Call list.
    """

    id: ListId
    name: ListName
    source: Annotated[str, Field(description="Where its numbers come from.", examples=["National registry"])]
    created_at: Time


class DncListsBody(TypedDict):
    """
    The account's Do-Not-Call lists.
    """

    lists: list[DncListBody]


class ListedOnBody(TypedDict):
    """
    The list that a number is on.
    """

    id: ListId
    name: ListName
    owner: Owner


class ListedNumberBody(TypedDict):
    """
    A number on a Do-Not-Call list.
    """

    phone_number: ListedCallee
    list: ListedOnBody
    reason: Annotated[str, Field(examples=["asked us to stop"])]
    listed_at: Time
    expires_at: Annotated[Time | None, Field(description="From when on it may be called again; null for never.")]
    live: Annotated[bool, Field(description="Whether it counts now.")]


class StandingBody(TypedDict):
    """
    Whether a number may be called, as far as lists say.
    """

    phone_number: ListedCallee
    do_not_call: Annotated[bool, Field(description="Whether an entry counts now.")]
    entries: Annotated[list[ListedNumberBody], Field(description="On all lists that bind the account.")]


class NumbersBody(CursorBody):
    """
    A page of listed numbers, by list and number.
    """

    numbers: list[ListedNumberBody]


def list_body(dnc_list: DncList) -> DncListBody:
    """
    Return a list.
    """
    return DncListBody(
        id=dnc_list.id, name=dnc_list.name, source=dnc_list.source, created_at=write_time(dnc_list.created_at)
    )


def lists_body(lists: tuple[DncList, ...]) -> DncListsBody:
    """
    Return an account's lists.
    """
    return DncListsBody(lists=[list_body(one) for one in lists])


def number_body(listed: ListedNumber) -> ListedNumberBody:
    """
    Return a number on a list.
    """
    entry, dnc_list = listed.entry, listed.dnc_list
    owner: Literal["account", "operator"] = "operator" if dnc_list.account_id is None else "account"
    return ListedNumberBody(
        phone_number=entry.phone_number.e164,
        list=ListedOnBody(id=dnc_list.id, name=dnc_list.name, owner=owner),
        reason=entry.reason,
        listed_at=write_time(entry.listed_at),
        expires_at=write_time_or_null(entry.expires_at),
        live=listed.is_live,
    )


def standing_body(standing: Standing) -> StandingBody:
    """
    Return which lists say what of a number.
    """
    return StandingBody(
        phone_number=standing.phone_number.e164,
        do_not_call=standing.do_not_call,
        entries=[number_body(one) for one in standing.listed],
    )


def numbers_body(page: NumbersPage, *, limit: int) -> NumbersBody:
    """
    Return a page of numbers.
    """
    following = page.following
    place = f"{following[0]}-{following[1].digits}" if following is not None else None
    return NumbersBody(
        numbers=[number_body(one) for one in page.listed],
        **cursor_body(limit=limit, following=place),
    )
