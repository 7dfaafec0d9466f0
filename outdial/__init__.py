"""
Decide, pay for and place outbound phone calls from AI agents, each at most once.
"""

from outdial.version import VERSION as __version__

__all__ = ["__version__"]
