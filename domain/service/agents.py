"""
What a client may see of its agents.
"""

from collections.abc import Sequence

import attrs

from outdial.domain.model.agent import Agent, AgentTotals
from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.principal import Account
from outdial.domain.model.reason import Reason
from outdial.ports.storage import Reader


@attrs.frozen(kw_only=True)
class AgentView:
    """
    An agent with what its calls came to.
    """

    agent: Agent
    totals: AgentTotals


@attrs.frozen(kw_only=True)
class AgentsPage:
    """
    Agents in the order of their rows.

    Attributes:
        following: The row after which the others come; `None` when there are no others.
    """

    agents: tuple[AgentView, ...]
    following: int | None


def list_agents(reader: Reader, account: Account, *, after: int, limit: int) -> AgentsPage:
    """
    Return at most `limit` of an account's agents whose row is above `after`.
    """
    found = reader.directory.agents(account.id, after=after, limit=limit + 1)
    agents = found[:limit]
    following = agents[-1].id if len(found) > limit else None
    return AgentsPage(agents=_views(reader, account, agents), following=following)


def view_agent(reader: Reader, account: Account, reference: AgentReference) -> AgentView | Refused:
    """
    Return one of an account's agents; another account's is answered like none.
    """
    agent = reader.directory.agent(account.id, reference)
    if agent is None:
        return Refused(reason=Reason.NOT_FOUND)
    (view,) = _views(reader, account, (agent,))
    return view


def _views(reader: Reader, account: Account, agents: Sequence[Agent]) -> tuple[AgentView, ...]:
    totals = reader.directory.agent_totals(account.id, [agent.id for agent in agents])
    return tuple(AgentView(agent=agent, totals=totals.get(agent.id, AgentTotals())) for agent in agents)
