"""
Decide, pay for and place outbound phone calls from AI agents, each at most once.
"""

from outdial.version import VERSION

__version__ = VERSION

__all__ = ["__version__"]
