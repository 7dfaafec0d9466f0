"""
Hanging up: a call that was not dialled is canceled, one that was is left to its worker, one that is over stays so.
"""

from functools import partial
from typing import Final

import attrs
import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.decision import Refused
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.dialling import pass_no_return
from outdial.domain.service.hanging_up import hang_up
from outdial.domain.service.progress import apply_event
from tests import builders
from tests.contract.storage.database import Database
from tests.service.calls import (
    HOLD_MICROS,
    after,
    ended,
    in_state,
    money_of,
    now,
    states_of,
    take,
    tidy,
    wallet,
)

UNDIALLED: Final = (State.QUEUED, State.LEASED)
ON_THE_LINE: Final = (State.SENDING, State.UNKNOWN, State.DIALING, State.RINGING, State.IN_PROGRESS)
OVER: Final = (State.ENDED, State.SETTLED, State.REVEALED, State.CANCELED, State.BLOCKED)


def _hang_up(
    database: Database, call: Call, at_s: float = 200, *, account_id: int = builders.ACCOUNT_ID
) -> Call | None:
    reference = CallReference(number=call.id, token=call.token)
    account = builders.account(id=account_id)
    view = database.transact(partial(hang_up, account=account, reference=reference, at=after(at_s)))
    return None if isinstance(view, Refused) else view.call


def test_every_state_has_its_way() -> None:
    """
    A new state has to be told apart, too.
    """
    assert set(State) == {*UNDIALLED, *ON_THE_LINE, *OVER}


@pytest.mark.parametrize("state", UNDIALLED)
def test_what_was_not_dialled_is_canceled(database: Database, state: State) -> None:
    """
    It is over at once, its whole hold is free again, and nobody dials it.
    """
    call = in_state(database, state)

    canceled = _hang_up(database, call)

    assert canceled == now(database, call)
    assert canceled is not None
    assert (State.CANCELED, Status.FAILED, Disposition.CANCELED, after(200)) == (
        canceled.state,
        canceled.status,
        canceled.disposition,
        canceled.ended_at,
    )
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)
    assert 0 == wallet(database).held_micros
    assert () == database.transact(partial(take, limit=9, at=after(300)))
    assert database.transact(partial(pass_no_return, leased=call, at=after(300), patience=builders.PATIENCE)) is None


@pytest.mark.parametrize("state", ON_THE_LINE)
def test_what_may_ring_is_left_to_its_worker(database: Database, state: State) -> None:
    """
    The wish is kept; nothing else changes, no hold is touched.
    """
    call = in_state(database, state)
    before, money = states_of(database, call), money_of(database, call)

    asked = _hang_up(database, call)

    assert attrs.evolve(call, hang_up_at=after(200)) == asked == now(database, call)
    assert (before, money) == (states_of(database, call), money_of(database, call))
    assert {call.id} == database.read(lambda reader: reader.calls.to_hang_up([call.id]))


@pytest.mark.parametrize("state", OVER)
def test_what_is_over_stays_as_it_is(database: Database, state: State) -> None:
    """
    A client that hangs up too late is answered how the call ended.
    """
    call = in_state(database, state)
    money = money_of(database, call)

    assert call == _hang_up(database, call) == now(database, call)
    assert money == money_of(database, call)


@pytest.mark.parametrize("state", State)
def test_hanging_up_twice_is_hanging_up_once(database: Database, state: State) -> None:
    """
    The second time finds what the first left, its time included.
    """
    call = in_state(database, state)

    first = _hang_up(database, call)
    second = _hang_up(database, call, at_s=300)

    assert first == second == now(database, call)


@pytest.mark.parametrize("state", [State.QUEUED, State.IN_PROGRESS, State.SETTLED])
def test_nobody_hangs_up_what_is_not_theirs(database: Database, state: State) -> None:
    """
    Another account's call, and one that does not exist, are not found and stay as they are.
    """
    call = in_state(database, state)

    assert _hang_up(database, call, account_id=2) is None
    assert _hang_up(database, attrs.evolve(call, id=call.id + 1)) is None
    assert _hang_up(database, attrs.evolve(call, token="x" * 12)) is None
    assert call == now(database, call)


def test_a_talk_that_was_hung_up_is_completed_and_billed(database: Database) -> None:
    """
    The carrier's end settles it once, by the time that was talked.
    """
    call = in_state(database, State.IN_PROGRESS)
    asked = _hang_up(database, call, at_s=30)
    assert asked is not None
    end = ended(call, at=after(31), disposition=Disposition.CANCELED, talk_s=26)

    over = database.transact(partial(apply_event, dialled=asked, event=end, patience=builders.PATIENCE))

    assert (State.SETTLED, Status.COMPLETED, Disposition.CANCELED, 26) == (
        over.state,
        over.status,
        over.disposition,
        over.talk_s,
    )
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.CAPTURE: 50_000, EntryKind.RELEASE: 1_450_000} == money_of(
        database, call
    )


def test_a_lost_worker_leaves_what_it_was_to_hang_up_unknown(database: Database) -> None:
    """
    A wish is no evidence: nobody knows what became of the phone.
    """
    call = in_state(database, State.RINGING)
    _hang_up(database, call)

    database.transact(partial(tidy, limit=9, at=after(300)))

    unknown = now(database, call)
    assert (State.UNKNOWN, None, after(200)) == (unknown.state, unknown.disposition, unknown.hang_up_at)
