"""
Free ports for the programs of a test.
"""

import itertools
import os
import socket

_FIRST, _LAST = 40_000, 60_000
_turn = itertools.count(_FIRST + (os.getpid() * 502) % (_LAST - _FIRST))


def free_port(*, neighbours: int = 2) -> int:
    """
    Return an even port that is free for UDP and TCP on loopback, and so are those after it; never the same twice.
    """
    while True:
        port = _FIRST + (next(_turn) * 4 - _FIRST) % (_LAST - _FIRST)
        if all(_is_free(port + offset, kind) for offset in range(neighbours) for kind in _KINDS):
            return port


_KINDS = (socket.SOCK_DGRAM, socket.SOCK_STREAM)


def _is_free(port: int, kind: socket.SocketKind) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
