"""
Logs are kept from the terminal, and can be looked at.
"""

from tests.worker.conftest import logs

__all__ = ["logs"]
