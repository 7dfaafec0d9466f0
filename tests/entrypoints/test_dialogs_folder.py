"""
Where calls that talk are remembered, whatever the database is.
"""

from pathlib import Path
from typing import Final

import pytest

from outdial.entrypoints.composition import database_path
from outdial.entrypoints.dialogs_folder import dialogs_folder
from outdial.entrypoints.settings import read_settings

SERVER: Final = "postgresql://outdial:{}@db/{}"


def _folder(**variables: str) -> Path:
    settings = read_settings({f"OUTDIAL_{name}": value for name, value in variables.items()})
    return dialogs_folder(settings, database_path(settings))


def test_it_is_where_the_operator_wants_it() -> None:
    """
    The setting counts first.
    """
    assert Path("/srv/dialogs") == _folder(SIP_DIALOGS="/srv/dialogs", DATABASE="sqlite:///data/outdial.db")


def test_it_is_beside_a_file() -> None:
    """
    A backup of the folder has both.
    """
    assert Path("/data/outdial.db-dialogs") == _folder(DATABASE="sqlite:////data/outdial.db")


def test_each_database_on_a_server_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A new password makes no new one: what was remembered stays so.
    """
    monkeypatch.setenv("HOME", "/home/caller")

    first, other = _folder(DATABASE=SERVER.format("one", "first")), _folder(DATABASE=SERVER.format("one", "other"))

    assert Path("/home/caller/.local/state/outdial") == first.parent == other.parent
    assert first == _folder(DATABASE=SERVER.format("two", "first")) != other


def test_who_has_no_home_has_a_folder_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    It may have to be made, and the log says so.
    """

    def homeless() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", homeless)

    assert Path("/var/lib/outdial") == _folder(DATABASE=SERVER.format("one", "first")).parent
