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


PageLimit = Annotated[
    Annotated[QueryNumber, Field(ge=1, le=LIMIT_MAX), Says(f"It must be a whole number from 1 to {LIMIT_MAX}.")],
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
        Annotated[QueryNumber, Field(ge=0, le=ID_MAX), Says("It must be the `next_cursor` of a page.")] | None,
        AfterValidator(_without_page),
        Field(description="The `next_cursor` of the page before: records that came since don't move the pages."),
    ] = None

    @property
    def range(self) -> PageRange:
        """
        The page as storage finds it.
        """
        return PageRange(limit=self.limit, skip=(self.page - 1) * self.limit, before=self.cursor)


class PageBody(TypedDict):
    """
    What every page tells of itself.
    """

    count: Annotated[int, Field(description="Records on all pages; counting stops at 10,000.")]
    count_is_exact: Annotated[bool, Field(description="Whether there are not more than were counted.")]
    page: int
    limit: int
    pages: Annotated[int, Field(description="Pages of the counted records.")]
    next_cursor: Annotated[str | None, Field(description="Asks for the next page; null on the last one.")]


def page_body(page: Page[Any]) -> PageBody:
    """
    Return what a page tells of itself.
    """
    return PageBody(
        count=page.count,
        count_is_exact=page.is_count_exact,
        page=page.range.number,
        limit=page.range.limit,
        pages=-(-page.count // page.range.limit),
        next_cursor=str(page.following) if page.following is not None else None,
    )
