"""
Pages of lists: what clients ask for, and what every page tells of itself.
"""

from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, ValidationInfo
from typing_extensions import TypedDict

from outdial.domain.model.identifiers import ID_MAX
from outdial.domain.model.listing import LIMIT_MAX, SKIP_MAX, Page, PageRange
from outdial.entrypoints.wire.reading import QueryNumber, RequestQuery, Says, problem

DEFAULT_LIMIT: Final = 10
PAGE_MAX: Final = SKIP_MAX + 1
"""The last page of one record each."""


def _within_reach(limit: int, info: ValidationInfo) -> int:
    if (info.data.get("page", 1) - 1) * limit > SKIP_MAX:
        raise problem(f"Pages end after {SKIP_MAX} records; follow `next_cursor` to go further.")
    return limit


def _without_page(cursor: int | None, info: ValidationInfo) -> int | None:
    if cursor is not None and info.data.get("page", 1) != 1:
        raise problem("A cursor and a page exclude each other.")
    return cursor


Limit = Annotated[QueryNumber, Field(ge=1, le=LIMIT_MAX), Says(f"It must be a whole number from 1 to {LIMIT_MAX}.")]
Cursor = Annotated[QueryNumber, Field(ge=0, le=ID_MAX), Says("It must be the `next_cursor` of a page.")]

PageLimit = Annotated[
    Limit,
    AfterValidator(_within_reach),
    Field(description="Records of a page.", validate_default=True),
]


class PageQuery(RequestQuery):
    """
    Which page of a list is asked for: by its number, or by the cursor that the page before it gave.
    """

    page: Annotated[
        QueryNumber,
        Field(ge=1, le=PAGE_MAX, description="The page's number."),
        Says(f"It must be a whole number from 1 to {PAGE_MAX}; follow `next_cursor` to go further."),
    ] = 1
    limit: PageLimit = DEFAULT_LIMIT
    cursor: Annotated[
        Cursor | None,
        AfterValidator(_without_page),
        Field(description="The `next_cursor` of the page before: records that came since don't move the pages."),
    ] = None

    @property
    def range(self) -> PageRange:
        """
        The page as storage finds it.
        """
        return PageRange(limit=self.limit, skip=(self.page - 1) * self.limit, before=self.cursor)


class CursorQuery(RequestQuery):
    """
    Which page of a list is asked for that has cursors alone: nobody counts it.
    """

    limit: Annotated[Limit, Field(description="Records of a page.")] = DEFAULT_LIMIT
    cursor: Annotated[Cursor | None, Field(description="The `next_cursor` of the page before.")] = None


class CursorBody(TypedDict):
    """
    What every page tells of itself.
    """

    limit: Annotated[int, Field(description="Records that it has at most.")]
    next_cursor: Annotated[str | None, Field(description="Asks for the next page; null on the last one.")]


class PageBody(CursorBody):
    """
    What a page tells of a list that is counted.
    """

    count: Annotated[int, Field(description="Records on all pages; counting stops at 10,000.")]
    count_is_exact: Annotated[bool, Field(description="Whether there are not more than were counted.")]
    page: int
    pages: Annotated[int, Field(description="Pages of the counted records.")]


def cursor_body(*, limit: int, following: object | None) -> CursorBody:
    """
    Return what a page tells of itself.

    Args:
        following: Where the next page begins; `None` on the last one.
    """
    return CursorBody(limit=limit, next_cursor=str(following) if following is not None else None)


def page_body(page: Page[Any]) -> PageBody:
    """
    Return what a page tells of itself and its list.
    """
    return PageBody(
        count=page.count,
        count_is_exact=page.is_count_exact,
        page=page.range.number,
        pages=-(-page.count // page.range.limit),
        **cursor_body(limit=page.range.limit, following=page.following),
    )
