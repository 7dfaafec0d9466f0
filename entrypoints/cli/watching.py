"""
Looking on while calls live.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

import click
from rich.live import Live
from rich.table import Table
from rich.text import Text

from outdial.domain.model.call import Status
from outdial.domain.model.decision import Refused
from outdial.domain.model.status_change import StatusChange
from outdial.entrypoints.cli.answer import Answer, console, plain, print_json, refused, table_of, when
from outdial.entrypoints.cli.calls import calls
from outdial.entrypoints.cli.running import credential_options, json_is_wanted, operating
from outdial.entrypoints.client.event_stream import EventStream
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.wire.events import call_event_body

ROWS: Final = 20
"""Calls on the screen; the one that was silent for longest makes room."""

STYLES: Final = {
    Status.QUEUED: "dim",
    Status.DIALING: "yellow",
    Status.RINGING: "cyan",
    Status.IN_PROGRESS: "bold green",
    Status.COMPLETED: "green",
    Status.FAILED: "red",
}

Show = Callable[[StatusChange], None]


@calls.command("watch")
@click.argument("call_id", required=False)
@click.option("--after", "last_event_id", metavar="EVENT", help="Go on behind this event.")
@credential_options
@operating
async def watch_calls(
    dialer: Dialer, *, call_id: str | None, last_event_id: str | None, api_key: str | None, account_id: int | None
) -> Answer | None:
    """
    Show each change of one call until it is over, or of all calls of an account until Ctrl-C.

    With --json, one object for each change.
    """
    if call_id is not None and api_key is None and account_id is None:
        view = await dialer.call(call_id)
        if isinstance(view, Refused):
            return refused(view)
        account_id = view.call.account_id
    client = dialer.client(api_key=api_key, account_id=account_id)
    stream = await client.calls.events(call_id, last_event_id=last_event_id)
    if isinstance(stream, Refused):
        return refused(stream)
    with stream, _shown() as show, contextlib.suppress(asyncio.CancelledError):  # Ctrl-C is how to leave
        await _follow(stream, show)
    return refused(stream.refused) if stream.refused is not None else None


async def _follow(stream: EventStream, show: Show) -> None:
    async for change in stream:
        show(change)


@contextmanager
def _shown() -> Iterator[Show]:
    """
    Show changes as JSON, in a table that lives, or line by line.
    """
    screen = console()
    if json_is_wanted():
        yield lambda change: print_json({"id": str(change.id), **call_event_body(change)})
    elif screen.is_terminal:
        with Live(console=screen, auto_refresh=False) as live:
            yield Board(live).show
    else:
        yield lambda change: screen.print(_line(change), soft_wrap=True)


class Board:
    """
    The calls of which something was heard lately, on a terminal.
    """

    def __init__(self, live: Live) -> None:
        self._live = live
        self._changes: dict[int, StatusChange] = {}

    def show(self, change: StatusChange) -> None:
        """
        Show a change in its call's row.
        """
        self._changes.pop(change.call.id, None)
        self._changes[change.call.id] = change
        if len(self._changes) > ROWS:
            del self._changes[next(iter(self._changes))]
        self._live.update(self.table(), refresh=True)

    def table(self) -> Table:
        """
        Return what is shown.
        """
        table = table_of("call", "to", "agent", "status", "since", "because", whole=("to", "status", "because"))
        for number in sorted(self._changes):
            change = self._changes[number]
            call = change.call
            table.add_row(
                plain(str(call.id)),
                plain(call.phone_number.e164),
                plain(call.agent_name),
                plain(change.status, style=STYLES[change.status]),
                when(change.record.at),
                plain(call.disposition or ""),
            )
        return table


def _line(change: StatusChange) -> Text:
    call = change.call
    parts = (when(change.record.at), f"call {call.id}", call.phone_number.e164, change.status, call.disposition)
    return plain("  ".join(part for part in parts if part))


COMMANDS: Final[tuple[click.Command, ...]] = ()
"""It is one of `outdial calls`."""
