"""
SQLite: one process dials from a file.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from outdial.adapters.sqlite.lock import DiallingLock
from outdial.adapters.sqlite.schema import migrate
from outdial.ports.errors import StorageError
from tests.contract.storage.database import FILE_NAME

ROOT = Path(__file__).resolve().parents[3]


def test_one_process_dials(path: Path) -> None:
    """
    A second dialler is refused until the first has stopped, and releasing may be repeated.
    """
    first, second = DiallingLock(path), DiallingLock(path)
    first.acquire()

    for lock in (first, second):
        with pytest.raises(StorageError, match=r"outdial\.db\.lock"):
            lock.acquire()
    first.release()
    first.release()
    second.acquire()
    second.release()


def test_one_process_dials_whatever_the_file_is_called(path: Path, tmp_path: Path) -> None:
    """
    A link to the file, or to its folder, is no way round the lock.
    """
    migrate(path)
    to_file, to_folder = tmp_path / "link.db", tmp_path / "folder"
    to_file.symlink_to(path)
    to_folder.symlink_to(tmp_path, target_is_directory=True)
    first = DiallingLock(path)
    first.acquire()

    for other in (to_file, to_folder / FILE_NAME):
        with pytest.raises(StorageError, match="Another outdial process dials"):
            DiallingLock(other).acquire()

    first.release()
    assert [f"{FILE_NAME}.lock"] == [lock.name for lock in tmp_path.glob("*.lock")]


def test_looking_at_the_lock_neither_makes_nor_takes_it(path: Path) -> None:
    """
    It is held from acquiring to releasing, in the eyes of the holder and of others.
    """
    lock, other = DiallingLock(path), DiallingLock(path)

    before = lock.is_held()
    is_made = any(path.parent.iterdir())
    lock.acquire()
    meanwhile = (lock.is_held(), other.is_held())
    lock.release()

    assert (False, False, (True, True), False) == (before, is_made, meanwhile, other.is_held())


def test_a_lock_that_can_not_be_opened_says_so(tmp_path: Path) -> None:
    """
    A missing folder, or a file where the folder should be, is answered with a sentence.
    """
    file = tmp_path / "file"
    file.touch()

    with pytest.raises(StorageError, match="can't be opened"):
        DiallingLock(tmp_path / "missing" / FILE_NAME).acquire()
    with pytest.raises(StorageError, match="can't be opened"):
        DiallingLock(file / FILE_NAME).is_held()


def test_a_killed_dialler_frees_its_lock(path: Path) -> None:
    """
    The lock of a process that died is free.
    """
    script = (
        "import sys, pathlib; from outdial.adapters.sqlite.lock import DiallingLock;"
        "DiallingLock(pathlib.Path(sys.argv[1])).acquire(); print('locked', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        with pytest.raises(StorageError):
            DiallingLock(path).acquire()
        child.kill()

    lock = DiallingLock(path)
    lock.acquire()
    lock.release()
