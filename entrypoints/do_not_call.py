"""
What the operator does with Do-Not-Call lists: every account's, and the one that binds them all.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from functools import partial
from itertools import islice
from typing import IO, Final, TypeVar

import attrs

from outdial.domain.model.do_not_call import DEFAULT_LIST, NAME_LENGTH_MAX, REASON_LENGTH_MAX, DncEntry, DncList
from outdial.domain.model.phone_number import PhoneNumber, is_region, parse_phone_number
from outdial.domain.model.template import is_clean
from outdial.domain.service import do_not_call
from outdial.domain.service.administration import account_of
from outdial.domain.service.do_not_call import ListedNumber
from outdial.entrypoints.number_files.reading import Unreadable, read_numbers
from outdial.entrypoints.number_files.spool import NumberSpool
from outdial.ports.clock import Clock
from outdial.ports.errors import UnknownRecordError
from outdial.ports.storage import Reader, Storage, Transaction

T = TypeVar("T")

STEP_NUMBERS: Final = 10_000
"""How many are stored or written out at once."""


@attrs.frozen(kw_only=True)
class Listing:
    """
    What is said of numbers that are listed together.

    Attributes:
        list_name: The list, which is made when there is none of its name; the operator's has its own.

        reason: Why they are not to be called.

        source: Where the list comes from, in case it is made.

        expires_at: From when on they may be called again; `None` for never.
    """

    list_name: str = DEFAULT_LIST
    reason: str = ""
    source: str = ""
    expires_at: datetime | None = None


FOR_EVER: Final = Listing()


@attrs.define(kw_only=True)
class Imported:
    """
    How far an import came.

    Attributes:
        read: Numbers that were read, as often as they stand in the file.

        stored: Different numbers that are on the list now.

        unreadable: Cells that were no numbers.

        columns: Where numbers were looked for, by name or place from 1 on.
    """

    read: int = 0
    stored: int = 0
    unreadable: int = 0
    columns: tuple[str, ...] = ()


Listed = tuple[DncList, DncEntry]
"""A number and the list that it is on."""

OnProgress = Callable[[Imported], None]
OnUnreadable = Callable[[Unreadable], None]


def _ignore(_: object) -> None:
    """
    Nobody watches.
    """


class DncAdministration:
    """
    Do-Not-Call lists; for the operator's, the account is `None`.

    Every method raises `UnknownRecordError` for accounts that don't exist, and `ValueError` for values that can't be
    used.
    """

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def add(self, account_id: int | None, number: str, listing: Listing = FOR_EVER) -> DncEntry:
        """
        List a number: it is not dialled from this moment on.
        """
        _check_texts(listing)
        read = await self._number(account_id, number)
        work = partial(
            do_not_call.list_number,
            account_id=account_id,
            number=read,
            at=self._clock.now(),
            **attrs.asdict(listing),
        )
        return await self._storage.transact(work)

    async def remove(self, account_id: int | None, number: str, *, list_name: str | None = None) -> bool:
        """
        Take a number off all of the owner's lists, or off one; `False` when it was on none.
        """
        read = await self._number(account_id, number)
        work = partial(do_not_call.delist_number, account_id=account_id, number=read, list_name=list_name)
        return await self._storage.transact(work)

    async def show(self, account_id: int | None, number: str) -> tuple[ListedNumber, ...]:
        """
        Return what the lists that bind an account say of a number, the operator's first.
        """
        read = await self._number(account_id, number)
        work = partial(do_not_call.listings_of, account_id=account_id, number=read, at=self._clock.now())
        return await self._storage.read(work)

    async def lists(self, account_id: int | None) -> tuple[DncList, ...]:
        """
        Return the owner's lists.
        """
        return await self._storage.read(partial(do_not_call.own_lists, account_id=account_id))

    async def remove_list(self, account_id: int | None, list_name: str) -> DncList:
        """
        Remove a list with all its numbers.

        Raises:
            UnknownRecordError: There is none of this name.
        """

        def remove(transaction: Transaction) -> DncList:
            (found,) = _named(transaction, account_id, list_name)
            transaction.dnc.remove_list(found)
            return found

        return await self._storage.transact(remove)

    async def import_numbers(
        self,
        account_id: int | None,
        opened: IO[bytes],
        listing: Listing = FOR_EVER,
        *,
        columns: Sequence[str] = (),
        region: str | None = None,
        is_partial: bool = False,
        on_progress: OnProgress = _ignore,
        on_unreadable: OnUnreadable = _ignore,
    ) -> Imported:
        """
        Put the numbers of a file on a list: text or CSV, in UTF-8 or UTF-16, compressed by gzip or not.

        All of them are listed in one transaction, and none when one can't be read.

        Args:
            opened: The file, read once.

            columns: Where the numbers stand, by name or place from 1 on; none for all columns that look like numbers.

            region: Where national numbers belong; the account's own when it is not given.

            is_partial: Whether to list what can be read, some thousand numbers a transaction, so that nothing else
                waits for long.

            on_progress: Told after every few thousand numbers, while they are stored from another thread.

            on_unreadable: Told every line that can't be read.

        Raises:
            ValueError: The file is no list of numbers; with `is_partial`, what was read before it may be listed.
        """
        _check_texts(listing)
        region = region or await self._region(account_id)
        if region is not None and not is_region(region):
            raise ValueError(f"{region!r} is no region such as US")
        imported = Imported()
        batches = read_numbers(opened, columns=columns, region=region)
        with NumberSpool() as spool:
            while (batch := await asyncio.to_thread(next, batches, None)) is not None:
                imported.columns = batch.columns
                imported.read += len(batch.numbers)
                imported.unreadable += len(batch.unreadable)
                for unreadable in batch.unreadable:
                    on_unreadable(unreadable)
                spool.add(batch.numbers)
                on_progress(imported)
            if is_partial:
                for some in _steps(spool):
                    await self._store(account_id, some, listing)
                    imported.stored += len(some)
                    on_progress(imported)
            elif imported.read and not imported.unreadable:
                await self._store(account_id, _Watched(spool, imported, on_progress), listing)
        return imported

    async def export(
        self, account_id: int | None, write: Callable[[Iterator[Listed]], T], *, list_name: str | None = None
    ) -> T:
        """
        Have all numbers of the owner's lists, or of one, written as they are at one moment.

        Args:
            write: Gets them by list and number, on another thread; if the database is lost, from the first once more.

        Returns:
            What `write` does.

        Raises:
            UnknownRecordError: There is no list of this name.
        """

        def read(reader: Reader) -> T:
            lists = _named(reader, account_id, list_name)
            return write((one, entry) for one in lists for entry in _entries(reader, one))

        return await self._storage.read(read)

    async def _store(self, account_id: int | None, numbers: Iterable[str], listing: Listing) -> None:
        work = partial(
            do_not_call.list_numbers,
            account_id=account_id,
            numbers=numbers,
            at=self._clock.now(),
            **attrs.asdict(listing),
        )
        await self._storage.transact(work)

    async def _number(self, account_id: int | None, text: str) -> PhoneNumber:
        """
        Read a number as the account's people write it: without `+`, it is one of the account's region.
        """
        number = parse_phone_number(text, default_region=await self._region(account_id))
        if number is None:
            raise ValueError(f"{text!r} is not a phone number such as +15551234567")
        return number

    async def _region(self, account_id: int | None) -> str | None:
        if account_id is None:
            return None
        return (await self._storage.read(partial(account_of, account_id=account_id))).default_region


@attrs.frozen
class _Watched:
    """
    Numbers, as often as they are wanted; counts those that were taken.
    """

    _spool: NumberSpool
    _imported: Imported
    _on_progress: OnProgress

    def __iter__(self) -> Iterator[str]:
        self._imported.stored = 0
        for some in _steps(self._spool):
            yield from some
            self._imported.stored += len(some)
            self._on_progress(self._imported)


def _steps(numbers: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(numbers)
    while some := list(islice(rest, STEP_NUMBERS)):
        yield some


def _entries(reader: Reader, dnc_list: DncList) -> Iterator[DncEntry]:
    after: PhoneNumber | None = None
    while page := reader.dnc.page(dnc_list, after=after, limit=STEP_NUMBERS):
        yield from page
        after = page[-1].phone_number


def _named(reader: Reader | Transaction, account_id: int | None, list_name: str | None) -> Sequence[DncList]:
    """
    Return the owner's list of a name, or all of them.
    """
    lists = [one for one in do_not_call.own_lists(reader, account_id) if list_name in {None, one.name}]
    if list_name is not None and not lists:
        raise UnknownRecordError(f"There is no list {list_name!r}.")
    return lists


def _check_texts(listing: Listing) -> None:
    """
    Raise for what not every database can store or not every answer can hold.
    """
    if not all(map(is_clean, (listing.list_name, listing.reason, listing.source))):
        raise ValueError("A text holds a NUL or a lone surrogate, which can't be stored.")
    if not 1 <= len(listing.list_name) <= NAME_LENGTH_MAX:
        raise ValueError(f"The name of a list has 1 to {NAME_LENGTH_MAX} characters.")
    if max(len(listing.reason), len(listing.source)) > REASON_LENGTH_MAX:
        raise ValueError(f"A reason or source has at most {REASON_LENGTH_MAX} characters.")
