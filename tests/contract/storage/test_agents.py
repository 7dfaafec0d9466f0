"""
An account's agents, and what their calls came to: counted as they are accepted and settled, never by reading them.
"""

from concurrent.futures import ThreadPoolExecutor
from functools import partial

import attrs

from outdial.domain.model.agent import AgentTotals
from outdial.domain.model.lifecycle import State
from outdial.domain.model.policy import Policy
from outdial.domain.service.progress import apply_event
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of, furnish_other
from tests.service.calls import ended, in_state

SECOND = builders.agent(id=300, assistant_id="assistant_second")
ONE_MINUTE = Policy(max_call_duration_s=60)
THIRD = builders.agent(id=200, assistant_id="assistant_third")


def _add_agents(transaction: Transaction) -> None:
    furnish_other(transaction)
    transaction.directory.add(SECOND)
    transaction.directory.add(THIRD)


def _totals(database: Database) -> dict[int, AgentTotals]:
    wanted = (builders.AGENT_ID, SECOND.id, 222)
    return dict(database.read(lambda reader: reader.directory.agent_totals(builders.ACCOUNT_ID, wanted)))


def test_an_accounts_agents_come_in_the_order_of_their_rows(database: Database) -> None:
    """
    Nobody else's are among them, and each page goes on after the last.
    """
    database.transact(_add_agents)

    def page(after: int, limit: int) -> list[int]:
        found = database.read(lambda reader: reader.directory.agents(builders.ACCOUNT_ID, after=after, limit=limit))
        return [agent.id for agent in found]

    assert [builders.AGENT_ID, THIRD.id, SECOND.id] == page(0, 10)
    assert [builders.AGENT_ID, THIRD.id] == page(0, 2)
    assert [SECOND.id] == page(THIRD.id, 2)
    assert [] == page(SECOND.id, 2) == page(2**70, 2)


def test_an_agent_in_the_list_is_whole(database: Database) -> None:
    """
    The list shows what a look-up shows.
    """
    (found,) = database.read(lambda reader: reader.directory.agents(builders.ACCOUNT_ID, after=0, limit=1))

    assert builders.agent() == found


def test_each_accepted_call_counts_for_its_agent(database: Database) -> None:
    """
    Several in one batch, further ones in the next; refused requests count for nobody.
    """
    database.transact(_add_agents)
    one, other = builders.request(), builders.request(content=builders.fields(agent_id=SECOND.id))
    refused = builders.request(content=builders.fields(phone_number="911"))

    database.accept(one, other, refused, attrs.evolve(one, token=builders.token(2)))
    database.accept(attrs.evolve(one, token=builders.token(3)))

    assert {builders.AGENT_ID: AgentTotals(calls=3), SECOND.id: AgentTotals(calls=1)} == _totals(database)


def test_an_agent_that_never_called_has_no_totals(database: Database) -> None:
    """
    Whoever asks takes them for nothing.
    """
    database.transact(_add_agents)

    assert {} == _totals(database)


def test_talk_time_adds_up(database: Database) -> None:
    """
    It is counted beside the calls, and for this agent alone.
    """
    database.accept(builders.request())

    for talk_s in (90, 31):
        database.transact(
            lambda transaction, seconds=talk_s: transaction.directory.add_talk(  # type: ignore[misc]
                builders.ACCOUNT_ID, builders.AGENT_ID, seconds
            )
        )
    database.transact(lambda transaction: transaction.directory.add_talk(builders.ACCOUNT_ID, SECOND.id, 5))

    assert {builders.AGENT_ID: AgentTotals(calls=1, talk_s=121), SECOND.id: AgentTotals(talk_s=5)} == _totals(database)


def test_another_accounts_totals_look_absent(database: Database) -> None:
    """
    They are found through their own account alone.
    """
    database.accept(builders.request())

    assert {} == database.read(lambda reader: reader.directory.agent_totals(2, [builders.AGENT_ID]))


def test_totals_are_right_when_calls_are_accepted_and_settled_at_once(database: Database) -> None:
    """
    Handles that work side by side lose no call and no second, and none waits for another in a circle.
    """
    database.transact(lambda transaction: transaction.directory.add(SECOND))
    live = [in_state(database, State.IN_PROGRESS) for _ in range(3)]
    handles = [database.rival() for _ in live]

    def work(place: int) -> int:
        batch = [
            builders.request(content=builders.fields(agent_id=agent_id), token=builders.token(number * 10 + place))
            for number, agent_id in enumerate((SECOND.id, builders.AGENT_ID, SECOND.id)[:: 1 if place else -1])
        ]
        decisions = [decision for _ in range(4) for decision in handles[place].accept(*batch, policy=ONE_MINUTE)]
        handles[place].transact(
            partial(apply_event, dialled=live[place], event=ended(live[place], talk_s=90), patience=builders.PATIENCE)
        )
        return len(accepted_of(decisions))

    with ThreadPoolExecutor(len(handles)) as threads:
        accepted = list(threads.map(work, range(len(handles))))

    assert [12, 12, 12] == accepted
    assert {
        builders.AGENT_ID: AgentTotals(calls=3 + 12, talk_s=3 * 90),
        SECOND.id: AgentTotals(calls=24),
    } == _totals(database)
