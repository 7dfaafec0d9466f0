"""
What tests that kill start from.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.crash.rig import Nursery, nursery
from tests.postgres.databases import new_database


@pytest.fixture(scope="module")
def home() -> Iterator[Nursery]:
    """
    Where services come from.
    """
    with nursery() as opened:
        yield opened


@pytest.fixture(params=["sqlite", "postgres"])
def database(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """
    The address of an empty database, once of each kind.
    """
    return new_database() if request.param == "postgres" else f"sqlite:///{tmp_path / 'outdial.db'}"
