"""
Agents on the wire.
"""

from typing import Annotated, Final, Literal

from pydantic import Field
from typing_extensions import TypedDict

from outdial.domain.service.agents import AgentsPage, AgentView
from outdial.entrypoints.wire.pages import Cursor, CursorBody, cursor_body
from outdial.entrypoints.wire.reading import QueryNumber, RequestQuery, Says

LIMIT_MAX: Final = 1000
"""More than most accounts have: who asks for all gets all."""

OUTBOUND_AGENT: Final = "outbound agent"
"""What every agent here is for."""


class AgentsQuery(RequestQuery):
    """
    Which agents are listed: all, unless there are very many.
    """

    limit: Annotated[
        QueryNumber,
        Field(ge=1, le=LIMIT_MAX, description="Agents at once."),
        Says(f"It must be a whole number from 1 to {LIMIT_MAX}."),
    ] = LIMIT_MAX
    cursor: Annotated[Cursor, Field(description="The `next_cursor` of the page before.")] = 0


class AgentBody(TypedDict):
    """
    An agent, and what its calls came to.
    """

    id: Annotated[int, Field(description="The agent's database id.", examples=[123])]
    assistant_id: Annotated[str, Field(examples=["assistant_abc123"])]
    name: Annotated[str, Field(examples=["Appointment Scheduler"])]
    role: Literal["outbound agent"]
    phone_number: Annotated[
        str | None, Field(description="Shown to whoever is called, E.164.", examples=["+15550001111"])
    ]
    minutes_used: Annotated[
        float, Field(description="Minutes talked in calls that are over, to the hundredth.", examples=[12.5])
    ]
    total_calls: Annotated[int, Field(description="Calls that were accepted.", examples=[10])]
    model: str | None
    voice_id: str | None
    can_make_calls: Annotated[bool, Field(description="Whether it has a number.")]
    team_id: int | None


class AgentsBody(CursorBody):
    """
    Agents in the order in which they were made.
    """

    agents: list[AgentBody]


def agent_body(view: AgentView) -> AgentBody:
    """
    Return the answer to `GET /api/v1/agents/{id}`.
    """
    agent, totals = view.agent, view.totals
    return AgentBody(
        id=agent.id,
        assistant_id=agent.assistant_id,
        name=agent.name,
        role=OUTBOUND_AGENT,
        phone_number=agent.phone_number.e164 if agent.phone_number is not None else None,
        minutes_used=totals.minutes_used,
        total_calls=totals.calls,
        model=agent.model,
        voice_id=agent.voice_id,
        can_make_calls=agent.can_make_calls,
        team_id=agent.team_id,
    )


def agents_body(page: AgentsPage, *, limit: int) -> AgentsBody:
    """
    Return the answer to `GET /api/v1/agents`.
    """
    return AgentsBody(
        agents=[agent_body(view) for view in page.agents],
        **cursor_body(limit=limit, following=page.following),
    )
