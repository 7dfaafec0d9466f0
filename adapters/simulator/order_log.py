"""
What the simulated network itself knows of its orders: a file that several processes add to and none of them changes.
"""

import json
import os
from datetime import datetime
from pathlib import Path

import attrs

from outdial.ports.carrier import DialOrder


@attrs.frozen
class OrderLog:
    """
    One JSON line for each order that rings, kept as a real network keeps its call records.
    """

    _path: Path

    def check(self) -> None:
        """
        Make the file if need be.

        Raises:
            OSError: It can't be written.
        """
        os.close(self._open())

    def append(self, order: DialOrder, at: datetime) -> None:
        """
        Add an order's line; it is on the disk when this returns.

        Raises:
            OSError: It is not; part of it may be.
        """
        line = {
            "attempt_id": order.attempt_id,
            "callee": order.callee.e164,
            "caller_id": order.caller_id.e164,
            "time": at.isoformat(timespec="microseconds"),
        }
        text = f"{json.dumps(line)}\n".encode()
        descriptor = self._open()
        try:
            # One write in append mode, so that lines of several processes never run into each other.
            if os.write(descriptor, text) < len(text):
                raise OSError("The line is not complete.")
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
