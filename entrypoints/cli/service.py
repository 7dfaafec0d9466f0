"""
Running outdial: `serve`, `migrate`, `copy`, `audit`, `openapi`, `doctor`.
"""

import asyncio
from collections import Counter
from functools import partial
from typing import Final

import attrs
import click
import orjson
import structlog
from rich.table import Table

from outdial.domain.model.money import as_number
from outdial.entrypoints import auditing, composition, copying, library
from outdial.entrypoints.cli import process
from outdial.entrypoints.cli.answer import EXIT_OK, EXIT_REFUSED, Answer, amount, console, facts, plain, print_json
from outdial.entrypoints.cli.progress import progress_on
from outdial.entrypoints.cli.running import (
    Variables,
    answering,
    carrier_option,
    host_option,
    json_is_wanted,
    port_option,
    role_option,
    settings_of,
)
from outdial.entrypoints.cli.values import database
from outdial.entrypoints.copying import Copied
from outdial.entrypoints.doctor import Check, examine
from outdial.entrypoints.http.reference import reference
from outdial.entrypoints.settings import Settings
from outdial.entrypoints.stopping import Stop
from outdial.ports.archive import TABLES

_log = structlog.get_logger()


@click.command("serve")
@host_option
@port_option
@carrier_option
@role_option
@answering
def serve(variables: Variables) -> None:
    """
    Serve HTTP and dial what is queued, until SIGTERM or Ctrl-C. By its role, a process does both, or one of them.

    With --json, one object with the URL is printed as soon as requests are taken.
    """
    settings = settings_of(variables)
    process.check_serving(settings)
    process.run(partial(_serve, settings=settings), drain_s=settings.drain_s)


@click.command("migrate")
@answering
def migrate(variables: Variables) -> Answer:
    """
    Bring the database's schema up to date; a missing database is made.
    """
    settings = settings_of(variables)
    names = composition.migrate(settings)
    shown = "\n".join(f"applied {name}" for name in names) or "The database is up to date."
    return Answer(body={"database": settings.database, "applied": list(names)}, shown=plain(shown))


@click.command("copy")
@click.option("--from", "source", callback=database, required=True, metavar="URL", help="The database to copy.")
@click.option("--to", "target", callback=database, required=True, metavar="URL", help="An empty, migrated database.")
@answering
def copy(_variables: Variables, *, source: Settings, target: Settings) -> Answer:
    """
    Copy a database into another one, all of it or nothing; both sides are compared to the last row.

    Stop whatever uses the two first. Calls that are not over end in the target as expired, or with an unknown outcome
    if they may have rung: nothing is dialled from it that was asked for before.
    """
    with progress_on(console(err=True)) as on_progress:
        copied = copying.copy(source, target, clock=composition.clock(), on_progress=on_progress)
    return _copy_answer(copied)


@click.command("audit")
@answering
def audit(variables: Variables) -> Answer:
    """
    Reckon everything again that was written of money and calls; name the first row that is wrong.

    Reads one snapshot, while others may go on writing. Exit code 1 when something is wrong.
    """
    with progress_on(console(err=True)) as on_progress:
        audited = auditing.audit(settings_of(variables), on_progress=on_progress)
    finding, rows = audited.finding, dict(audited.rows)
    if finding is None:
        seen = ", ".join(f"{count} {table}" for table, count in rows.items())
        return Answer(body={"ok": True, "rows": rows, "finding": None}, shown=plain(f"All is in order: {seen}."))
    return Answer(
        body={"ok": False, "rows": rows, "finding": attrs.asdict(finding)},
        shown=plain(f"{finding.table}, {finding.key}: {finding.problem}"),
        exit_code=EXIT_REFUSED,
        is_failure=True,
    )


@click.command("openapi")
@answering
def openapi(variables: Variables) -> Answer:
    """
    Print the OpenAPI document of the HTTP interface, for those who generate clients; needs no database.
    """
    document = reference(key_in_query=settings_of(variables).api_key_in_query)
    return Answer(body=document, shown=plain(orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()))


@click.command("doctor")
@carrier_option
@answering
def doctor(variables: Variables) -> Answer:
    """
    Check settings, database, carrier and speech; say what to do, change nothing.
    """
    checks = asyncio.run(examine(variables))
    is_healthy = all(check.ok for check in checks)
    return Answer(
        body={"healthy": is_healthy, "checks": [attrs.asdict(check) for check in checks]},
        shown=_table(checks),
        exit_code=EXIT_OK if is_healthy else EXIT_REFUSED,
    )


def _copy_answer(copied: Copied) -> Answer:
    books = copied.books
    balances = books.balances_micros
    held: Counter[str] = Counter()
    for money in books.money.values():
        held[money.currency] += money.held_micros
    return Answer(
        body={
            "tables": {table.name: books.rows[table.name] for table in TABLES},
            "accounts": len(books.money),
            "balance": {currency: as_number(micros) for currency, micros in balances.items()},
            "quarantined": copied.quarantined,
            "verified": True,
        },
        shown=facts(
            "Copied; every row and every account's money are the same on both sides.",
            ("rows", ", ".join(f"{count} {table}" for table, count in books.rows.items() if count)),
            *(
                (f"balance in {currency}", f"{amount(micros, currency)}, {amount(held[currency], currency)} of it held")
                for currency, micros in balances.items()
            ),
            ("open calls", f"{copied.quarantined}, ended in the target; none of them is dialled from it"),
        ),
    )


async def _serve(stop: Stop, *, settings: Settings) -> None:
    async with library.open(settings, dials=settings.role != "api") as dialer:
        await process.serve(dialer, stop, on_listening=partial(_listening, settings))


def _listening(settings: Settings, url: str) -> None:
    if settings.log_format == "json":
        _log.info("listening", url=url, carrier=settings.carrier)
    else:
        click.echo(f"outdial listens on {url}, carrier {settings.carrier}. Ctrl-C ends it.", err=True)
    if json_is_wanted():
        print_json({"url": url, "carrier": settings.carrier})


def _table(checks: tuple[Check, ...]) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False)
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for check in checks:
        verdict = plain("ok", style="green") if check.ok else plain("not ok", style="red")
        table.add_row(check.name, verdict, plain(check.finding))
    return table


COMMANDS: Final[tuple[click.Command, ...]] = (serve, migrate, copy, audit, openapi, doctor)
