"""
The Model Context Protocol needs a package that not everybody has: the extra `mcp`.
"""

from importlib.util import find_spec

from outdial.ports.errors import OutdialError


class McpMissingError(OutdialError):
    """
    The extra `mcp` is not installed; nothing was started.
    """


def need_mcp() -> None:
    """
    Go on where the protocol can be spoken.

    Raises:
        McpMissingError: Says what to install.
    """
    if find_spec("mcp") is None:
        raise McpMissingError("The Model Context Protocol needs the extra `mcp`: pip install 'outdial[mcp]'.")
