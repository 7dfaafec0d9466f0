"""
The operations on agents.
"""

from http import HTTPStatus
from typing import Final

from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import read_agent_reference
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.http.operation import Answered, Asked, NoQuery, Operation
from outdial.entrypoints.wire.agents import AgentBody, AgentsBody, AgentsQuery, agent_body, agents_body

AGENTS: Final = "/api/v1/agents"


async def list_agents(client: Client, asked: Asked[AgentsQuery, None]) -> Answered | Refused:
    """
    List agents.
    """
    page = await client.agents.list(asked.query)
    if isinstance(page, Refused):
        return page
    return Answered(body=agents_body(page, limit=asked.query.limit), status=HTTPStatus.OK)


async def show(client: Client, asked: Asked[NoQuery, None]) -> Answered | Refused:
    """
    Tell of an agent.
    """
    view = await client.agents.show(read_agent_reference(asked.path["agent_id"]))
    return view if isinstance(view, Refused) else Answered(body=agent_body(view), status=HTTPStatus.OK)


OPERATIONS: Final = (
    Operation(
        method="GET",
        path=AGENTS,
        name="list_agents",
        summary="List agents, in the order in which they were made.",
        permission=Permission.READ_AGENTS,
        endpoint=list_agents,
        query=AgentsQuery,
        answer=AgentsBody,
    ),
    Operation(
        method="GET",
        path=f"{AGENTS}/{{agent_id}}",
        name="show_agent",
        summary="Show an agent, by its database id or its `assistant_id`.",
        permission=Permission.READ_AGENTS,
        endpoint=show,
        answer=AgentBody,
        reasons=(Reason.NOT_FOUND,),
    ),
)
