"""
What a process was asked for by signals: to end, and to end at once.
"""

import asyncio
import os
import threading
from typing import Final

import attrs
import structlog

STOP_S: Final = 29.5
"""What is not over this long after the drain never will be; with what is left of it, a process ends within 30 s."""

EXIT_STUCK: Final = 1
"""The exit code of a process that could not end in order."""

_log = structlog.get_logger()


@attrs.frozen
class Stop:
    """
    Signals that came.

    Attributes:
        wanted: The process is to end.

        at_once: It is not to wait for calls that live.
    """

    wanted: asyncio.Event = attrs.field(factory=asyncio.Event)
    at_once: asyncio.Event = attrs.field(factory=asyncio.Event)

    def ask(self) -> None:
        """
        Take a signal: the first one asks to end, the next to end at once.
        """
        if self.wanted.is_set():
            self.at_once.set()
        self.wanted.set()


def end_within(seconds: float) -> None:
    """
    End this process after a while if it has not ended by then, whatever it waits for.

    Everything waits for a limited time already, except for what can't be given up: a thread in the hands of a disk or
    a network that does not answer. Ended like this, or by a SIGKILL, nothing that was promised is lost.
    """
    timer = threading.Timer(seconds, _give_up)
    timer.daemon = True
    timer.start()


def _give_up() -> None:
    _log.critical("not_stopped_in_order", threads=[thread.name for thread in threading.enumerate()])
    os._exit(EXIT_STUCK)
