"""
The interface that shows the document.
"""

from tests.http.conftest import api

__all__ = ["api"]
