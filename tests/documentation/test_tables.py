"""
The documents' tables say what the code says, no less and no more.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import attrs
import click
import pytest

from outdial.adapters.simulator.scenario import MAGIC
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.reason import Reason
from outdial.entrypoints.cli import main
from outdial.entrypoints.http.api import OPERATIONS, PAGES
from outdial.entrypoints.http.problems import STATUS
from outdial.entrypoints.settings import Settings, variable_of

DOCS: Final = Path(__file__).parents[2] / "docs"


def rows(document: str, heading: str) -> list[list[str]]:
    """
    Return the cells of the table whose header begins with `heading`.
    """
    _before, _header, after = (DOCS / document).read_text().partition(f"| {heading} |")
    body = after.split("\n\n", 1)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in body]


def test_errors_are_listed_with_their_status_in_the_order_of_judgement() -> None:
    """
    `docs/errors.md` has each reason once, in the ladder's order, with the status that HTTP answers.
    """
    listed = [(status, code.strip("`")) for status, code, *_ in rows("errors.md", "status")]

    assert [(str(STATUS[reason].value), reason.value) for reason in Reason] == listed


def test_every_way_to_end_is_listed() -> None:
    """
    `docs/errors.md` explains each `ended_reason`, in the order of the code.
    """
    listed = [code.strip("`") for code, *_ in rows("errors.md", "`ended_reason`")]

    assert [disposition.value for disposition in Disposition] == listed


def test_every_setting_is_listed_with_its_default() -> None:
    """
    `docs/settings.md` has each variable with the default, the allowed values and the meaning that the code has.
    """
    expected = [
        [
            f"`{variable_of(field)}`",
            f"`{field.metadata['default']}`" if field.metadata["default"] else "empty",
            field.metadata["allowed"],
            field.metadata["meaning"],
        ]
        for field in attrs.fields(Settings)
    ]

    assert expected == rows("settings.md", "variable")


def test_every_route_is_listed_with_its_permission_and_purpose() -> None:
    """
    `docs/http-api.md` has each operation as the code describes it, then what needs no key.
    """
    expected = [
        *([f"`{one.method}`", f"`{one.path}`", f"`{one.permission.value}`", one.summary] for one in OPERATIONS),
        *(["`GET`", f"`{page.path}`", "none", page.summary] for page in PAGES),
    ]

    assert expected == rows("http-api.md", "method")


def test_every_command_is_listed_with_its_options() -> None:
    """
    `docs/command-line.md` has each command of the program, with each of its own options.
    """
    listed = {usage.strip("`").partition(" [")[0]: usage for usage, *_ in rows("command-line.md", "command")}
    missing = [
        (path, option)
        for path, options in commands(main, "outdial")
        for option in options
        if not any(f"{usage} ".startswith(f"{path} ") and option in listed[usage] for usage in listed)
    ]

    assert [] == missing


def commands(command: click.Command, path: str) -> Iterator[tuple[str, list[str]]]:
    """
    Yield each command's words with its own options; those of every command are told once, above the table.
    """
    if isinstance(command, click.Group):
        for name, inner in command.commands.items():
            yield from commands(inner, f"{path} {name}")
    else:
        options = (parameter.opts[0] for parameter in command.params if isinstance(parameter, click.Option))
        yield (
            path,
            [path.rsplit(maxsplit=1)[-1], *(option for option in options if option not in {"--json", "--database"})],
        )


def test_every_magic_number_is_listed() -> None:
    """
    `docs/simulator.md` has each number with a fate of its own.
    """
    assert [f"`{number}`" for number in MAGIC] == [number for number, *_ in rows("simulator.md", "number")]


@pytest.mark.parametrize(
    "document", sorted([*DOCS.rglob("*.md"), DOCS.parent / "README.md"]), ids=lambda path: path.name
)
def test_links_lead_somewhere(document: Path) -> None:
    """
    Each relative link of a document names a file or folder that exists.
    """
    targets = re.findall(r"\]\((?!https?://|#)([^)#]+)", document.read_text())

    assert [] == [target for target in targets if not (document.parent / target).exists()]
