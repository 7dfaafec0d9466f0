"""
Running commands: in this process, or as a program of its own that a test ends.
"""

import contextlib
import json
import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, Any, Final

import attrs
from click.testing import CliRunner

from outdial.entrypoints.cli import main

PROGRAM: Final = (
    sys.executable,
    "-c",
    (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        "from outdial.entrypoints.cli import main; main()"
    ),
)
"""Hears SIGINT also where the tests run in the background, whose programs are started deaf to it."""

PATIENCE_S: Final = 30.0


@attrs.frozen(kw_only=True)
class Outcome:
    """
    What a command printed, and its exit code.
    """

    exit_code: int
    out: str
    err: str

    @property
    def body(self) -> Any:
        """
        Standard output as the one JSON object that it must be.
        """
        assert self.out.count("\n") == 1
        return json.loads(self.out)


class CommandLine:
    """
    `outdial` in a folder and environment of its own.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.database = folder / "outdial.db"
        self.variables = {"OUTDIAL_DATABASE": f"sqlite:///{self.database}", "OUTDIAL_SIMULATOR_TIME_SCALE": "0.05"}

    def run(self, *words: str, **variables: str) -> Outcome:
        """
        Run a command in this process.
        """
        result = CliRunner().invoke(main, words, env={**self.variables, **variables})
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Outcome(exit_code=result.exit_code, out=result.stdout, err=result.stderr)

    def ask(self, *words: str, **variables: str) -> Any:
        """
        Run a command that has to succeed and return its JSON.
        """
        outcome = self.run(*words, "--json", **variables)
        assert outcome.exit_code == 0, outcome
        return outcome.body

    @contextlib.contextmanager
    def running(self, *words: str, **variables: str) -> Iterator["Running"]:
        """
        Run a command as a program, which does not outlive the block.
        """
        kept = {name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")}
        process = subprocess.Popen(
            [*PROGRAM, *words],
            cwd=self.folder,
            env={**kept, **self.variables, **variables},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        running = Running(process)
        try:
            yield running
        finally:
            running.kill()


class Running:
    """
    A program that runs.
    """

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self._lines: queue.Queue[str] = queue.Queue()
        self._texts: dict[str, list[str]] = {"out": [], "err": []}
        self._readers = [
            threading.Thread(target=self._read, args=(name, stream), daemon=True)
            for name, stream in (("out", process.stdout), ("err", process.stderr))
        ]
        for reader in self._readers:
            reader.start()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """
        Return the first match of a pattern in a line that it prints.
        """
        while True:
            try:
                line = self._lines.get(timeout=PATIENCE_S)
            except queue.Empty:
                raise AssertionError(f"{pattern!r} was not printed: {self._texts}") from None
            if found := re.search(pattern, line):
                return found

    def tell(self, number: signal.Signals = signal.SIGTERM) -> None:
        """
        Send a signal.
        """
        self._process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM) -> Outcome:
        """
        Send a signal and return how the program ended.
        """
        self.tell(number)
        return self.outcome()

    def outcome(self) -> Outcome:
        """
        Return how the program ended by itself.
        """
        exit_code = self._process.wait(PATIENCE_S)
        for reader in self._readers:
            reader.join(PATIENCE_S)
        return Outcome(exit_code=exit_code, out="".join(self._texts["out"]), err="".join(self._texts["err"]))

    def kill(self) -> None:
        """
        Make sure that it runs no longer.
        """
        self._process.kill()
        self.outcome()
        for stream in (self._process.stdout, self._process.stderr):
            if stream is not None:
                stream.close()

    def _read(self, name: str, stream: IO[str]) -> None:
        for line in stream:
            self._texts[name].append(line)
            self._lines.put(line)


def free_port() -> int:
    """
    Return a port that nobody listens on now.
    """
    with socket.create_server(("127.0.0.1", 0)) as found:
        port: int = found.getsockname()[1]
        return port


def furnish(line: CommandLine, **agent: str) -> Mapping[str, Any]:
    """
    Make an account with money, a key and an agent; return what the commands answered, by kind.
    """
    account = line.ask("account", "create", "Clinic", "--balance", "25.00")
    owner = ("--account", str(account["account_id"]))
    options = {"--name": "Scheduler", "--greeting": "Hello {{name|there}}.", "--phone-number": "+15555550100", **agent}
    words = [word for option in options.items() for word in option]
    permissions = ("--permission", "can_initiate_calls", "--permission", "can_read_calls")
    return {
        "account": account,
        "key": line.ask("key", "create", *owner, *permissions),
        "agent": line.ask("agent", "create", *owner, *words),
    }
