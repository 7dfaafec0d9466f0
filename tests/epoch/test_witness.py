"""
The file beside a database file that remembers how far it was dialled.
"""

import asyncio
import shutil
from pathlib import Path

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.witness import LENGTH, FileWitness, Note, read_note
from outdial.ports.dialling_place import DiallingPlace
from outdial.ports.errors import StorageError

PLACE = DiallingPlace(epoch=1, name="0123456789abcdef0123456789abcdef", dials=7, is_here=True)

notes = st.builds(
    Note,
    name=st.text("0123456789abcdef", min_size=32, max_size=32),
    dials=st.integers(0, 2**63 - 1),
    inode=st.integers(0, 2**64 - 1),
)


@pytest.fixture
def database(tmp_path: Path) -> Path:
    """
    A file that stands for a database.
    """
    path = tmp_path / "outdial.db"
    path.write_bytes(b"rows")
    return path


def confirms(database: Path, place: DiallingPlace) -> bool:
    """
    Ask a process that was just started.
    """
    return asyncio.run(FileWitness(database).confirms(place))


def witness_of(database: Path) -> Path:
    """
    Return the witness's file.
    """
    return database.with_name("outdial.db.dialled")


@given(notes)
def test_what_was_written_is_read(said: Note) -> None:
    """
    Always in the same length, so that nothing is ever left of an older one.
    """
    assert LENGTH == len(said.to_bytes())
    assert said == read_note(said.to_bytes())


@given(notes, notes, st.integers(1, LENGTH - 1))
def test_what_was_not_written_whole_is_no_note(old: Note, new: Note, cut: int) -> None:
    """
    A power cut may leave the beginning of one and the end of another.
    """
    torn = new.to_bytes()[:cut] + old.to_bytes()[cut:]

    assert read_note(torn) in {None, old, new}
    assert read_note(new.to_bytes()[:cut]) is None


def test_the_database_of_the_last_note_is_confirmed(database: Path) -> None:
    """
    And so is one that dialled on, and whose process died before it could note that.
    """
    asyncio.run(FileWitness(database).note(PLACE))

    assert confirms(database, PLACE)
    assert confirms(database, attrs.evolve(PLACE, dials=8))
    assert 0o600 == witness_of(database).stat().st_mode & 0o777


def test_an_older_or_another_database_is_not(database: Path) -> None:
    """
    Fewer dials than it knows of, another name, or none.
    """
    asyncio.run(FileWitness(database).note(PLACE))

    assert not confirms(database, attrs.evolve(PLACE, dials=6))
    assert not confirms(database, attrs.evolve(PLACE, name="f" * 32))
    assert not confirms(database, attrs.evolve(PLACE, name="", is_here=False))


def test_without_its_file_nothing_is_confirmed(database: Path) -> None:
    """
    Deleting it is how to say that a database was restored in a way that nobody can notice.
    """
    assert not confirms(database, PLACE)
    asyncio.run(FileWitness(database).note(PLACE))
    witness_of(database).write_bytes(b"")
    assert not confirms(database, PLACE)


def test_a_folder_copied_as_a_whole_is_noticed(database: Path, tmp_path: Path) -> None:
    """
    The copy's witness names another file.
    """
    asyncio.run(FileWitness(database).note(PLACE))
    copied = tmp_path / "copied"
    copied.mkdir()
    for file in (database, witness_of(database)):
        shutil.copy2(file, copied)

    assert not confirms(copied / database.name, PLACE)


def test_notes_of_other_calls_count_too(database: Path) -> None:
    """
    An older note that comes late does not take back a newer one.
    """
    witness = FileWitness(database)
    asyncio.run(witness.note(PLACE))
    asyncio.run(witness.note(attrs.evolve(PLACE, dials=3)))

    assert not confirms(database, attrs.evolve(PLACE, dials=6))


def test_a_link_to_the_database_has_the_same_witness(database: Path, tmp_path: Path) -> None:
    """
    A file with several names is one database.
    """
    link = tmp_path / "link.db"
    link.symlink_to(database)
    asyncio.run(FileWitness(link).note(PLACE))

    assert confirms(database, PLACE)


def test_a_witness_that_cannot_be_written_is_told(database: Path) -> None:
    """
    Nobody may dial then.
    """
    witness_of(database).mkdir()

    with pytest.raises(StorageError, match=r"outdial\.db\.dialled can't be written: .*\. Nothing was dialled\."):
        asyncio.run(FileWitness(database).note(PLACE))
    with pytest.raises(StorageError, match="can't be read"):
        confirms(database, PLACE)


def test_a_database_that_was_made_here_is_known_here(tmp_path: Path) -> None:
    """
    What was asked for before the first dial is no reason to give it up.
    """
    path = tmp_path / "outdial.db"
    migrate(path)
    first = witness_of(path).read_bytes()
    migrate(path)

    assert first == witness_of(path).read_bytes()
    assert read_note(first) is not None
