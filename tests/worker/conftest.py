"""
Logs are kept from the terminal: rendering tracebacks takes longer than the tests.
"""

from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from structlog.testing import capture_logs


@pytest.fixture(autouse=True)
def logs() -> Iterator[list[MutableMapping[str, Any]]]:
    """
    What was logged, an entry each.
    """
    with capture_logs() as entries:
        yield entries
