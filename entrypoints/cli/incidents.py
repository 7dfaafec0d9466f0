"""
Looking at people who were reached by calls that were not to go on.
"""

from typing import Final

import click
from rich.console import Group, RenderableType

from outdial.domain.model.decision import Refused
from outdial.domain.service.incidents import IncidentsPage, IncidentView
from outdial.entrypoints.cli.answer import Answer, plain, refused, table_of, when
from outdial.entrypoints.cli.running import operating
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.wire.pages import CursorQuery, cursor_body
from outdial.entrypoints.wire.reading import read


@click.group
def incidents() -> None:
    """
    People who were reached by calls that were not to go on.
    """


@incidents.command("list")
@click.option("--account", "account_id", type=click.IntRange(1), help="Of one account; of all unless given.")
@click.option("--limit", type=int, help="Incidents of a page, 10 unless given.")
@click.option("--cursor", type=int, help="Begins where the page before it ended.")
@operating
async def list_incidents(dialer: Dialer, *, account_id: int | None, **wanted: object) -> Answer:
    """
    List who was reached by mistake and why, newest first.
    """
    query = read(CursorQuery, {name: value for name, value in wanted.items() if value is not None})
    if isinstance(query, Refused):
        return refused(query)
    page = await dialer.administration.incidents(account_id, before=query.cursor, limit=query.limit)
    body = {
        "incidents": [_body(view) for view in page.incidents],
        **cursor_body(limit=query.limit, following=page.following),
    }
    return Answer(body=body, shown=_listed(page))


def _body(view: IncidentView) -> dict[str, object]:
    incident, call = view.incident, view.call
    return {
        "id": incident.number,
        "at": when(incident.at),
        "kind": incident.kind,
        "reason": incident.objection,
        "account_id": incident.account_id,
        "call": call.id,
        "call_id": call.call_id,
        "attempt_id": call.attempt_id,
        "phone_number": call.phone_number.e164,
        "ended_reason": call.disposition if call.is_terminal else None,
    }


def _listed(page: IncidentsPage) -> RenderableType:
    table = table_of("id", "at", "to", "what", "why", "call", "account", whole=("at", "to", "what", "why"))
    for view in page.incidents:
        incident = view.incident
        table.add_row(
            *map(
                plain,
                (
                    str(incident.number),
                    when(incident.at) or "",
                    view.call.phone_number.e164,
                    incident.kind.value,
                    incident.objection.value,
                    str(incident.call_id),
                    str(incident.account_id),
                ),
            )
        )
    following = f"Older ones: --cursor {page.following}" if page.following is not None else "There are no older ones."
    return Group(table, plain(following, style="dim"))


COMMANDS: Final[tuple[click.Command, ...]] = (incidents,)
