"""
The interface under test.
"""

from collections.abc import Iterator

import pytest

from tests.http.api import Api
from tests.mcp.tools import OVER_HTTP


@pytest.fixture
def api() -> Iterator[Api]:
    """
    The interface over a database in memory, with the protocol at `/mcp`; what is accepted stays queued.
    """
    api = Api(OVER_HTTP)
    yield api
    api.close()
