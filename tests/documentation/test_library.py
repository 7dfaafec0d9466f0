"""
What the pages about the library show works as it is shown.
"""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.documentation.examples import blocks, clean_environment, section

SECTIONS = {
    ("docs/library.md", "A call, from set-up to bill"): (
        "holds wallet_covers_hold\nqueued\n",
        "completed\nhang_up_agent Hello Ada. 50000\nTrue 24950000 0\n",
    ),
    ("docs/library.md", "Refusals are values"): (
        "do_not_call - The phone number is on your Do Not Call list.\n",
        "lacks 40000 micros\n",
        "invalid_phone_number - The provided phone number is not valid.\n",
    ),
    ("docs/contacts.md", "In a Python process"): ("Hello Ada, you have the plan Basic.\n", "do_not_call\n"),
}
"""What the examples print, without the states that pass too quickly to be seen each time."""


@pytest.mark.parametrize(("document", "heading"), SECTIONS)
def test_example_runs(document: str, heading: str, tmp_path: Path) -> None:
    """
    It calls simulated phones and prints what it says.
    """
    (example,) = blocks(section(document, heading), "python")
    script = tmp_path / "example.py"
    script.write_text(example)

    ran = _run(tmp_path, str(script))

    assert 0 == ran.returncode, ran.stderr
    expected = SECTIONS[document, heading]
    assert [True] * len(expected) == [part in ran.stdout for part in expected], ran.stdout


def test_example_of_a_test_passes(tmp_path: Path) -> None:
    """
    A test runner finds it, and it passes.
    """
    (example,) = blocks(section("docs/library.md", "In your tests"), "python")
    (tmp_path / "test_example.py").write_text(example)

    ran = _run(tmp_path, "-m", "pytest", "-q", "-p", "no:cacheprovider")

    assert 0 == ran.returncode, ran.stdout
    assert "1 passed" in ran.stdout


def _run(folder: Path, *words: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
