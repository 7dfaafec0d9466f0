"""
Agents: who talks.
"""

from typing import Any, Final

import click
from rich.console import Group, RenderableType

from outdial.domain.model.agent import Agent, AgentTotals, RuntimeKind
from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import ID_MAX, read_agent_reference
from outdial.domain.service.agents import AgentsPage, AgentView
from outdial.entrypoints.cli.answer import Answer, facts, plain, refused, table_of
from outdial.entrypoints.cli.running import account_option, acting, operating
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.library import Dialer
from outdial.entrypoints.wire.agents import AgentsQuery, agent_body, agents_body
from outdial.entrypoints.wire.reading import read


@click.group
def agent() -> None:
    """
    Agents: who talks.
    """


@agent.command("create")
@account_option
@click.option("--name", required=True, help="What it is called.")
@click.option("--greeting", default="", help="What it says first; may hold {{name}} and {{name|fallback}}.")
@click.option("--instructions", default="", help="What it is told to do; may hold the same.")
@click.option("--phone-number", metavar="NUMBER", help="The number that callees see; without one it can't call.")
@click.option(
    "--runtime",
    type=click.Choice([kind.value for kind in RuntimeKind]),
    default=RuntimeKind.ANNOUNCE.value,
    show_default=True,
    help="Speak the greeting, or join the callee to the agent's own SIP address.",
)
@click.option("--sip-uri", metavar="URI", help="Its address, for the runtime sip_uri.")
@click.option("--model", help="The language model behind it, for clients to know.")
@click.option("--voice-id", help="The voice that it speaks with, for clients to know.")
@click.option("--team-id", type=click.IntRange(1, ID_MAX), help="The team that it belongs to, for clients to know.")
@operating
async def create_agent(dialer: Dialer, *, account_id: int, **fields: Any) -> Answer:
    """
    Create an agent.
    """
    created = await dialer.administration.create_agent(account_id, **fields)
    return Answer(
        body={
            "account_id": account_id,
            **agent_body(AgentView(agent=created, totals=AgentTotals())),
            "greeting": created.greeting,
            "instructions": created.instructions,
            "runtime": created.runtime.value,
            "sip_uri": created.sip_uri,
        },
        shown=_shown(
            created,
            ("greeting", created.greeting),
            ("runtime", created.runtime.value),
            ("SIP address", created.sip_uri),
        ),
    )


@agent.command("list")
@click.option("--limit", type=int, help="Agents at once, 1000 unless given.")
@click.option("--cursor", type=int, help="Begins where the list before it ended.")
@acting
async def list_agents(client: Client, **wanted: object) -> Answer:
    """
    List agents in the order in which they were made.
    """
    query = read(AgentsQuery, {name: value for name, value in wanted.items() if value is not None})
    if isinstance(query, Refused):
        return refused(query)
    page = await client.agents.list(query)
    if isinstance(page, Refused):
        return refused(page)
    return Answer(body=agents_body(page, limit=query.limit), shown=_listed(page))


@agent.command("show")
@click.argument("agent_id")
@acting
async def show_agent(client: Client, *, agent_id: str) -> Answer:
    """
    Show an agent, by its id or assistant id.
    """
    view = await client.agents.show(read_agent_reference(agent_id))
    if isinstance(view, Refused):
        return refused(view)
    totals = (("calls", str(view.totals.calls)), ("talked", _minutes(view.totals)))
    return Answer(body=agent_body(view), shown=_shown(view.agent, *totals))


def _shown(shown: Agent, *more: tuple[str, str | None]) -> RenderableType:
    return facts(
        f"Agent {shown.id} of account {shown.account_id}",
        ("name", shown.name),
        ("assistant id", shown.assistant_id),
        ("number", shown.phone_number.e164 if shown.phone_number is not None else "none: it can't make calls"),
        *more,
        ("model", shown.model),
        ("voice", shown.voice_id),
        ("team", str(shown.team_id) if shown.team_id is not None else None),
    )


def _listed(page: AgentsPage) -> RenderableType:
    table = table_of("agent", "name", "assistant id", "number", "calls", "talked")
    for view in page.agents:
        table.add_row(
            plain(str(view.agent.id)),
            plain(view.agent.name),
            plain(view.agent.assistant_id),
            plain(view.agent.phone_number.e164 if view.agent.phone_number is not None else ""),
            plain(str(view.totals.calls)),
            plain(_minutes(view.totals)),
        )
    following = f"; those that follow: --cursor {page.following}" if page.following is not None else ""
    return Group(table, plain(f"{len(page.agents)} agents shown{following}", style="dim"))


def _minutes(totals: AgentTotals) -> str:
    return f"{totals.minutes_used:.2f} min"


COMMANDS: Final[tuple[click.Command, ...]] = (agent,)
