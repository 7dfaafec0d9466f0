"""
The interface under test.
"""

from collections.abc import Iterator

import pytest

from tests.http.api import Api


@pytest.fixture
def api() -> Iterator[Api]:
    """
    The interface over a database in memory; what is accepted stays queued.
    """
    api = Api()
    yield api
    api.close()
