"""
A Redis for those who need one.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest

from outdial.adapters.rate_limits import shared
from tests.rate_limits.redis_server import RedisServer


@pytest.fixture
def redis(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[RedisServer]:
    """
    A Redis that runs, and is waited for on a machine that is busy with other tests.
    """
    monkeypatch.setattr(shared, "WITHIN_S", 5.0)
    server = RedisServer(tmp_path)
    server.start()
    yield server
    server.stop()
