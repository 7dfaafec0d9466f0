"""
Programs are run within limits and leave nothing behind, on asyncio's loop and on uvloop.
"""

import asyncio
import os
import sys
import time
from collections.abc import Callable, Coroutine
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import uvloop

from outdial.adapters.speech.program import LINE_CHARACTERS_MAX, Finished, run

Loop = Callable[[Coroutine[Any, Any, Any]], Any]

pytestmark = pytest.mark.parametrize("loop", [asyncio.run, uvloop.run], ids=["asyncio", "uvloop"])


async def python(body: str) -> Finished:
    """
    Run a few lines of Python.
    """
    return await run([sys.executable, "-S", "-c", "import os, subprocess, sys, time\n" + body])


def is_gone(pid: int) -> bool:
    """
    Whether a process ends within two seconds; a zombie has ended.
    """
    deadline = time.monotonic() + 2
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rsplit(")", 1)[1].split()[0]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state == "Z":
            return True
        time.sleep(0.01)
    return False


def open_files() -> int:
    """
    Return how many files this process has open.
    """
    return sum(1 for _ in Path("/proc/self/fd").iterdir())


def test_end_is_reported(loop: Loop) -> None:
    """The exit code and the last line of both outputs are reported."""
    finished = loop(python("print('one', flush=True)\nprint('two', file=sys.stderr)\nsys.exit(7)"))

    assert finished == Finished(exit_code=7, last_line="two")


def test_output_is_bounded(loop: Loop) -> None:
    """A program may print 30 MB: it is not blocked, and the start of its last line is kept."""
    finished = loop(python("for _ in range(300): print('x' * 99_999)\nprint('é' * 1000)"))

    assert finished == Finished(exit_code=0, last_line="é" * LINE_CHARACTERS_MAX)


def test_control_characters_are_removed(loop: Loop) -> None:
    """What a program prints can't move the cursor of whoever reads the message."""
    finished = loop(python("print('\\x1b[31mred\\x07\\r\\x00alert\\x1b[m')"))

    assert finished.last_line == "[31mred alert [m"


def test_input_is_empty(loop: Loop) -> None:
    """A program that asks for input gets none instead of waiting."""
    assert loop(python("print(repr(sys.stdin.read()))")).last_line == "''"


def test_settings_are_not_passed_on(loop: Loop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program sees the environment without our settings, which hold passwords."""
    monkeypatch.setenv("OUTDIAL_SIP_PASSWORD", "hunter2")
    monkeypatch.setenv("VOICE_KEY", "for the voice")

    finished = loop(python("print(os.environ.get('OUTDIAL_SIP_PASSWORD'), os.environ['VOICE_KEY'])"))

    assert finished.last_line == "None for the voice"


def test_cancelled_program_is_ended_with_its_children(loop: Loop, tmp_path: Path) -> None:
    """Who gives up waiting leaves neither the program nor what it started behind."""
    pids = tmp_path / "pids"
    body = f"""
child = subprocess.Popen(["sleep", "60"])
open({str(tmp_path / "new")!r}, "w").write(f"{{os.getpid()}} {{child.pid}}")
os.rename({str(tmp_path / "new")!r}, {str(pids)!r})
child.wait()
"""

    async def scenario() -> None:
        running = asyncio.create_task(python(body))
        async with asyncio.timeout(10):
            while not pids.exists():
                await asyncio.sleep(0.01)
        running.cancel()
        with suppress(asyncio.CancelledError):
            await running

    loop(scenario())

    assert [True, True] == [is_gone(int(pid)) for pid in pids.read_text().split()]


def test_leftover_process_is_not_waited_for(loop: Loop, tmp_path: Path) -> None:
    """A program that leaves a process holding its output open has ended when it ends."""
    pid = tmp_path / "pid"
    body = f"""
child = subprocess.Popen(["sleep", "60"], start_new_session=True)
open({str(pid)!r}, "w").write(str(child.pid))
print("done")
"""

    started = time.monotonic()
    finished = loop(python(body))
    took_s = time.monotonic() - started
    os.kill(int(pid.read_text()), 9)

    assert finished == Finished(exit_code=0, last_line="done")
    assert took_s < 10


def test_leftover_process_may_print_for_ever(loop: Loop, tmp_path: Path) -> None:
    """A process left behind that prints without end can't keep us reading."""
    pid = tmp_path / "pid"
    body = f"""
child = subprocess.Popen(["yes", "more"], start_new_session=True)
open({str(pid)!r}, "w").write(str(child.pid))
"""

    finished = loop(python(body))
    gone = is_gone(int(pid.read_text()))

    assert finished.exit_code == 0
    assert gone  # by SIGPIPE: nobody reads any more


def test_missing_program_is_an_error(loop: Loop) -> None:
    """A program that is not there is the system's error; no file stays open."""
    before = open_files()

    with pytest.raises(FileNotFoundError):
        loop(run(["/no/such/program"]))

    assert open_files() <= before


def test_no_files_stay_open(loop: Loop) -> None:
    """Run after run, no pipe is left open."""

    async def scenario() -> tuple[int, int]:
        await python("print('warm')")
        before = open_files()
        for _ in range(5):
            await python("print('again')")
        return before, open_files()

    before, after = loop(scenario())

    assert after <= before
