"""
Running a program that speaks: bounded in time, in output, and gone afterwards.
"""

import asyncio
import os
import re
import signal
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

import attrs

OUTPUT_BYTES_KEPT: Final = 4096
LINE_CHARACTERS_MAX: Final = 200
_READ_BYTES: Final = 65_536
"""As much as a pipe holds (Linux, pipe(7)), so that one read takes what an ended program left in it."""

_SECRETS_PREFIX: Final = "OUTDIAL_"
"""Our own settings hold passwords; a voice needs none of them."""


@attrs.frozen(kw_only=True)
class Finished:
    """
    How a program ended.

    Attributes:
        exit_code: 0 is good; the negated number of the signal that ended it.

        last_line: The last line it printed, at most 200 characters; empty if it printed none.
    """

    exit_code: int
    last_line: str


class _Output:
    """
    Takes whatever a program prints and keeps its end.

    The pipe is ours and not asyncio's, so that a program has ended when it ends, even if it leaves a process behind
    that holds the pipe open.
    """

    def __init__(self) -> None:
        self._reading, self.writing = os.pipe()
        os.set_blocking(self._reading, False)
        self._kept = b""
        self._loop = asyncio.get_running_loop()
        self._loop.add_reader(self._reading, self._read)

    def _read(self) -> None:
        try:
            printed = os.read(self._reading, _READ_BYTES)
        except BlockingIOError:
            return
        if not printed:
            self._loop.remove_reader(self._reading)
        self._kept = (self._kept + printed)[-OUTPUT_BYTES_KEPT:]

    def last_line(self) -> str:
        self._read()
        lines = self._kept.decode(errors="replace").split("\n")
        printable = (re.sub(r"[^ -~\u00a0-\uffff]+", " ", line).strip() for line in reversed(lines))
        return next(filter(None, printable), "")[:LINE_CHARACTERS_MAX]

    def close(self) -> None:
        self._loop.remove_reader(self._reading)
        os.close(self._reading)


async def run(arguments: Sequence[str]) -> Finished:
    """
    Run a program to its end; if this is cancelled, end it and the processes it started.

    Raises:
        OSError: It could not be started.
    """
    output = _Output()
    try:
        try:
            process = await asyncio.create_subprocess_exec(
                *arguments,
                stdin=DEVNULL,
                stdout=output.writing,
                stderr=output.writing,
                env={name: value for name, value in os.environ.items() if not name.startswith(_SECRETS_PREFIX)},
                start_new_session=True,
            )
        finally:
            os.close(output.writing)
        return Finished(exit_code=await _wait(process), last_line=output.last_line())
    finally:
        output.close()


async def _wait(process: Process) -> int:
    try:
        return await process.wait()
    finally:
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
