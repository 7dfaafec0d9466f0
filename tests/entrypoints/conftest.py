"""
What the ways to ask leave behind in a process.
"""

import logging
from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture
def logging_as_before() -> Iterator[None]:
    """
    Undo what the command line sets up for its process.
    """
    loggers = [logging.getLogger(name) for name in ("root", "uvicorn", "mcp")]
    handlers, levels = loggers[0].handlers[:], [logger.level for logger in loggers]
    yield
    loggers[0].handlers[:] = handlers
    for logger, level in zip(loggers, levels, strict=True):
        logger.setLevel(level)
    structlog.reset_defaults()
