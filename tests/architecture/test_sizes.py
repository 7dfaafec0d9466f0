"""
Small enough to be read at once.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("outdial/domain", "outdial/ports", "outdial/adapters", "outdial/entrypoints", "tests")
MODULES = sorted(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))


def definitions(path: Path) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef]:
    """
    Yield the functions and classes of a module, inner ones included.
    """
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node


def lines_of(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """
    Return how many lines a function has.
    """
    return (node.end_lineno or node.lineno) - node.lineno + 1


def is_protocol(node: ast.ClassDef) -> bool:
    """
    Tell whether a class is a port.
    """
    return any(isinstance(parent, ast.Name) and parent.id == "Protocol" for parent in node.bases)


def methods_of(node: ast.ClassDef) -> int:
    """
    Return how many methods a port has; a property, such as one that leads to another port, is none.
    """
    parts = [part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
    return sum("property" not in map(ast.unparse, part.decorator_list) for part in parts)


def test_modules_are_found() -> None:
    """
    The limits below are kept by something.
    """
    assert len(MODULES) > 50


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_sizes_keep_the_limits(path: Path) -> None:
    """
    A module has at most 400 lines, a function 60 and a port 8 methods.
    """
    functions = [node for node in definitions(path) if not isinstance(node, ast.ClassDef)]
    ports = [node for node in definitions(path) if isinstance(node, ast.ClassDef) and is_protocol(node)]

    long_functions = [node.name for node in functions if lines_of(node) > 60]
    wide_ports = [node.name for node in ports if methods_of(node) > 8]

    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400
    assert long_functions == []
    assert wide_ports == []
