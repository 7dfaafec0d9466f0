"""
Running outdial: `serve`, `migrate`, `doctor`.
"""

import asyncio
from functools import partial
from typing import Final

import attrs
import click
import structlog
from rich.table import Table
from rich.text import Text

from outdial.entrypoints import composition, library
from outdial.entrypoints.cli import process
from outdial.entrypoints.cli.answer import EXIT_OK, EXIT_REFUSED, Answer, print_json
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
from outdial.entrypoints.doctor import Check, examine
from outdial.entrypoints.settings import Settings

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
    process.check_address(settings)
    process.run(partial(_serve, settings=settings))


@click.command("migrate")
@answering
def migrate(variables: Variables) -> Answer:
    """
    Bring the database's schema up to date; a missing database is made.
    """
    settings = settings_of(variables)
    names = composition.migrate(settings)
    shown = "\n".join(f"applied {name}" for name in names) or "The database is up to date."
    return Answer(body={"database": settings.database, "applied": list(names)}, shown=Text(shown))


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


async def _serve(stop: asyncio.Event, *, settings: Settings) -> None:
    async with library.open(settings, dials=settings.role != "api") as dialer:
        if not stop.is_set():
            await process.serve(dialer, on_listening=partial(_listening, settings))


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
        verdict = Text("ok", style="green") if check.ok else Text("not ok", style="red")
        table.add_row(check.name, verdict, Text(check.finding))
    return table


COMMANDS: Final[tuple[click.Command, ...]] = (serve, migrate, doctor)
