"""
Whoever reads an account's events and is cut off again and again gets every one, once, in order: on every storage.
"""

from collections.abc import Sequence
from functools import partial
from typing import Final

import attrs
import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.identifiers import EventId, Position
from outdial.domain.model.lifecycle import TRANSITIONS, Trigger
from outdial.domain.service import events
from tests import builders
from tests.contract.storage.database import OPENERS, Database, fresh, furnish
from tests.contract.storage.test_events import records_of
from tests.service.calls import accept, after

ACCOUNT = builders.account()
CALLS_MAX = 10
"""What the account can pay for."""


@attrs.frozen
class Accept:
    """
    A call is accepted.
    """


@attrs.frozen
class Advance:
    """
    One of the things that can happen next happens to one of the calls.
    """

    call: int
    choice: int


@attrs.frozen
class Read:
    """
    The client gets a page, handles the first events of it, and is cut off if it did not handle all.
    """

    handled: int


Step = Accept | Advance | Read

steps: st.SearchStrategy[Step] = st.one_of(
    st.just(Accept()),
    *[st.builds(Advance, st.integers(0, 2), st.integers(0, 4))] * 3,
    st.builds(Read, st.integers(0, 6)),
)


UNTOLD: Final = {Trigger.DOUBT, Trigger.REVEAL}
"""After a doubt the same may be told twice, and what is revealed need not be told: `test_status_change` has both."""


@attrs.define
class Client:
    """
    Remembers the last event that it handled, as a browser does.
    """

    database: Database
    last_event_id: str = attrs.field(init=False)
    handled: list[EventId] = attrs.field(init=False, factory=list)

    def __attrs_post_init__(self) -> None:
        self.last_event_id = str(self._position(None))

    def read(self, handled: int) -> bool:
        """
        Connect, handle some events, and return whether there were as many.
        """
        position = self._position(self.last_event_id)
        is_end = False
        while handled and not is_end:
            page = self.database.read(partial(events.account_changes, account=ACCOUNT, after=position))
            for change in page.changes[:handled]:
                self.handled.append(change.id)
                self.last_event_id = str(change.id)
                handled -= 1
            position, is_end = page.until, page.is_end
        return not handled

    def _position(self, last_event_id: str | None) -> Position:
        begin = partial(events.account_position, account=ACCOUNT, last_event_id=last_event_id)
        position = self.database.read(begin)
        assert isinstance(position, Position)
        return position


def _advance(database: Database, calls: list[Call], step: Advance, at: int) -> None:
    call = calls[step.call] if step.call < len(calls) else None
    triggers = sorted(set(TRANSITIONS[call.state]) - UNTOLD) if call is not None else []
    if call is None or not triggers:
        return
    trigger = triggers[step.choice % len(triggers)]
    refused = Disposition.CARRIER_ERROR if trigger is Trigger.RETRY else None
    changed = call.after(
        trigger, disposition=refused if trigger in {Trigger.RETRY, Trigger.LEASE} else call.disposition
    )
    assert changed is not None
    database.transact(lambda transaction: transaction.calls.save(changed, after(at)))
    calls[step.call] = changed


def _expected(database: Database, calls: Sequence[Call]) -> list[EventId]:
    """
    Return the changes of status that the calls' own logs show, in the order of their numbers.
    """
    found: list[EventId] = []
    for call in calls:
        status: Status | None = None
        for record in records_of(database, call):
            was = attrs.evolve(call, state=record.state).status
            if was is not status:
                found.append(EventId(call=call.id, number=record.number))
            status = was
    return sorted(found, key=lambda name: name.number)


@pytest.mark.parametrize("kind", OPENERS)
@settings(max_examples=25)
@given(steps=st.lists(steps, min_size=10, max_size=40))
def test_a_client_that_is_cut_off_gets_every_event_once(kind: str, steps: list[Step]) -> None:
    """
    Whatever happens to the calls between two connections.
    """
    with fresh(kind) as database:
        database.transact(furnish)
        client, calls = Client(database), list[Call]()
        for at, step in enumerate(steps, 1):
            match step:
                case Accept():
                    calls += [accept(database)] if len(calls) < CALLS_MAX else []
                case Advance():
                    _advance(database, calls, step, at)
                case Read():
                    client.read(step.handled)
        while client.read(1):
            pass

        event(f"events: {len(client.handled) // 5 * 5}")
        assert _expected(database, calls) == client.handled
