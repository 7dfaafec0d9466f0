"""
The command line, as its own tests have it.
"""

from tests.cli.conftest import line, logging_as_before

__all__ = ["line", "logging_as_before"]
