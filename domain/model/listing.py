"""
What is listed of many records, and how much at once.
"""

from typing import Final, Generic, TypeVar

import attrs
from attrs.validators import ge, le, optional

from outdial.domain.model.call import UNKNOWN, Status
from outdial.domain.model.identifiers import AgentReference

T = TypeVar("T")

LIMIT_MAX: Final = 100
"""Records of one page."""

SKIP_MAX: Final = 10_000
"""Pages are found by counting from the newest record on; who wants to go further follows cursors."""

COUNT_MAX: Final = 10_000
"""Counting stops here, so that it takes no longer with ten million records."""


@attrs.frozen(kw_only=True)
class PageRange:
    """
    One page of a list whose newest records stand first.

    Attributes:
        limit: Its records at most, 1 to 100; one more to see whether another page follows.

        skip: How many records stand before it, 0 to 10,000.

        before: Only records below this row number are listed; with it a page keeps its place when new ones come.
    """

    limit: int = attrs.field(validator=[ge(1), le(LIMIT_MAX + 1)])
    skip: int = attrs.field(default=0, validator=[ge(0), le(SKIP_MAX)])
    before: int | None = attrs.field(default=None, validator=optional(ge(0)))

    @property
    def number(self) -> int:
        """
        Which page it is, from 1 on.
        """
        return self.skip // self.limit + 1


@attrs.frozen(kw_only=True)
class Page(Generic[T]):
    """
    A page that was found.

    Attributes:
        records: Newest first.

        count: How many records there are on all pages, 10,000 at most.

        following: The row number that the next page stands before; `None` on the last page.
    """

    records: tuple[T, ...]
    count: int
    range: PageRange
    following: int | None

    @property
    def is_count_exact(self) -> bool:
        """
        Whether there are not more records than were counted.
        """
        return self.count < COUNT_MAX


@attrs.frozen(kw_only=True)
class CallFilter:
    """
    Which of an account's calls are meant; `None` for any.

    Attributes:
        status: A status, or `UNKNOWN`.
    """

    agent_id: AgentReference | None = None
    contact_id: int | None = None
    status: str | None = None
    idempotency_key: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """
        The words that fitting calls are listed as.
        """
        if self.status is None:
            return (*Status, UNKNOWN)
        return (Status.DIALING, UNKNOWN) if self.status == Status.DIALING else (self.status,)
