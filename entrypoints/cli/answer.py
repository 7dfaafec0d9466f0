"""
What a command has to say, and saying it: one JSON object, or a few lines for people.
"""

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

import attrs
import click
import orjson
from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from outdial.domain.model.decision import Refused
from outdial.domain.model.listing import Page
from outdial.domain.model.money import as_text
from outdial.entrypoints.settings import SettingsError
from outdial.entrypoints.wire.problems import problem_body
from outdial.ports.errors import (
    CarrierUnavailableError,
    IntakeFullError,
    OutdialError,
    SpeechError,
    StorageError,
    UnknownRecordError,
)

EXIT_OK: Final = 0
EXIT_REFUSED: Final = 1
"""Refused, not found, unhealthy."""

EXIT_UNUSABLE: Final = 2
"""Wrong usage or settings; the database, the carrier or the voice can't be used."""

UNBROKEN: Final = 10_000
"""Columns of a file or a pipe."""

_UNOBEYED: Final = dict.fromkeys({*range(32), *range(127, 160)} - set(b"\t\n"), "\N{REPLACEMENT CHARACTER}")
"""Control characters, with what stands in their place."""

INVALID_VALUE: Final = "invalid_value"
INVALID_SETTINGS: Final = "invalid_settings"
WRONG_USAGE: Final = "wrong_usage"

CODES: Final[dict[type[Exception], str]] = {
    UnknownRecordError: "not_found",
    SettingsError: INVALID_SETTINGS,
    StorageError: "database_unavailable",
    IntakeFullError: "intake_full",
    CarrierUnavailableError: "carrier_unavailable",
    SpeechError: "speech_unavailable",
    OutdialError: "unavailable",
    ValueError: INVALID_VALUE,
}
"""The `error` of an exception's JSON; the first class that fits counts."""


@attrs.frozen(kw_only=True)
class Answer:
    """
    What a command came to.

    Attributes:
        body: For `--json`.

        shown: For people.

        exit_code: 0 when it did what was asked.

        is_failure: Whether it is shown in red on standard error.
    """

    body: Mapping[str, object]
    shown: RenderableType
    exit_code: int = EXIT_OK
    is_failure: bool = False


def failed(error: Exception) -> Answer:
    """
    Return the answer when a command could not do its work.
    """
    message = str(error)
    body: dict[str, object] = {"error": _code_of(error), "message": message}
    if isinstance(error, SettingsError):
        body["problems"] = list(error.problems)
    exit_code = EXIT_REFUSED if isinstance(error, UnknownRecordError) else EXIT_UNUSABLE
    return Answer(body=body, shown=plain(message), exit_code=exit_code, is_failure=True)


def refused(refusal: Refused) -> Answer:
    """
    Return the answer when what was asked for may not be: the same body as over HTTP.
    """
    lines = [refusal.reason.sentence]
    lines += [f"{problem.field}: {problem.problem}" for problem in refusal.problems]
    if (shortfall := refusal.shortfall) is not None:
        lines.append(
            f"{amount(shortfall.required_micros, shortfall.currency)} must be available,"
            f" and {amount(shortfall.available_micros, shortfall.currency)} is."
        )
    return Answer(body=problem_body(refusal), shown=plain("\n".join(lines)), exit_code=EXIT_REFUSED, is_failure=True)


def print_answer(answer: Answer, *, as_json: bool) -> None:
    """
    Print an answer in the form that was asked for.
    """
    if as_json:
        print_json(answer.body)
    elif answer.is_failure:
        console(err=True).print(answer.shown, style="red", soft_wrap=True)
    else:
        console().print(answer.shown, soft_wrap=isinstance(answer.shown, Text))


def print_json(body: Mapping[str, object]) -> None:
    """
    Print one JSON object on a line of standard output.
    """
    click.echo(orjson.dumps(body))


def console(*, err: bool = False, quiet: bool = False) -> Console:
    """
    Return where people read; where it is no terminal, colours and line breaks are left out.
    """
    found = Console(stderr=err, quiet=quiet, highlight=False)
    if not found.is_terminal:
        found.width = UNBROKEN
    return found


def plain(text: str, *, style: str = "") -> Text:
    """
    Return words as they stand: clients chose some of them, and neither rich nor a terminal may obey what they hold.
    """
    return Text(text.translate(_UNOBEYED), style=style)


def table_of(*names: str, whole: Collection[str] = ()) -> Table:
    """
    Return an empty table. What is too wide for the terminal is folded, and never cut off.

    Args:
        names: Its columns.

        whole: Those that are folded last.
    """
    table = Table(box=None, pad_edge=False)
    for name in names:
        table.add_column(name, overflow="fold", no_wrap=name in whole)
    return table


def facts(title: str, /, *rows: tuple[str, str | None]) -> RenderableType:
    """
    Return a small table of names and values; those without a value are left out.
    """
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in rows:
        if value:
            table.add_row(name, plain(value))
    return Group(plain(title, style="bold"), table)


def listing(table: Table, page: Page[Any], name: str) -> RenderableType:
    """
    Return a page's table with a line about the whole list.

    Args:
        name: What it lists, such as `calls`.
    """
    more = "" if page.is_count_exact else " at least"
    following = f"; the next page: --cursor {page.following}" if page.following is not None else ""
    return Group(table, Text(f"{len(page.records)} of{more} {page.count} {name}{following}", style="dim"))


def amount(micros: int, currency: str) -> str:
    """
    Show money with its currency.
    """
    return f"{as_text(micros)} {currency}"


def when(at: datetime | None) -> str | None:
    """
    Show a time as the wire does, in UTC.
    """
    return at.strftime("%Y-%m-%dT%H:%M:%SZ") if at is not None else None


def _code_of(error: Exception) -> str:
    return next(code for kind, code in CODES.items() if isinstance(error, kind))
