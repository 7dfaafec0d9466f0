"""
The interface that is watched.
"""

from tests.http.conftest import api

__all__ = ["api"]
