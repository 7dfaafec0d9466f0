"""
What a client may see of its agents.
"""

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


def view_agents(reader: Reader, account: Account, *, after: int, limit: int) -> tuple[AgentView, ...]:
    """
    Return at most `limit` of an account's agents whose row is above `after`, in the order of their rows.
    """
    agents = reader.directory.agents(account.id, after=after, limit=limit)
    totals = reader.directory.agent_totals(account.id, [agent.id for agent in agents])
    return tuple(AgentView(agent=agent, totals=totals.get(agent.id, AgentTotals())) for agent in agents)


def view_agent(reader: Reader, account: Account, reference: AgentReference) -> AgentView | Refused:
    """
    Return one of an account's agents; another account's is answered like none.
    """
    agent = reader.directory.agent(account.id, reference)
    if agent is None:
        return Refused(reason=Reason.NOT_FOUND)
    totals = reader.directory.agent_totals(account.id, [agent.id])
    return AgentView(agent=agent, totals=totals.get(agent.id, AgentTotals()))
