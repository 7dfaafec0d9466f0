"""
What follows when the network surely did not take an order.
"""

from functools import partial
from typing import Final

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.patience import Patience
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.dialling import pass_no_return, refuse
from outdial.domain.service.hanging_up import hang_up
from outdial.domain.service.reconciliation import reconcile
from tests import builders
from tests.contract.storage.database import Database
from tests.listing import list_callee
from tests.service.calls import HOLD_MICROS, after, in_state, money_of, now, states_of, take

DOWN: Final = HangUpCause(code=503, words="Service Unavailable")
OF_THE_CALLEE: Final = sorted(set(Disposition) - {Disposition.CARRIER_ERROR})


def _refuse(
    database: Database,
    call: Call,
    at_s: float = 3,
    *,
    disposition: Disposition = Disposition.CARRIER_ERROR,
    is_lasting: bool = False,
    patience: Patience = builders.PATIENCE,
) -> Call:
    work = partial(refuse, dialled=call, disposition=disposition, cause=DOWN, is_lasting=is_lasting, patience=patience)
    return database.transact(partial(work, at=after(at_s)))


def _dial(database: Database, at_s: float) -> Call | None:
    taken = database.transact(partial(take, limit=1, at=after(at_s)))
    if not taken:
        return None
    work = partial(pass_no_return, leased=taken[0], at=after(at_s), patience=builders.PATIENCE)
    return database.transact(work)


def test_trouble_of_the_network_gives_a_next_attempt(database: Database) -> None:
    """
    The call is queued with its hold until its pause is over, and then dialled under another attempt id.
    """
    call = in_state(database, State.SENDING)

    queued = _refuse(database, call)

    assert queued == now(database, call)
    assert (State.QUEUED, Disposition.CARRIER_ERROR, DOWN, None, 1) == (
        queued.state,
        queued.disposition,
        queued.cause,
        queued.deadline_at,
        queued.attempt,
    )
    assert {EntryKind.HOLD: HOLD_MICROS} == money_of(database, call)
    assert queued.not_before is not None
    pause_s = (queued.not_before - after(3)).total_seconds()
    assert 3.75 <= pause_s <= 6.25
    assert _dial(database, 3 + pause_s - 0.01) is None
    again = _dial(database, 3 + pause_s + 0.01)
    assert again is not None
    assert (2, None, None, None) == (again.attempt, again.disposition, again.cause, again.not_before)
    assert call.attempt_id != again.attempt_id


def test_attempts_are_bounded(database: Database) -> None:
    """
    After the last one the call fails with the network's words, and its hold is free.
    """
    call = in_state(database, State.SENDING)
    for at_s in (100, 200):
        _refuse(database, call, at_s)
        dialled = _dial(database, at_s + 99)
        assert dialled is not None
        call = dialled

    over = _refuse(database, call, 300)

    assert (State.SETTLED, Disposition.CARRIER_ERROR, DOWN, 3) == (
        over.state,
        over.disposition,
        over.cause,
        over.attempt,
    )
    assert 3 == states_of(database, call).count(State.SENDING)
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)


@pytest.mark.parametrize("disposition", OF_THE_CALLEE)
def test_what_the_network_says_of_the_callee_stays_true(database: Database, disposition: Disposition) -> None:
    """
    A busy phone, a wrong number, a refusal: none of them is dialled again by itself.
    """
    call = in_state(database, State.SENDING)

    over = _refuse(database, call, disposition=disposition)

    assert (State.SETTLED, disposition) == (over.state, over.disposition)


def test_what_has_to_be_set_right_first_is_not_tried_again(database: Database) -> None:
    """
    Wrong credentials stay wrong.
    """
    call = in_state(database, State.SENDING)

    over = _refuse(database, call, is_lasting=True)

    assert (State.SETTLED, Disposition.CARRIER_ERROR, 1) == (over.state, over.disposition, over.attempt)


@pytest.mark.parametrize("state", sorted(set(State) - {State.SENDING}))
def test_only_an_attempt_of_which_nothing_was_heard_is_followed_by_another(database: Database, state: State) -> None:
    """
    Whatever the network proves later: a call that was doubted, rang or is over is never queued again.
    """
    call = in_state(database, state)

    after_it = _refuse(database, call)

    assert (state is State.QUEUED) is (after_it.state is State.QUEUED)
    if call.is_terminal or state in {State.QUEUED, State.LEASED}:
        assert call == after_it


def test_a_call_that_is_to_be_hung_up_is_not_dialled_again(database: Database) -> None:
    """
    Its client wanted its end while the order was on its way.
    """
    call = in_state(database, State.SENDING)
    reference = CallReference(number=call.id)
    database.transact(partial(hang_up, account=builders.account(), reference=reference, at=after(3)))

    over = _refuse(database, call)

    assert (State.SETTLED, Disposition.CARRIER_ERROR) == (over.state, over.disposition)


def test_a_call_that_waits_for_its_next_attempt_is_canceled_at_once(database: Database) -> None:
    """
    As nothing is on the line for it.
    """
    call = _refuse(database, in_state(database, State.SENDING))
    reference = CallReference(number=call.id)

    database.transact(partial(hang_up, account=builders.account(), reference=reference, at=after(4)))

    over = now(database, call)
    assert (State.CANCELED, Disposition.CANCELED, None, None) == (
        over.state,
        over.disposition,
        over.cause,
        over.not_before,
    )
    assert _dial(database, 1000) is None


def test_a_number_that_was_listed_meanwhile_is_not_dialled_again(database: Database) -> None:
    """
    The next attempt passes the point of no return like the first.
    """
    call = _refuse(database, in_state(database, State.SENDING))
    database.transact(list_callee)

    assert _dial(database, 1000) is None
    assert Disposition.DO_NOT_CALL is now(database, call).disposition


def test_a_call_that_expires_before_its_next_attempt_waits_no_more(database: Database) -> None:
    """
    Nothing says any longer when it will be dialled.
    """
    call = _refuse(database, in_state(database, State.SENDING))

    database.transact(partial(reconcile, limit=9, at=call.expires_at, patience=builders.PATIENCE))

    over = now(database, call)
    assert (State.BLOCKED, Disposition.EXPIRED, None) == (over.state, over.disposition, over.not_before)


def test_a_call_that_would_expire_first_is_over(database: Database) -> None:
    """
    Nobody waits for an attempt that can't be made.
    """
    call = in_state(database, State.SENDING)

    over = _refuse(database, call, at_s=86_398)

    assert (State.SETTLED, Disposition.CARRIER_ERROR) == (over.state, over.disposition)


def test_a_refusal_of_an_earlier_attempt_changes_nothing(database: Database) -> None:
    """
    Heard twice, it queues the call once.
    """
    first = in_state(database, State.SENDING)
    _refuse(database, first)
    second = _dial(database, 1000)

    assert second == _refuse(database, first, at_s=1001) == now(database, first)


def test_a_call_that_is_not_stored_is_not_queued(database: Database) -> None:
    """
    What storage lost stays lost.
    """
    call = builders.call(state=State.SENDING, attempt=1)

    assert call == _refuse(database, call)
    assert () == database.read(lambda reader: reader.calls.in_states(frozenset(State), 1))


@given(number=st.integers(1, 2**62), attempt=st.integers(1, 9))
def test_pauses_grow_and_are_spread(number: int, attempt: int) -> None:
    """
    Each is three times the one before, up to a quarter shorter or longer by the call's number.
    """
    call = attrs.evolve(builders.call(), id=number, attempt=attempt)

    again_at = Patience(attempts_max=10).next_attempt(call, Disposition.CARRIER_ERROR, builders.NOW)

    pause_s = 5 * 3 ** (attempt - 1)
    assert again_at is not None
    assert 0.75 * pause_s <= (again_at - builders.NOW).total_seconds() <= 1.25 * pause_s
