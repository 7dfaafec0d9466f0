"""
The nursery of services under test: `python -m tests.crash.service_process` forks one for each line that it reads.

A line is a JSON object with `variables` and `output`, answered by the process's number. What is forked is the real
`outdial serve`, around whose ports stand failpoints, with the test's carrier, and with waiting times of a second where
real ones are minutes. Imported once, it is up in a tenth of the time.
"""

import json
import os
import resource
import signal
import sqlite3
import sys
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any, Final

import attrs

from outdial.adapters.sqlite import connection
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.adapters.system.clock import SystemClock
from outdial.domain.model import delivery as delivery_model
from outdial.domain.model import patience
from outdial.domain.service import delivery, reconciliation
from outdial.entrypoints import cli, composition
from outdial.entrypoints.http import server
from outdial.entrypoints.http.app import create_app
from outdial.entrypoints.settings import Settings
from outdial.entrypoints.worker import answer_gate, attempt, look_up, pulse, reconciler
from tests.crash import mistakes
from tests.crash.failpoints import FailingSender, FailingStorage, Failpoints, failing_answers
from tests.crash.network_carrier import NetworkCarrier
from tests.crash.witnesses import FRAME_BYTES

CARRIER_PORT: Final = "OUTDIAL_CRASH_CARRIER_PORT"
CLOCK: Final = "OUTDIAL_CRASH_CLOCK"
MISTAKE: Final = "OUTDIAL_CRASH_MISTAKE"
PAGES_LEFT: Final = "OUTDIAL_CRASH_PAGES_LEFT"
"""By how many pages a SQLite file may grow until the disk is full."""

FRAMES_LEFT: Final = "OUTDIAL_CRASH_FRAMES_LEFT"
"""How many frames SQLite may write to its log until the disk is full."""

BUSY: Final = "OUTDIAL_CRASH_BUSY_S"
BUSY_S: Final = 0.2
"""How long SQLite waits for a lock instead of 5 s: 1.5 s of a locked database are here what 30 s are in earnest."""

SHORT: Final[tuple[tuple[ModuleType, str, Any], ...]] = (
    (answer_gate, "SURE_FOR_S", 1.5),
    (attempt, "GRACE_S", 0.2),
    (attempt, "HANG_UP_TIMEOUT_S", 0.3),
    (pulse, "SILENT_S", 3.0),
    (pulse, "GAP_S", 1.5),
    (pulse, "BEAT_S", 0.5),
    (reconciler, "INTERVAL_S", 0.3),
    (reconciler, "LOOK_UP_INTERVAL_S", 0.2),
    (look_up, "FIRST_PAUSE_S", 0.1),
    (patience, "FIRST_PAUSE_S", 0.2),
    (patience, "GRACE_S", 0.5),
    (reconciliation, "SLACK_S", 1),
    (delivery, "LOST_AFTER_S", 2),
    (delivery_model, "RETRY_DELAYS_S", (0.1,) * len(delivery_model.RETRY_DELAYS_S)),
)
"""Waiting times that schedules have no time for."""

OPEN_WRITER: Final = connection.open_writer
JUMP: Final = timedelta(hours=1)


AHEAD: Final = "0:2"
"""A clock that stays two hours ahead: whatever waits for a time is due."""


@attrs.define
class JumpingClock:
    """
    A wall clock that is set.

    Attributes:
        at: After how many looks it is set.

        hours: By how much it is set then, for good; `None` for a clock that is set an hour back, right, and an hour
            ahead, in turn, every so many looks.
    """

    at: int
    hours: int | None
    _clock: SystemClock = attrs.field(factory=SystemClock)
    _looks: int = 0

    @classmethod
    def of_words(cls, words: str) -> "JumpingClock":
        """
        Read `looks` or `looks:hours`.
        """
        at, _colon, hours = words.partition(":")
        return cls(int(at), int(hours) if hours else None)

    def now(self) -> datetime:
        """
        Return some time, aware, in UTC.
        """
        self._looks += 1
        if self.hours is None:
            return self._clock.now() + (self._looks // self.at % 3 - 1) * JUMP
        return self._clock.now() + (self.hours if self._looks > self.at else 0) * JUMP


def replace(module: ModuleType, name: str, value: Any) -> None:
    """
    Put something else in the place of what a module names.
    """
    assert hasattr(module, name), name
    setattr(module, name, value)


def prepare() -> None:
    """
    Put failpoints around the service's ports, by the variables of this process.
    """
    failpoints = Failpoints.of_process()
    storage, sender, app = composition.storage, composition.webhook_sender, create_app
    carrier = NetworkCarrier(int(os.environ[CARRIER_PORT]), failpoints)
    replace(composition, "storage", lambda settings: FailingStorage(storage(settings), failpoints))
    replace(composition, "webhook_sender", lambda settings: FailingSender(sender(settings), failpoints))
    replace(composition, "carrier", lambda _settings: carrier)
    replace(server, "create_app", lambda dialer: failing_answers(app(dialer), failpoints))
    jumps = os.environ.get(CLOCK)
    if jumps:
        clock = JumpingClock.of_words(jumps)
        replace(composition, "clock", lambda: clock)
    for module, name, value in SHORT:
        replace(module, name, value)
    replace(composition, "SqliteStorage", partial(SqliteStorage, busy_timeout_s=float(os.environ.get(BUSY, BUSY_S))))
    if os.environ.get(PAGES_LEFT):
        replace(connection, "open_writer", partial(_open_on_a_full_disk, pages_left=int(os.environ[PAGES_LEFT])))
    if os.environ.get(FRAMES_LEFT):
        replace(connection, "open_writer", _open_with_a_short_log)
    if os.environ.get(MISTAKE):
        mistakes.MISTAKES[os.environ[MISTAKE]](carrier)


def _open_on_a_full_disk(path: Path, *, busy_timeout_s: float, pages_left: int) -> sqlite3.Connection:
    opened = OPEN_WRITER(path, busy_timeout_s=busy_timeout_s)
    ((pages,),) = opened.execute("pragma page_count").fetchall()
    opened.execute(f"pragma max_page_count = {pages + pages_left}").fetchall()
    return opened


def _open_with_a_short_log(path: Path, *, busy_timeout_s: float) -> sqlite3.Connection:
    """
    Open a file, at first with files ending soon for this process; the log is the longest that it writes to.
    """
    opened = OPEN_WRITER(path, busy_timeout_s=busy_timeout_s)
    frames_left = os.environ.pop(FRAMES_LEFT, "")
    if frames_left:
        bytes_max = Path(f"{path}-wal").stat().st_size + int(frames_left) * FRAME_BYTES
        resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_max, resource.RLIM_INFINITY))
    return opened


def _serve(variables: dict[str, str], output: str) -> None:
    os.environ.update(variables)
    descriptor = os.open(output, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for standard, given in ((0, nothing), (1, descriptor), (2, descriptor)):
        os.dup2(given, standard)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    prepare()
    cli.main(["serve", "--json"])


def _nurse() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system buries whoever dies
    for line in sys.stdin:
        wanted = json.loads(line)
        number = os.fork()
        if number == 0:
            try:
                _serve(wanted["variables"], wanted["output"])
            finally:
                os._exit(1)
        sys.stdout.write(f"{number}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    assert Path("tests/crash").is_dir(), "Run it from the root of the repository."
    assert Settings()
    _nurse()
