"""
Do-Not-Call lists, whichever way they are managed: HTTP and the library, for a key and for the operator, say the same.
"""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta, timezone
from typing import Any, Final

import pytest

from outdial.domain.model.decision import Refused
from outdial.entrypoints.client.do_not_call import DncClient
from outdial.entrypoints.wire.do_not_call import (
    NumbersQuery,
    list_body,
    lists_body,
    number_body,
    numbers_body,
    standing_body,
)
from outdial.entrypoints.wire.problems import problem_body
from tests.entrypoints.clinic import CALLEE, CLINIC, KEY, READING_KEY
from tests.http.api import Api

LISTS: Final = "/api/v1/dnc/lists"
NUMBERS: Final = "/api/v1/dnc/numbers"
EXPIRES_AT: Final = datetime(2200, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))


def _over_http(api: Api) -> list[Any]:
    """
    Do one of everything, and return what was answered.
    """
    headers = {"Authorization": f"Bearer {KEY}"}
    made = api.post({"name": "federal", "source": "Registry"}, path=LISTS)
    body = {"phone_number": CALLEE, "reason": "asked", "expires_at": "2200-01-01T01:00:00+01:00"}
    added = api.post({**body, "list_id": made.json()["id"]}, path=NUMBERS)
    read = [api.get(path) for path in (f"{NUMBERS}/{CALLEE}", LISTS, made.headers["Location"], f"{NUMBERS}?limit=1")]
    removed = [api.ask("DELETE", f"{NUMBERS}/{CALLEE}", headers=headers) for _ in range(2)]
    gone = api.ask("DELETE", made.headers["Location"], headers=headers)
    wrong = api.post({"phone_number": CALLEE, "reason": "x" * 501}, path=NUMBERS)
    unnamed = api.post({"name": ""}, path=LISTS)
    assert (204, 204) == (removed[0].status_code, gone.status_code)
    return [answer.json() for answer in (made, added, *read, removed[1], wrong, unnamed)]


async def _in_process(dnc: DncClient) -> list[Any]:
    """
    The same by the library's methods, as bodies.
    """
    made = await dnc.create_list("federal", source="Registry")
    assert not isinstance(made, Refused)
    added = await dnc.add(CALLEE, list_id=made.id, reason="asked", expires_at=EXPIRES_AT)
    standing, lists, shown = await dnc.show(CALLEE), await dnc.lists(), await dnc.show_list(made.id)
    page = await dnc.numbers(NumbersQuery(limit=1))
    removed, again = await dnc.remove(CALLEE), await dnc.remove(CALLEE)
    gone = await dnc.remove_list(made.id)
    refused = [again, await dnc.add(CALLEE, reason="x" * 501), await dnc.create_list("")]
    assert not isinstance(added, Refused)
    assert not isinstance(standing, Refused)
    assert not isinstance(lists, Refused)
    assert not isinstance(shown, Refused)
    assert not isinstance(page, Refused)
    assert (CALLEE, made) == (str(removed), gone)
    answers: list[Mapping[str, Any]] = [list_body(made), number_body(added), standing_body(standing)]
    answers += [lists_body(lists), list_body(shown), numbers_body(page, limit=1)]
    return [*answers, *(problem_body(one) for one in refused if isinstance(one, Refused))]


@pytest.mark.parametrize("chosen", [{"api_key": KEY}, {"account_id": CLINIC}], ids=["key", "operator"])
def test_http_and_the_library_say_the_same(chosen: dict[str, Any]) -> None:
    """
    On the same accounts at the same time, every method has the body that its route has.
    """
    first, second = Api(), Api()

    over_http = _over_http(first)
    in_process = second.run(_in_process(second.dialer.client(**chosen).dnc))

    first.close()
    second.close()
    assert 9 == len(over_http)
    assert over_http == in_process


def test_the_library_asks_for_the_permission(api: Api) -> None:
    """
    As HTTP does, before anything else is looked at.
    """
    dnc = api.dialer.client(api_key=READING_KEY).dnc
    before = api.everything()

    refused = [
        api.run(work)
        for work in (
            dnc.lists(),
            dnc.create_list(""),
            dnc.show_list(1),
            dnc.remove_list(1),
            dnc.numbers(),
            dnc.add("nobody"),
            dnc.show("nobody"),
            dnc.remove("nobody"),
        )
    ]

    assert {"permission_denied"} == {one.reason.value for one in refused if isinstance(one, Refused)}
    assert all(isinstance(one, Refused) for one in refused)
    assert before == api.everything()


@pytest.mark.parametrize("at", [datetime(2026, 1, 1), datetime.max.replace(tzinfo=UTC)])  # noqa: DTZ001 - without a zone
def test_a_time_without_a_zone_is_refused(api: Api, at: datetime) -> None:
    """
    It would be another moment for everybody; any other time will do.
    """
    answer = api.run(api.dialer.client(api_key=KEY).dnc.add(CALLEE, expires_at=at))

    assert isinstance(answer, Refused) is (at.tzinfo is None)
