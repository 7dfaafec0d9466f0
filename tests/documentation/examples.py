"""
The examples in documents, as files to run.
"""

import os
import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]


def section(document: str, heading: str) -> str:
    """
    Return a document's text from a heading of the second level to the next one.
    """
    _before, found, after = (ROOT / document).read_text().partition(f"\n## {heading}\n")
    assert found, f"{document} has no section {heading!r}"
    return after.partition("\n## ")[0]


def blocks(text: str, language: str) -> list[str]:
    """
    Return a text's code blocks of a language.
    """
    return re.findall(rf"```{language}\n(.*?)```", text, re.DOTALL)


def clean_environment() -> dict[str, str]:
    """
    Return this process's environment without outdial's own variables.
    """
    return {name: value for name, value in os.environ.items() if not name.startswith("OUTDIAL_")}
