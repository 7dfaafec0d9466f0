"""
Agents: `GET /api/v1/agents`.
"""

import pytest

from outdial.domain.model.principal import Permission
from tests import builders
from tests.entrypoints.clinic import AGENT, ASSISTANT, KEY, OTHERS_AGENT, OTHERS_KEY, READING_KEY, SILENT_AGENT
from tests.http.api import Api, permit, problem_of

AGENTS = "/api/v1/agents"
EXPECTED = {
    "id": AGENT,
    "assistant_id": ASSISTANT,
    "name": "Appointment Scheduler",
    "role": "outbound agent",
    "phone_number": builders.CALLER_ID.e164,
    "minutes_used": 0.0,
    "total_calls": 0,
    "model": None,
    "voice_id": None,
    "can_make_calls": True,
    "team_id": None,
}


def test_an_agent_tells_what_the_contract_says(api: Api) -> None:
    """
    The contract's fields, by the agent's row and by its public id.
    """
    api.post()

    found = [api.get(f"{AGENTS}/{name}").json() for name in (AGENT, ASSISTANT)]

    assert [{**EXPECTED, "total_calls": 1}] * 2 == found


def test_an_agent_tells_its_model_its_voice_and_its_team(api: Api) -> None:
    """
    And the minutes that it talked, to the hundredth.
    """
    whole = builders.agent(
        id=700, assistant_id="assistant_whole", model="large-1", voice_id="alto", team_id=7, phone_number=None
    )
    api.run(api.storage.transact(lambda transaction: transaction.directory.add(whole)))
    api.run(api.storage.transact(lambda transaction: transaction.directory.add_talk(whole.account_id, whole.id, 100)))

    body = api.get(f"{AGENTS}/700").json()

    said = {"model": "large-1", "voice_id": "alto", "team_id": 7, "minutes_used": 1.67, "can_make_calls": False}
    assert said == {name: body[name] for name in said}


def test_agents_are_listed_in_order(api: Api) -> None:
    """
    All of the account's and nobody else's; long lists come in parts.
    """
    whole = api.get(AGENTS).json()
    first = api.get(f"{AGENTS}?limit=1").json()
    second = api.get(f"{AGENTS}?limit=1&cursor={first['next_cursor']}").json()

    assert ["agents", "limit", "next_cursor"] == list(whole)
    assert EXPECTED in whole["agents"]
    ids = [agent["id"] for agent in whole["agents"]]
    assert sorted(ids) == ids
    assert {AGENT, SILENT_AGENT} < set(ids)
    assert OTHERS_AGENT not in ids
    assert whole["next_cursor"] is None
    assert ids[:2] == [agent["id"] for page in (first, second) for agent in page["agents"]]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "cursor=-1", "cursor=x", "page=1"])
def test_a_query_that_can_not_be_read_is_refused(api: Api, query: str) -> None:
    """
    The field is named.
    """
    answer = api.get(f"{AGENTS}?{query}")

    assert (400, "validation_error") == problem_of(answer)
    assert [query.partition("=")[0]] == [detail["field"] for detail in answer.json()["details"]]


@pytest.mark.parametrize("name", [OTHERS_AGENT, "assistant_other", 999, "nobody", "%00", "9" * 30])
def test_another_accounts_agent_is_answered_like_none(api: Api, name: object) -> None:
    """
    The same words, so that nobody can find out what others have.
    """
    answer = api.get(f"{AGENTS}/{name}")

    assert (404, "not_found") == problem_of(answer)
    assert api.get(f"{AGENTS}/1").json() == answer.json()
    assert 200 == api.get(f"{AGENTS}/{OTHERS_AGENT}", key=OTHERS_KEY).status_code


@pytest.mark.parametrize("path", [AGENTS, f"{AGENTS}/{AGENT}"])
def test_agents_need_a_permission_of_their_own(api: Api, path: str) -> None:
    """
    It is enough, and no other one is.
    """
    permit(api, *(set(Permission) - {Permission.READ_AGENTS}))
    without = api.get(path)
    permit(api, Permission.READ_AGENTS)

    assert (403, "permission_denied") == problem_of(without) == problem_of(api.get(path, key=READING_KEY))
    assert 200 == api.get(path, key=KEY).status_code
    assert (401, "authentication_required") == problem_of(api.get(path, key=None))
