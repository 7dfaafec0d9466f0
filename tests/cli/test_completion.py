"""
`outdial completion`: what the Tab key is answered.
"""

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.cli.commands import CommandLine

PROGRAM: Final = f"#!{sys.executable}\nfrom outdial.entrypoints.cli import main\nmain()\n"

ASK: Final = """
COMP_WORDS=({words}) COMP_CWORD={place} COMPREPLY=()
_outdial_completion outdial
printf '%s\\n' "${{COMPREPLY[@]}}"
"""
"""What bash does itself when somebody presses the key behind `words`."""

FOUND: Final = {
    ("outdial", "comp"): "completion",
    ("outdial", "calls", "h"): "hang-up",
    ("outdial", "completion", "z"): "zsh",
    ("outdial", "calls", "list", "--stat"): "--status",
}


@pytest.mark.bash
def test_bash_completes_what_was_begun(tmp_path: Path) -> None:
    """
    Commands, their commands, values and options, by the script that is printed.
    """
    program = tmp_path / "outdial"
    program.write_text(PROGRAM)
    program.chmod(0o755)
    asked = [ASK.format(words=" ".join(words), place=len(words) - 1) for words in FOUND]

    ended = subprocess.run(
        ["bash", "--norc", "-c", "".join(['eval "$(outdial completion bash)"\ncomplete -p outdial\n', *asked])],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )

    registered, *completed = ended.stdout.splitlines()
    assert registered.endswith("-F _outdial_completion outdial")
    assert list(FOUND.values()) == completed


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_each_shell_gets_its_script(line: CommandLine, shell: str) -> None:
    """
    As it stands, or in JSON; no database is needed.
    """
    printed = line.ask("completion", shell)
    shown = line.run("completion", shell).out

    assert shell == printed["shell"]
    assert f"_OUTDIAL_COMPLETE={shell}_complete" in printed["script"]
    assert printed["script"].strip() == shown.strip()
    assert not line.database.exists()
