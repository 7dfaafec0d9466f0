"""
A Redis of one's own, which can be stopped and started again.
"""

import shutil
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from tests.telephony.ports import free_port

STARTING_S: Final = 10.0


class RedisServer:
    """
    `redis-server` on a free port of this machine, with nothing on disk.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"

    def start(self) -> None:
        """
        Start it and wait until it takes connections.
        """
        program = shutil.which("redis-server")
        assert program is not None
        options = ("--bind", "127.0.0.1", "--port", str(self.port), "--save", "", "--appendonly", "no")
        self._process = subprocess.Popen([program, *options], cwd=self._folder, stdout=subprocess.DEVNULL)
        deadline_s = time.monotonic() + STARTING_S
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
            except OSError:
                assert time.monotonic() < deadline_s
                time.sleep(0.02)
            else:
                return

    def stop(self) -> None:
        """
        End it; what it knew is lost. Idempotent.
        """
        if self._process is not None:
            self._process.kill()
            self._process.wait(10)
            self._process = None
