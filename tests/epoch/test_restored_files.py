"""
What people do with database files: whatever they bring back, no phone rings a second time.
"""

import asyncio
import contextlib
import json
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

import attrs
import pytest

import outdial
from outdial.adapters.sqlite.witness import FileWitness
from outdial.domain.model.call import Call, Status
from outdial.domain.model.decision import Accepted
from outdial.domain.model.disposition import Disposition
from outdial.entrypoints.wire.call_requests import CallsQuery
from outdial.ports.dialling_place import DiallingPlace
from outdial.ports.errors import StorageError
from tests.library.setting_up import CALLEE, furnish, in_file

CALLS: Final = 6
WAIT_S: Final = 20.0
COMPANIONS: Final = ("-wal", "-shm")


@attrs.frozen
class Line:
    """
    A folder with a database, and the network's log of what rang.
    """

    folder: Path
    log: Path

    @property
    def settings(self) -> outdial.Settings:
        """
        How it is opened.
        """
        return in_file(self.folder, simulator_log=str(self.log), live_calls_max=1, dial_attempts=1)

    @property
    def database(self) -> Path:
        """
        The database's file.
        """
        return self.folder / "outdial.db"

    def rung(self) -> Counter[str]:
        """
        Return how often each attempt's order reached the network.
        """
        lines = self.log.read_text().splitlines() if self.log.exists() else []
        return Counter(json.loads(line)["attempt_id"] for line in lines)

    def dial_all(self) -> list[Call]:
        """
        Dial until every call is over, one more included, and return the calls as they are then.
        """
        return asyncio.run(self._dial_all())

    async def _dial_all(self) -> list[Call]:
        async with outdial.open(self.settings) as dialer:
            decision = await dialer.dial(CALLEE, 1)
            assert isinstance(decision, Accepted)
            await dialer.wait(decision.call, timeout_s=WAIT_S)
            page = await dialer.client(account_id=1).calls.list(CallsQuery(limit=50))
            return sorted((view.call for view in page.records), key=lambda call: call.id)  # type: ignore[union-attr]


def ask(line: Line, *, first: bool = False) -> None:
    """
    Have calls accepted that nobody dials yet.
    """

    async def accept() -> None:
        async with outdial.open(line.settings, dials=False) as dialer:
            if first:
                await furnish(dialer)
            for _ in range(CALLS):
                assert isinstance(await dialer.dial(CALLEE, 1), Accepted)

    asyncio.run(accept())


def save(line: Line, target: Path) -> Path:
    """
    Take a backup by SQLite's own means.
    """
    with (
        contextlib.closing(sqlite3.connect(line.database)) as source,
        contextlib.closing(sqlite3.connect(target)) as copied,
    ):
        source.backup(copied)
    return target


@pytest.fixture
def line(tmp_path: Path) -> Line:
    """
    Six calls wait to be dialled.
    """
    folder = tmp_path / "home"
    folder.mkdir()
    made = Line(folder, tmp_path / "orders")
    ask(made, first=True)
    return made


def _clear(line: Line) -> None:
    for companion in COMPANIONS:
        line.database.with_name(line.database.name + companion).unlink(missing_ok=True)


def over(line: Line, backup: Path) -> Line:
    """
    `cp backup outdial.db`: the same file with an older content.
    """
    _clear(line)
    line.database.write_bytes(backup.read_bytes())
    return line


def instead(line: Line, backup: Path) -> Line:
    """
    `mv backup outdial.db`.
    """
    _clear(line)
    backup.replace(line.database)
    return line


def elsewhere(line: Line, backup: Path) -> Line:
    """
    Into an empty folder.
    """
    folder = backup.parent / "other"
    folder.mkdir()
    shutil.copy2(backup, folder / line.database.name)
    return Line(folder, line.log)


def with_witness(line: Line, backup: Path) -> Line:
    """
    The backup, and the witness's file as it was then, which somebody saved with it.
    """
    _clear(line)
    backup.replace(line.database)
    shutil.copy2(backup.with_name("witness"), line.database.with_name("outdial.db.dialled"))
    return line


@pytest.mark.parametrize("restore", [over, instead, elsewhere, with_witness])
def test_a_restored_backup_rings_nobody(line: Line, tmp_path: Path, restore: Callable[[Line, Path], Line]) -> None:
    """
    What waited when it was taken is given up; what is asked for afterwards is dialled.
    """
    backup = save(line, tmp_path / "backup.db")
    shutil.copy2(line.database.with_name("outdial.db.dialled"), tmp_path / "witness")
    line.dial_all()
    before = line.rung()

    restored = restore(line, backup)
    calls = restored.dial_all()

    assert CALLS + 1 == before.total()
    assert [Disposition.EXPIRED] * CALLS == [call.disposition for call in calls[:CALLS]]
    assert Status.COMPLETED is calls[CALLS].status
    assert before + Counter({calls[CALLS].attempt_id: 1}) == restored.rung()


def test_without_the_witness_a_restored_backup_rings_everybody_again(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    A negative control: when nobody asks the witness, the network sees each attempt twice.
    """

    async def believed(_witness: FileWitness, place: DiallingPlace) -> bool:
        return place.is_here

    backup = save(line, tmp_path / "backup.db")
    line.dial_all()
    monkeypatch.setattr(FileWitness, "confirms", believed)

    over(line, backup).dial_all()

    assert CALLS <= sum(times == 2 for times in line.rung().values())


def test_a_copied_folder_rings_nobody(line: Line, tmp_path: Path) -> None:
    """
    `cp -r`, witness and all: the original dials, its copy does not.
    """
    copied = Line(tmp_path / "copied", line.log)
    shutil.copytree(line.folder, copied.folder)

    line.dial_all()
    calls = copied.dial_all()

    assert [Disposition.EXPIRED] * CALLS == [call.disposition for call in calls[:CALLS]]
    assert CALLS + 2 == line.rung().total()


def test_a_folder_that_was_moved_dials_on(line: Line, tmp_path: Path) -> None:
    """
    `mv` within a file system keeps the file, and there is no second one.
    """
    moved = Line(tmp_path / "moved", line.log)
    line.folder.rename(moved.folder)

    calls = moved.dial_all()

    assert {Status.COMPLETED} == {call.status for call in calls}
    assert CALLS + 1 == line.rung().total()


def test_a_restart_gives_nothing_up(line: Line) -> None:
    """
    Whether nothing was dialled yet or much was.
    """
    line.dial_all()
    ask(line)

    calls = line.dial_all()

    assert {Status.COMPLETED} == {call.status for call in calls}
    assert 2 * CALLS + 2 == line.rung().total() == len(calls)


def test_nothing_is_dialled_that_cannot_be_written_down(line: Line) -> None:
    """
    Dialling does not start.
    """
    witness = line.database.with_name("outdial.db.dialled")
    witness.unlink()
    witness.mkdir()

    with pytest.raises(StorageError, match="can't be read"):
        line.dial_all()
    assert not line.rung()


def test_a_call_that_cannot_be_written_down_is_not_placed(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It surely did not ring, and says so.
    """
    written = FileWitness.write

    def broken(witness: FileWitness, place: DiallingPlace) -> None:
        if place.dials:
            raise StorageError("The disk failed.")
        written(witness, place)

    monkeypatch.setattr(FileWitness, "write", broken)

    calls = line.dial_all()

    assert not line.rung()
    assert {Disposition.CARRIER_ERROR} == {call.disposition for call in calls}
