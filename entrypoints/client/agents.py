"""
What a client can do about agents.
"""

from functools import partial
from typing import Final

import attrs

from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.principal import Permission
from outdial.domain.service.agents import AgentsPage, AgentView, list_agents, view_agent
from outdial.entrypoints.client.front import Front
from outdial.entrypoints.wire.agents import AgentsQuery

EVERY_AGENT: Final = AgentsQuery()


@attrs.frozen
class AgentsClient:
    """
    Agents of one account.
    """

    _front: Front

    async def list(self, query: AgentsQuery = EVERY_AGENT) -> AgentsPage | Refused:
        """
        Return the account's agents in the order in which they were made, 1000 at most.

        Raises:
            StorageError: The database can't be read now.
        """
        work = partial(list_agents, after=query.cursor, limit=query.limit)
        return await self._front.read(Permission.READ_AGENTS, work)

    async def show(self, reference: AgentReference) -> AgentView | Refused:
        """
        Return one of the account's agents by its row or its `assistant_...` id.

        Raises:
            StorageError: The database can't be read now.
        """
        return await self._front.read(Permission.READ_AGENTS, partial(view_agent, reference=reference))
