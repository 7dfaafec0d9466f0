"""
A client sees its own agents, each with what its calls came to.
"""

from functools import partial

import pytest

from outdial.domain.model.agent import AgentTotals
from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.reason import Reason
from outdial.domain.service.agents import AgentsPage, AgentView, list_agents, view_agent
from tests import builders
from tests.contract.storage.database import Database, furnish_other
from tests.service.calls import in_state

NEW = builders.agent(id=300, assistant_id="assistant_new")


def test_agents_are_listed_with_their_totals(database: Database) -> None:
    """
    One that never called has called nobody.
    """
    database.transact(furnish_other)
    database.transact(lambda transaction: transaction.directory.add(NEW))
    call = in_state(database, State.SETTLED)

    found = database.read(partial(list_agents, account=builders.account(), after=0, limit=2))

    old = AgentView(agent=builders.agent(), totals=AgentTotals(calls=1, talk_s=call.talk_s))
    new = AgentView(agent=NEW, totals=AgentTotals())
    assert AgentsPage(agents=(old, new), following=None) == found


def test_a_long_list_of_agents_comes_in_parts(database: Database) -> None:
    """
    Each tells where the next begins, and the last one that it is the last.
    """
    database.transact(lambda transaction: transaction.directory.add(NEW))
    pages = []
    after: int | None = 0
    while after is not None:
        pages.append(database.read(partial(list_agents, account=builders.account(), after=after, limit=1)))
        after = pages[-1].following

    assert [[builders.AGENT_ID], [NEW.id]] == [[view.agent.id for view in page.agents] for page in pages]


@pytest.mark.parametrize("reference", [builders.AGENT_ID, "assistant_abc123"])
def test_one_agent_is_shown_by_either_name(database: Database, reference: AgentReference) -> None:
    """
    Its row or its public id.
    """
    in_state(database, State.BLOCKED)

    found = database.read(partial(view_agent, account=builders.account(), reference=reference))

    assert AgentView(agent=builders.agent(), totals=AgentTotals(calls=1)) == found


@pytest.mark.parametrize("reference", [222, "assistant_other", 999, "assistant_none", ""])
def test_another_accounts_agent_is_answered_like_none(database: Database, reference: AgentReference) -> None:
    """
    A client can't find out what others have.
    """
    database.transact(furnish_other)

    found = database.read(partial(view_agent, account=builders.account(), reference=reference))

    assert Refused(reason=Reason.NOT_FOUND) == found
