"""
Do-Not-Call lists from files and to files.
"""

import contextlib
import csv
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import IO, Final

import click
from rich.progress import BarColumn, Progress, TextColumn

from outdial.entrypoints.cli.answer import EXIT_OK, EXIT_REFUSED, Answer, console, facts, when
from outdial.entrypoints.cli.do_not_call import dnc, list_option, listing, owned, owner_of
from outdial.entrypoints.cli.running import json_is_wanted
from outdial.entrypoints.do_not_call import Imported, Listed, Listing, OnProgress, OnUnreadable
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.number_files.reading import Unreadable

COLUMNS: Final = ("phone_number", "list", "reason", "listed_at", "expires_at")


@dnc.command("import")
@click.argument("file", type=click.File("rb"))
@click.option("--column", "columns", multiple=True, metavar="NAME|PLACE", help="Where the numbers stand; repeatable.")
@click.option("--region", metavar="US", help="Where numbers without + belong; the account's own if not given.")
@click.option("--partial", "is_partial", is_flag=True, help="List what can be read, even if some lines can't be.")
@click.option("--errors", type=click.File("w"), metavar="FILE", help="Where to tell of those; else standard error.")
@owned
@listing
async def import_file(
    dialer: Dialer,
    *,
    account_id: int | None,
    file: IO[bytes],
    columns: tuple[str, ...],
    region: str | None,
    is_partial: bool,
    errors: IO[str] | None,
    listing: Listing,
) -> Answer:
    """
    List all numbers of a file, or none when one can't be read: text or CSV, gzip or not; `-` is standard input.
    """
    with _progress(file) as on_progress:
        imported = await dialer.administration.dnc.import_numbers(
            account_id,
            file,
            listing,
            columns=columns,
            region=region,
            is_partial=is_partial,
            on_progress=on_progress,
            on_unreadable=_teller(errors),
        )
    return _answer(imported, account_id)


@dnc.command("export")
@list_option
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Else standard output.")
@owned
async def export_numbers(
    dialer: Dialer, *, account_id: int | None, list_name: str | None, output: Path | None
) -> Answer | None:
    """
    Write all numbers of an account's own lists, or of the operator's, as CSV: those of one moment.
    """
    with contextlib.nullcontext(sys.stdout) if output is None else _complete_or_not(output) as file:
        count = await dialer.administration.dnc.export(
            account_id, partial(_write, file, is_ours=output is not None), list_name=list_name
        )
    if output is None:
        return None
    return Answer(
        body={"account_id": account_id, "numbers": count},
        shown=facts(f"Do-Not-Call lists of {owner_of(account_id)}", ("numbers written", str(count))),
    )


@contextlib.contextmanager
def _complete_or_not(path: Path) -> Iterator[IO[str]]:
    """
    Give a file its name when all of it is written, and leave nothing of it otherwise.
    """
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _write(file: IO[str], listed: Iterator[Listed], *, is_ours: bool) -> int:
    """
    Write rows under their names, and return how many; into a file of ours from its beginning.
    """
    if is_ours:
        file.seek(0)
        file.truncate()
    rows = csv.writer(file, lineterminator="\n")
    rows.writerow(COLUMNS)
    count = 0
    for dnc_list, entry in listed:
        times = when(entry.listed_at), when(entry.expires_at)
        rows.writerow((entry.phone_number.e164, dnc_list.name, entry.reason, *times))
        count += 1
    return count


def _answer(imported: Imported, account_id: int | None) -> Answer:
    is_done = imported.stored > 0
    return Answer(
        body={
            "account_id": account_id,
            "read": imported.read,
            "stored": imported.stored,
            "unreadable": imported.unreadable,
            "columns": list(imported.columns),
        },
        shown=facts(
            f"Do-Not-Call list of {owner_of(account_id)}",
            ("columns", ", ".join(imported.columns)),
            ("numbers read", f"{imported.read:,}"),
            ("listed now", f"{imported.stored:,}" if is_done else "none"),
            ("not readable", f"{imported.unreadable:,}"),
        ),
        exit_code=EXIT_OK if is_done else EXIT_REFUSED,
        is_failure=not is_done,
    )


def _teller(errors: IO[str] | None) -> OnUnreadable:
    def tell(unreadable: Unreadable) -> None:
        click.echo(f"line {unreadable.line}: {unreadable.problem}", file=errors, err=errors is None)

    return tell


@contextlib.contextmanager
def _progress(file: IO[bytes]) -> Iterator[OnProgress]:
    """
    Show on a terminal how much of a file was read and how many numbers were stored.
    """
    screen = console(err=True, quiet=json_is_wanted())
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[numbers]:,} numbers"))
    with Progress(*columns, console=screen, disable=not screen.is_terminal, transient=True) as bars:
        place, size = _measure(file)
        reading = bars.add_task("reading", total=size, numbers=0)
        storing = bars.add_task("storing", total=None, numbers=0, visible=False)

        def show(imported: Imported) -> None:
            if not imported.stored:
                bars.update(reading, completed=place(), numbers=imported.read)
            else:
                bars.update(reading, completed=size)
                bars.update(
                    storing, total=imported.read, completed=imported.stored, numbers=imported.stored, visible=True
                )

        yield show


def _measure(file: IO[bytes]) -> tuple[Callable[[], int], int | None]:
    """
    Return what tells how many bytes were read, and how many there are, if that can be known.
    """
    if not file.seekable():
        return (lambda: 0), None
    return file.tell, Path(file.name).stat().st_size


COMMANDS: Final[tuple[click.Command, ...]] = (dnc,)
