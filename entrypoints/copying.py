"""
`outdial copy`: everything from one database into another, checked on both sides, all of it or nothing.

The target is filled in one transaction, so that an interrupted copy leaves nothing that anybody could dial from.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from enum import StrEnum
from typing import Final, TypeVar

import attrs

from outdial.domain.model.wallet import OverdrawnError
from outdial.domain.service.copying import Books, is_empty
from outdial.domain.service.quarantine import quarantine
from outdial.entrypoints import composition
from outdial.entrypoints.settings import Settings
from outdial.ports.archive import TABLES, Archive, ArchiveReader, ArchiveWriter
from outdial.ports.clock import Clock
from outdial.ports.errors import StorageError

T = TypeVar("T")

ENDED_AT_ONCE: Final = 100
SILENT_S: Final = 15.0
"""A worker that was not heard of for this long dials no more."""


class Step(StrEnum):
    """
    What a copy does, in this order.
    """

    COPY = "copying"
    CHECK = "checking"
    QUARANTINE = "ending open calls"


@attrs.frozen(kw_only=True)
class Progress:
    """
    How far a copy came.

    Attributes:
        table: What it is at.

        done: Rows of the step that are done, of `total`; calls when they are ended.
    """

    step: Step
    table: str
    done: int
    total: int


OnProgress = Callable[[Progress], None]


@attrs.frozen(kw_only=True)
class Copied:
    """
    What a copy came to.

    Attributes:
        books: Of both sides, before open calls were ended in the target.

        quarantined: How many were.
    """

    books: Books
    quarantined: int


def copy(source: Settings, target: Settings, *, clock: Clock, on_progress: OnProgress) -> Copied:
    """
    Copy a database into an empty one that has the newest schema.

    Nobody may dial from either meanwhile. Calls that are not over are ended in the target, which never dials them.

    Raises:
        StorageError: Nothing was copied; the message says why and what to do.
    """
    if _is_same(source, target):
        raise StorageError("The source and the target are the same database. Nothing was copied.")
    origin, copied = composition.archive(source), composition.archive(target)
    with ExitStack() as rights:
        for side, settings, archive in (("source", source, origin), ("target", target, copied)):
            with _of(side, settings):
                with archive.reading() as snapshot:
                    _check_quiet(snapshot)
                rights.enter_context(composition.dialling_rights(settings))
        with _entered(copied.filling(), side="target", settings=target) as filling:
            books = fill(origin, filling, on_progress)
            return Copied(books=books, quarantined=_quarantine(filling, books, clock, on_progress))


def fill(origin: Archive, filling: ArchiveWriter, on_progress: OnProgress) -> Books:
    """
    Copy all rows as they are and check them on both sides.

    Raises:
        StorageError: The target holds something already, or the two sides don't agree.
    """
    if not is_empty(filling):
        raise StorageError(
            "The target holds accounts or rates already. A copy fills an empty database, and one that was interrupted"
            " leaves nothing behind. Nothing was copied."
        )
    with origin.reading() as snapshot:
        books = _copy_rows(snapshot, filling, on_progress)
    filling.number_on()
    meter = _Meter(on_progress, Step.CHECK, 2 * books.rows.total())
    if found := books.difference(_taken_down(filling, meter)):
        raise StorageError(f"The target does not hold what was copied: {found}. Nothing was kept.")
    with origin.reading() as fresh:
        if found := books.difference(_taken_down(fresh, meter)):
            raise StorageError(
                f"The source was changed while it was copied: {found}. Nothing was kept."
                " Stop whatever writes to it and run this again."
            )
    return books


@attrs.define
class _Meter:
    _on_progress: OnProgress
    _step: Step
    _total: int
    _done: int = 0

    def add(self, table: str, count: int) -> None:
        self._done += count
        self._on_progress(Progress(step=self._step, table=table, done=self._done, total=self._total))


def _copy_rows(snapshot: ArchiveReader, filling: ArchiveWriter, on_progress: OnProgress) -> Books:
    books = Books()
    meter = _Meter(on_progress, Step.COPY, sum(map(snapshot.count, TABLES)))
    for table in TABLES:
        for rows in snapshot.rows(table):
            filling.add(table, rows)
            books.take_down(table, rows)
            meter.add(table.name, len(rows))
    return books


def _taken_down(reader: ArchiveReader, meter: _Meter) -> Books:
    books = Books()
    for table in TABLES:
        for rows in reader.rows(table):
            books.take_down(table, rows)
            meter.add(table.name, len(rows))
    return books


def _quarantine(filling: ArchiveWriter, books: Books, clock: Clock, on_progress: OnProgress) -> int:
    meter = _Meter(on_progress, Step.QUARANTINE, books.open_calls)
    at, count = clock.now(), 0
    try:
        while calls := quarantine(filling.transaction, limit=ENDED_AT_ONCE, at=at):
            count += len(calls)
            meter.add("calls", len(calls))
    except OverdrawnError as error:
        raise StorageError("An open call's hold is missing from the source's wallets. Nothing was kept.") from error
    return count


def _check_quiet(snapshot: ArchiveReader) -> None:
    if snapshot.workers(heard_within_s=SILENT_S):
        raise StorageError(
            f"A worker dialled from this database within the last {SILENT_S:g} s. Stop it, and wait as long."
        )


def _is_same(source: Settings, target: Settings) -> bool:
    paths = composition.database_path(source), composition.database_path(target)
    if paths[0] is not None and paths[1] is not None:
        return paths[0].resolve() == paths[1].resolve() or (
            paths[0].exists() and paths[1].exists() and paths[0].samefile(paths[1])
        )
    return composition.database_url(source) == composition.database_url(target) and paths[0] is paths[1]


@contextmanager
def _of(side: str, settings: Settings) -> Iterator[None]:
    """
    Say which of the two databases an error is about.
    """
    try:
        yield
    except StorageError as error:
        advice = str(error).replace("`outdial migrate`", f"`outdial migrate --database {settings.database}`")
        raise StorageError(f"The {side} can't be used: {advice} Nothing was copied.") from error


@contextmanager
def _entered(context: AbstractContextManager[T], *, side: str, settings: Settings) -> Iterator[T]:
    """
    Enter a context; an error of entering it says which of the two databases it is about.
    """
    with ExitStack() as stack:
        with _of(side, settings):
            entered = stack.enter_context(context)
        yield entered
