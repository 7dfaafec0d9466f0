"""
What the README shows works as it is shown.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import Final

README: Final = (Path(__file__).parents[2] / "README.md").read_text()


def blocks(language: str) -> list[str]:
    """
    Return the README's code blocks of a language.
    """
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def test_the_library_example_runs(tmp_path: Path) -> None:
    """
    The Python example dials a simulated phone and prints how the call ended.
    """
    (example,) = blocks("python")
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
    makefile = (Path(__file__).parents[2] / "Makefile").read_text()
    first = blocks("sh")[0]

    commands = [line.split("#")[0].strip() for line in first.splitlines()]
    assert ["make run", "make test"] == commands
    assert all(f"\n{command.split()[1]}:" in makefile for command in commands)
