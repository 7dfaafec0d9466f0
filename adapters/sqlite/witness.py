"""
The witness of a database file: a small file beside it that no backup of the database brings back.
"""

import asyncio
import os
import threading
import zlib
from pathlib import Path
from typing import Final

import attrs

from outdial.ports.dialling_place import DiallingPlace
from outdial.ports.errors import StorageError

SUFFIX: Final = ".dialled"
LENGTH: Final = 92
"""Always the same, and less than a sector: it is written over in place, even on a full disk."""

_sync = getattr(os, "fdatasync", os.fsync)  # macOS has no fdatasync


@attrs.frozen(kw_only=True)
class Note:
    """
    What the file says.

    Attributes:
        inode: The database file's number, by which a folder that was copied as a whole is noticed.
    """

    name: str
    dials: int
    inode: int

    def to_bytes(self) -> bytes:
        """
        Return the file's content.
        """
        text = f"{self.name:32} {self.dials:020d} {self.inode:020d} ".encode()
        return b"outdial " + text + f"{zlib.crc32(text):08x}\n".encode()


def read_note(content: bytes) -> Note | None:
    """
    Read the file's content; `None` when it was not written whole.
    """
    try:
        _word, name, dials, inode, _check = content.decode("ascii").split()
        said = Note(name=name, dials=int(dials), inode=int(inode))
    except ValueError:
        return None
    return said if said.to_bytes() == content else None


class FileWitness:
    """
    Remembers in `DATABASE.dialled` how far a database file was dialled.

    Deleting the file has the next start take the database for a restored one.
    """

    def __init__(self, database: Path) -> None:
        # As with the lock: one file may have several names.
        self._database = database.resolve()
        self._path = self._database.with_name(self._database.name + SUFFIX)
        self._one_at_a_time = threading.Lock()
        self._noted: DiallingPlace | None = None

    @property
    def hears_of_dials(self) -> bool:
        """
        Yes: a restored file has forgotten them.
        """
        return True

    async def confirms(self, place: DiallingPlace) -> bool:
        """
        Tell whether the file knows this database, and of no dial that the database lacks.
        """
        said = await asyncio.to_thread(self._read)
        return (
            place.is_here
            and said is not None
            and (said.name, said.inode) == (place.name, self._inode())
            and said.dials <= place.dials
        )

    async def note(self, place: DiallingPlace) -> None:
        """
        Write down how far the database was dialled, unless another call's note said so already.
        """
        await asyncio.to_thread(self.write, place)

    def write(self, place: DiallingPlace) -> None:
        """
        Do what `note` does, in this thread.
        """
        with self._one_at_a_time:
            known = self._noted
            if known is not None and known.name == place.name and known.dials >= place.dials:
                return
            note = Note(name=place.name, dials=place.dials, inode=self._inode())
            try:
                self._write(note.to_bytes())
            except OSError as error:
                raise StorageError(f"{self._path} can't be written: {error.strerror}. Nothing was dialled.") from error
            self._noted = place

    def _write(self, content: bytes) -> None:
        is_new = not self._path.exists()
        descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            os.pwrite(descriptor, content, 0)
            os.ftruncate(descriptor, len(content))
            _sync(descriptor)
        finally:
            os.close(descriptor)
        if is_new:
            sync_folder(self._path.parent)

    def _read(self) -> Note | None:
        try:
            return read_note(self._path.read_bytes())
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"{self._path} can't be read: {error.strerror}.") from error

    def _inode(self) -> int:
        try:
            return self._database.stat().st_ino
        except OSError as error:
            raise StorageError(f"{self._database} can't be reached: {error.strerror}.") from error


def sync_folder(folder: Path) -> None:
    """
    Have a file's name survive a power cut.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
