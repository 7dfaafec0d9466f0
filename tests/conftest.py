"""
How Hypothesis searches (freely at a desk, alike each time in CI), and what is done without the programs tests need.
"""

import os
import shutil
from typing import Final

import pytest
import structlog
from hypothesis import settings

from tests.postgres.server import wheel_server

PROGRAMS: Final = {
    "sip": ("sipp", "openssl"),
    "heard": ("baresip", "flite"),
    "browser": ("chromium",),
    "redis": ("redis-server",),
    "bash": ("bash",),
}
"""What the tests of a mark start."""

IN_CI: Final = os.environ.get("CI") == "true"

settings.register_profile("desk", deadline=None)
settings.register_profile("ci", deadline=None, derandomize=True)
settings.load_profile("ci" if IN_CI else "desk")


@pytest.fixture(autouse=True)
def _log_as_it_comes() -> None:
    """
    Forget how tests before had logs written: the first who opens outdial in a process sets that up for good.
    """
    structlog.reset_defaults()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """
    Leave out tests whose programs are missing, and say so; in CI nothing is left out, so that they fail.
    """
    for mark, programs in PROGRAMS.items():
        missing = [program for program in programs if shutil.which(program) is None]
        if missing and not IN_CI:
            reason = f"not installed: {', '.join(missing)}"
            for item in items:
                if item.get_closest_marker(mark):
                    item.add_marker(pytest.mark.skip(reason=reason))


def pytest_sessionfinish() -> None:
    """
    Remove the shared server now: pytest-xdist kills a process that needs 10 s to exit, and what it measured is lost.
    """
    if wheel_server.cache_info().currsize:
        wheel_server().remove()
