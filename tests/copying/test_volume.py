"""
A large database is copied in little memory.
"""

import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import attrs

from outdial.entrypoints.copying import fill
from outdial.ports.archive import BATCH_ROWS, Archive, ArchiveReader, ArchiveWriter, Row, Table
from tests.copying.databases import Place, furnish_many, place

CALLS = 20_000


class Batch(list[Row]):
    """
    Rows whose life can be watched.
    """


@attrs.define
class Watch:
    """
    Counts the rows that are in memory.
    """

    now: int = 0
    most: int = 0
    seen: int = 0

    def over(self, batches: Iterator[Sequence[Row]]) -> Iterator[Sequence[Row]]:
        """
        Pass batches on and follow each until nobody has it any more.
        """
        for rows in batches:
            batch = Batch(rows)
            self.seen += len(batch)
            self.now += len(batch)
            self.most = max(self.most, self.now)
            weakref.finalize(batch, self._forget, len(batch))
            yield batch
            del rows, batch

    def _forget(self, count: int) -> None:
        self.now -= count


@attrs.frozen
class WatchedReader:
    """
    A snapshot whose rows are watched.
    """

    _inner: ArchiveReader
    _watch: Watch

    def count(self, table: Table) -> int:
        """
        Count rows.
        """
        return self._inner.count(table)

    def rows(self, table: Table) -> Iterator[Sequence[Row]]:
        """
        Read rows.
        """
        return self._watch.over(self._inner.rows(table))

    def workers(self, *, heard_within_s: float) -> int:
        """
        Count workers.
        """
        return self._inner.workers(heard_within_s=heard_within_s)


@attrs.frozen
class WatchedArchive:
    """
    A source whose rows are watched.
    """

    _inner: Archive
    _watch: Watch

    @contextmanager
    def reading(self) -> Iterator[ArchiveReader]:
        """
        Open a snapshot.
        """
        with self._inner.reading() as snapshot:
            yield WatchedReader(snapshot, self._watch)

    @contextmanager
    def filling(self) -> Iterator[ArchiveWriter]:
        """
        Fill it.
        """
        with self._inner.filling() as filling:
            yield filling


def test_a_large_database_is_copied_in_batches(tmp_path: Path, target: Place) -> None:
    """
    20,000 calls: all rows are seen twice, and never more than two batches of them are in memory.
    """
    source, watch = place("sqlite", tmp_path), Watch()
    furnish_many(source, calls=CALLS)

    with target.archive.filling() as filling:
        books = fill(WatchedArchive(source.archive, watch), filling, lambda _progress: None)

    assert CALLS == books.rows["calls"]
    assert books.rows.total() * 2 == watch.seen > 150_000
    assert watch.most <= 2 * BATCH_ROWS
    assert CALLS == target.run("select count(*) from calls")[0][0]
