"""
`tests/programs.sh`: what tests start is installed where it may be, and missed in words where it may not.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import attrs
import pytest

SCRIPT: Final = Path(__file__).parents[1] / "programs.sh"
PROGRAMS: Final = ("sipp", "baresip", "flite", "sox", "openssl", "chromium", "redis-server")
PACKAGES: Final = "sip-tester baresip-core flite sox openssl chromium redis-server"


@attrs.frozen
class Machine:
    """
    A machine that has a shell and what a test puts there.
    """

    folder: Path

    def has(self, program: str, script: str = "") -> None:
        """
        Install a program.
        """
        path = self.folder / program
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)

    def run(self, *words: str, **variables: str) -> "subprocess.CompletedProcess[str]":
        """
        Run the script.
        """
        return subprocess.run(
            ["/bin/sh", SCRIPT, *words],
            env={"PATH": str(self.folder), **variables},
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    """
    A machine of root's, without apt-get.
    """
    for tool in ("grep", "tail", "touch", "chmod", "sh"):
        found = shutil.which(tool)
        assert found is not None
        (tmp_path / tool).symlink_to(found)
    bare = Machine(tmp_path)
    bare.has("id", "echo 0")
    return bare


def test_nothing_is_said_when_nothing_is_missing(machine: Machine) -> None:
    """
    apt-get is left alone then.
    """
    for program in PROGRAMS:
        machine.has(program)
    machine.has("apt-get", "exit 1")

    ran = machine.run(CI="true")

    assert (0, "", "") == (ran.returncode, ran.stdout, ran.stderr)


@pytest.mark.parametrize(("variables", "code"), [({}, 0), ({"CI": "true"}, 1)])
def test_what_cannot_be_installed_is_told_and_fails_in_ci(
    machine: Machine, variables: dict[str, str], code: int
) -> None:
    """
    Each package by its name, and how to get it.
    """
    ran = machine.run(**variables)

    assert (code, "") == (ran.returncode, ran.stdout)
    assert f"Not installed: {PACKAGES} (apt-get installs them as root: apt-get install {PACKAGES})" in ran.stderr


def test_apt_gets_last_error_is_told(machine: Machine) -> None:
    """
    Its own words say what to do about it.
    """
    machine.has("apt-get", "echo 'Reading'; echo 'E: First'; echo 'E: Unable to locate package flite' >&2; exit 100")

    ran = machine.run()

    assert "(apt-get says: E: Unable to locate package flite)" in ran.stderr
    assert "First" not in ran.stderr


def test_programs_that_are_still_missing_afterwards_are_told(machine: Machine) -> None:
    """
    An apt-get that ends well proves nothing.
    """
    for program in PROGRAMS[1:]:
        machine.has(program)
    machine.has("apt-get", "echo Done.")

    ran = machine.run(CI="true")

    assert 1 == ran.returncode
    assert "Not installed: sip-tester (apt-get says: Done.)" in ran.stderr


def test_missing_programs_are_installed(machine: Machine) -> None:
    """
    As root, by apt-get; then there is nothing to say.
    """
    made = " ".join(str(machine.folder / program) for program in PROGRAMS)
    machine.has("apt-get", f"touch {made}; chmod 755 {made}")

    ran = machine.run(CI="true")

    assert (0, "", "") == (ran.returncode, ran.stdout, ran.stderr)


def test_looking_installs_nothing(machine: Machine) -> None:
    """
    At the end of `make test` it only says once more what could not run.
    """
    machine.has("apt-get", f"touch {machine.folder / 'called'}")

    ran = machine.run("look")

    assert 0 == ran.returncode
    assert PACKAGES in ran.stderr
    assert not (machine.folder / "called").exists()
