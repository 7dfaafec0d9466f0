"""
The write-ahead log cut off at every frame, as a power cut leaves it: what was acknowledged must be there.

What a power cut may take is what was not synced: with `synchronous = full` SQLite syncs the log at each commit, with
`normal` only at checkpoints (SQLite, "PRAGMA synchronous"). The mode is read from the connection that writes.
"""

import itertools
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import attrs
import pytest

import outdial
from outdial.adapters.sqlite import connection
from outdial.domain.model.call import Call
from outdial.domain.model.lifecycle import State
from outdial.entrypoints import auditing
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import FILE_NAME, Database, furnish, open_sqlite
from tests.service.calls import STEPS_TO, Step, accept

LOG: Final = f"{FILE_NAME}-wal"
HEADER_BYTES: Final = 32
FRAME_HEADER_BYTES: Final = 24
"""SQLite, "Database File Format", 4.1: a log begins with 32 bytes, and each page in it with 24."""

FULL: Final = 2
TORN: Final = b"\x5a" * 700
"""What stands behind a cut may be anything."""


@attrs.frozen(kw_only=True)
class Moment:
    """
    Database and log as they were when a step was acknowledged.
    """

    records: int
    file: bytes
    log: bytes


def _play(folder: Path) -> Iterator[Moment]:
    """
    See one call through, and keep what is on the disk after each acknowledged step.
    """
    database = Database(open_sqlite(folder))
    database.transact(furnish)
    database.transact(lambda transaction: transaction.rulebook.set_rate(builders.rate()))
    database.restart()  # what was written so far goes from the log into the file

    def moment(records: int) -> Moment:
        return Moment(records=records, file=(folder / FILE_NAME).read_bytes(), log=(folder / LOG).read_bytes())

    call = accept(database)
    yield moment(1)
    for number, step in enumerate(STEPS_TO[State.SETTLED]):
        call = database.transact(_with(step, call))
        yield moment(number + 2)
    database.close()


def _with(step: Step, call: Call) -> Callable[[Transaction], Call]:
    return lambda transaction: step(transaction, call)


def _is_synced_at_commit(folder: Path) -> bool:
    opened = connection.open_writer(folder / FILE_NAME, busy_timeout_s=1)
    ((mode,),) = opened.execute("pragma synchronous").fetchall()
    opened.close()
    return bool(mode == FULL)


def _losses(folder: Path) -> list[str]:
    """
    Cut the log at each frame, and in each, that a power cut may take at any moment; return what of it loses something.
    """
    played = folder / "played"
    played.mkdir()
    moments = list(_play(played))
    is_synced = _is_synced_at_commit(played)
    losses = []
    for known, following in itertools.pairwise(moments):
        first = len(known.log) if is_synced else HEADER_BYTES
        step = (FRAME_HEADER_BYTES + 4096) // 2
        for bytes_left in range(first, len(following.log), step):
            problem = _reopened(folder / "cut", following, bytes_left, known.records)
            if problem is not None:
                losses.append(f"{bytes_left} of {len(following.log)} bytes left: {problem}")
    return losses


def _reopened(folder: Path, moment: Moment, bytes_left: int, records_known: int) -> str | None:
    """
    Open what a power cut left, and say what is wrong with it.
    """
    folder.mkdir()
    try:
        (folder / FILE_NAME).write_bytes(moment.file)
        (folder / LOG).write_bytes(moment.log[:bytes_left] + TORN)
        opened = sqlite3.connect(folder / FILE_NAME)
        states = [state for (state,) in opened.execute("select state from call_records order by number").fetchall()]
        verdict = opened.execute("pragma integrity_check").fetchall()
        opened.close()
        found = auditing.audit(
            outdial.Settings(database=f"sqlite:///{folder / FILE_NAME}"), on_progress=lambda _progress: None
        ).finding
    finally:
        shutil.rmtree(folder)
    if verdict != [("ok",)]:
        return f"The file is broken: {verdict}."
    if found is not None:
        return f"{found.table}, {found.key}: {found.problem}"
    return None if len(states) >= records_known else f"Of {records_known} acknowledged steps only {states} are left."


def test_a_power_cut_takes_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    """
    However much of the log behind the last commit is lost, all steps before it are there and the books are in order.
    """
    losses = _losses(tmp_path)

    assert [] == losses


def test_a_weaker_mode_is_caught(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    With `synchronous = normal` a point of no return is lost whose order has left: its call would be dialled again.
    """
    weaker = [pragma.replace("synchronous = full", "synchronous = normal") for pragma in connection.WRITER_PRAGMAS]
    monkeypatch.setattr(connection, "WRITER_PRAGMAS", tuple(weaker))

    losses = _losses(tmp_path)

    forgotten = str([State.QUEUED.value, State.LEASED.value])
    assert [] != [loss for loss in losses if f"acknowledged steps only {forgotten}" in loss]
