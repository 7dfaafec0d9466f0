"""
A client over HTTP that is cut off at any moment, while calls go on: what it got is the log, no more and no less.
"""

from collections.abc import Sequence

import attrs
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from outdial.domain.model.call import Call
from outdial.domain.model.lifecycle import Trigger
from outdial.entrypoints.client import event_hub
from tests.http.api import Api
from tests.http.listening import Block, listening
from tests.http.test_events import LIFE, accept, advance

TRIGGERS = (*LIFE, Trigger.END, Trigger.SETTLE)
CHANGES_OF_LIFE = ("queued", "dialing", "ringing", "in-progress", "completed")
CALLS_MAX = 8
"""What the account can pay for."""


@attrs.frozen(kw_only=True)
class Connection:
    """
    One connection of the client.

    Attributes:
        before: How many steps calls take before it.

        meanwhile: How many while it is open.

        heard: How many events it handles at most before it is cut off.
    """

    before: int
    meanwhile: int
    heard: int


class Office:
    """
    Calls that live one beside the other.
    """

    def __init__(self, api: Api) -> None:
        self._api = api
        self._calls: list[tuple[Call, int]] = []
        self._turn = 0

    async def step(self, times: int) -> None:
        """
        Let calls begin, and go on in turn.
        """
        for _ in range(times):
            self._turn += 1
            living = [place for place, (_, steps) in enumerate(self._calls) if steps < len(TRIGGERS)]
            if len(self._calls) < CALLS_MAX and (not living or self._turn % 3 == 0):
                self._calls.append((await accept(self._api), 0))
            elif living:
                place = living[self._turn % len(living)]
                call, steps = self._calls[place]
                self._calls[place] = (await advance(self._api, call, TRIGGERS[steps]), steps + 1)

    @property
    def changes(self) -> int:
        """
        How many events there were.
        """
        told = [1, 1, 2, 2, 3, 4, 5, 5]
        return sum(told[steps] for _, steps in self._calls)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Look at the log more often.
    """
    monkeypatch.setattr(event_hub, "POLL_S", 0.001)


connections = st.builds(Connection, before=st.integers(0, 6), meanwhile=st.integers(0, 6), heard=st.integers(0, 8))


@pytest.mark.usefixtures("quick")
@settings(max_examples=30)
@given(plan=st.lists(connections, min_size=1, max_size=6))
def test_what_a_client_got_over_all_its_connections_is_the_log(plan: Sequence[Connection]) -> None:
    """
    Whenever it is cut off, before or after any event.
    """
    api = Api()

    async def main() -> list[Block]:
        office, heard = Office(api), list[Block]()
        async with listening(api.app) as listener:
            beginning = await listener.block()
        assert beginning is not None
        last_event_id = beginning.id
        for connection in (*plan, Connection(before=0, meanwhile=0, heard=999)):
            await office.step(connection.before)
            async with listening(api.app, last_event_id=last_event_id) as listener:
                await office.step(connection.meanwhile)
                for _ in range(min(connection.heard, office.changes - len(heard))):
                    heard.append(await listener.event())
                    last_event_id = heard[-1].id
        assert office.changes == len(heard)
        return heard

    heard = api.run(main())
    api.close()

    assert len(heard) == len({block.id for block in heard})
    for number in {block.data["call"]["id"] for block in heard}:
        statuses = [block.data["call"]["status"] for block in heard if block.data["call"]["id"] == number]
        assert list(CHANGES_OF_LIFE[: len(statuses)]) == statuses
