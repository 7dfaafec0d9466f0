"""
A command line in an empty folder; the standard library's logging as it was before.
"""

import logging
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.commands import CommandLine


@pytest.fixture
def line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> CommandLine:
    """
    Return the command line with a database that does not exist yet.
    """
    for name in [name for name in os.environ if name.startswith("OUTDIAL_")]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    return CommandLine(tmp_path)


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """
    Undo what commands set up for their process.
    """
    loggers = [logging.getLogger(name) for name in ("root", "uvicorn", "mcp")]
    handlers, levels = loggers[0].handlers[:], [logger.level for logger in loggers]
    yield
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
