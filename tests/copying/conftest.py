"""
Databases for these tests, and a command line in an empty folder.
"""

from pathlib import Path

import pytest

from outdial.domain.model.lifecycle import State
from tests.cli.conftest import line, logging_as_before
from tests.contract.storage.database import furnish
from tests.copying.databases import KINDS, Place, place
from tests.service.calls import in_state

__all__ = ["line", "logging_as_before"]

STATES = (*(state for state in State if state not in {State.QUEUED, State.CANCELED}), State.QUEUED)
"""One call in each state; the queued one last, as others take what is queued on their way."""


@pytest.fixture
def source(tmp_path: Path) -> Place:
    """
    A file that holds the builders' records and a call in each state but `canceled`.
    """
    made = place("sqlite", tmp_path, "source.db")
    with made.opened() as database:
        database.transact(furnish)
        for state in STATES:
            in_state(database, state)
    return made


@pytest.fixture(params=KINDS)
def target(request: pytest.FixtureRequest, tmp_path: Path) -> Place:
    """
    An empty database of each kind.
    """
    return place(request.param, tmp_path, "target.db")
