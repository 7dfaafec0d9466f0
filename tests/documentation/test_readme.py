"""
What the README shows works as it is shown.
"""

import asyncio
import json
import re
import subprocess
import sys
import time
import tomllib
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.documentation.examples import ROOT, blocks, clean_environment, section
from tests.endtoend.sound import recording
from tests.telephony.ports import free_port
from tests.telephony.sipp import sipp

README: Final = (ROOT / "README.md").read_text()
TRUNK: Final = "sip:trunk.example.com:5060;transport=udp"
BIND: Final = "192.0.2.10:5062"
PATIENCE_S: Final = 40


def test_the_library_example_runs(tmp_path: Path) -> None:
    """
    The Python example dials a simulated phone and prints how the call ended.
    """
    (example,) = blocks(README, "python")
    script = tmp_path / "example.py"
    script.write_text(example)

    ran = subprocess.run(
        [sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )

    assert "completed hang_up_agent Hello Ada." in ran.stdout, ran.stderr


def test_the_two_commands_stand_first() -> None:
    """
    The first thing to copy is `make run`, then `make test`; the Makefile has both.
    """
    makefile = (ROOT / "Makefile").read_text()
    first = blocks(README, "sh")[0]

    commands = [line.split("#")[0].strip() for line in first.splitlines()]
    assert ["make run", "make test"] == commands
    assert all(f"\n{command.split()[1]}:" in makefile for command in commands)


@pytest.mark.sip
def test_the_commands_for_a_trunk_make_a_phone_ring(tmp_path: Path) -> None:
    """
    Copied one after the other they set up and serve; then the curl command of the README makes SIPp's phone ring.
    """
    _make_environment(tmp_path)
    (curl,) = blocks(section("README.md", "One call"), "sh")

    async def scenario() -> None:
        async with asyncio.timeout(100), sipp("many", tmp_path, timeout_s=PATIENCE_S) as callee:
            with _served(tmp_path, callee.port) as (url, key):
                asked = await asyncio.to_thread(_printed_by, curl.replace("http://127.0.0.1:8080", url), tmp_path, key)
                await callee.finish(PATIENCE_S)

        assert "queued" == json.loads(asked)["status"]
        (invite, *_repeated) = callee.received("INVITE")
        assert "sip:+15551234567@" in invite
        assert "sip:+15550001111@" in invite

    asyncio.run(scenario())
    assert "install -e .[sip]\n" == (tmp_path / "pip.log").read_text()
    assert "sip" in tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]


def _make_environment(folder: Path) -> None:
    """
    Put this environment's program where the README looks for it, and a pip that only notes what it is asked.
    """
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    (programs / "outdial").symlink_to(Path(sys.executable).with_name("outdial"))
    pip = programs / "pip"
    pip.write_text('#!/bin/sh\necho "$@" >> pip.log\n')
    pip.chmod(0o755)


@contextmanager
def _served(folder: Path, trunk_port: int) -> Iterator[tuple[str, str]]:
    """
    Run the section's commands, whose last one serves until the block ends; yield its URL and the key that was printed.
    """
    commands = "".join(blocks(section("README.md", "Point it at a SIP trunk"), "sh"))
    assert commands.endswith("\n.venv/bin/outdial serve\n")
    for example, ours in (
        (TRUNK, f"sip:127.0.0.1:{trunk_port};transport=udp"),
        (BIND, f"127.0.0.1:{free_port()}"),
        ("\n.venv/bin/outdial serve", "\nexec .venv/bin/outdial serve"),  # so that it has the pid that is ended
    ):
        assert 1 == commands.count(example)
        commands = commands.replace(example, ours)
    port = free_port()
    machine = {"OUTDIAL_PORT": str(port), "OUTDIAL_SPEECH_FILE": recording(folder, 0.3)}
    log = folder / "commands.log"
    with (
        log.open("wb") as output,
        subprocess.Popen(
            ["bash", "-e", "-c", commands],
            cwd=folder,
            env={**clean_environment(), **machine},
            stdout=output,
            stderr=subprocess.STDOUT,
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait_until_ready(url, process, log)
            (key,) = re.findall(r"od_live_\w+", log.read_text())
            yield url, key
        finally:
            process.terminate()
            process.wait(PATIENCE_S)
    assert 0 == process.returncode, log.read_text()


def _wait_until_ready(url: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline_s = time.monotonic() + PATIENCE_S
    while True:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline_s, log.read_text()
        try:
            with urllib.request.urlopen(f"{url}/readyz", timeout=5):  # noqa: S310 - the test's own server
                return
        except (urllib.error.URLError, ConnectionError):
            time.sleep(0.1)


def _printed_by(command: str, folder: Path, key: str) -> str:
    environment = {**clean_environment(), "OUTDIAL_API_KEY": key}
    ran = subprocess.run(
        ["bash", "-e", "-c", command],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=True,
    )
    return ran.stdout
