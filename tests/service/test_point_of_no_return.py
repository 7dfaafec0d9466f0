"""
The last look before any byte leaves the machine.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

import attrs
import pytest

from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Accepted
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.facts import Facts
from outdial.domain.model.lifecycle import State
from outdial.domain.model.principal import Operator
from outdial.domain.model.refusal import Decided
from outdial.domain.model.wallet import EntryKind
from outdial.domain.rules.ladder import decide_all
from outdial.domain.service.administration import revoke_key
from outdial.domain.service.dialling import give_up, order_for, pass_no_return
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, accepted_of
from tests.listing import delist_callee, list_callee
from tests.service.calls import HOLD_MICROS, after, in_state, lose_hold, money_of, now, states_of, take, tidy, wallet


def _pass(database: Database, call: Call, at_s: float = 2) -> Call | None:
    return database.transact(partial(pass_no_return, leased=call, at=after(at_s), patience=builders.PATIENCE))


def test_a_leased_call_passes(database: Database) -> None:
    """
    Passing is one durable step: the attempt gets its number and the call its time of dialling.
    """
    call = in_state(database, State.LEASED)

    sending = _pass(database, call)

    assert sending == now(database, call)
    changes: dict[str, Any] = {
        "attempt": 1,
        "dialed_at": after(2),
        "deadline_at": after(52),
        "version": call.version + 1,
    }
    assert attrs.evolve(call, state=State.SENDING, **changes) == sending


def test_asking_twice_is_answered_alike(database: Database) -> None:
    """
    Whoever holds the lease and lost the answer may ask again: it is the same attempt.
    """
    call = in_state(database, State.LEASED)

    answers = [_pass(database, call), _pass(database, call, at_s=3)]

    assert answers[0] is not None
    assert answers[0] == answers[1]
    assert [State.QUEUED, State.LEASED, State.SENDING] == states_of(database, call)


def test_an_older_lease_does_not_pass(database: Database) -> None:
    """
    A worker that was thought lost and comes back finds the fence raised.
    """
    older = in_state(database, State.LEASED)
    database.transact(partial(tidy, limit=1, at=after(2)))
    (newer,) = database.transact(partial(take, limit=1, at=after(3)))

    refused, passed = _pass(database, older), _pass(database, newer)

    assert refused is None
    assert passed is not None


def test_an_older_lease_does_not_join_the_attempt_of_a_newer_one(database: Database) -> None:
    """
    A call that is being sent is handed to the holder of its present fence alone.
    """
    older = in_state(database, State.LEASED)
    database.transact(partial(tidy, limit=1, at=after(2)))
    (newer,) = database.transact(partial(take, limit=1, at=after(3)))
    _pass(database, newer)

    assert _pass(database, older) is None


@pytest.mark.parametrize("state", sorted(set(State) - {State.LEASED, State.SENDING}))
def test_no_other_state_passes(database: Database, state: State) -> None:
    """
    Only a leased call may be dialled, whatever its fence.
    """
    call = in_state(database, state)

    assert _pass(database, call) is None
    assert call == now(database, call)


def test_a_call_that_is_not_stored_does_not_pass(database: Database) -> None:
    """
    Nothing is dialled that storage does not know.
    """
    assert _pass(database, builders.call(state=State.LEASED)) is None


def _list(transaction: Transaction) -> None:
    list_callee(transaction)


def _list_by_operator(transaction: Transaction) -> None:
    list_callee(transaction, None)


def _revoke(transaction: Transaction) -> None:
    revoke_key(transaction, builders.KEY_ID, at=after(1))


def _expire(transaction: Transaction) -> None:
    transaction.directory.update_key(builders.api_key(expires_at=after(2)))


OBSTACLES: Final[tuple[tuple[Callable[[Transaction], None], Disposition], ...]] = (
    (_list, Disposition.DO_NOT_CALL),
    (_list_by_operator, Disposition.DO_NOT_CALL),
    (_revoke, Disposition.CANCELED),
    (_expire, Disposition.CANCELED),
)


def test_an_expired_call_does_not_pass(database: Database) -> None:
    """
    However long it took to get its agent ready: what came too late is not dialled.
    """
    call = in_state(database, State.LEASED)

    assert _pass(database, call, at_s=86_400) is None
    assert (State.BLOCKED, Disposition.EXPIRED) == (now(database, call).state, now(database, call).disposition)
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)


def test_a_call_passes_until_the_moment_it_expires(database: Database) -> None:
    """
    Its time is its own until it is over.
    """
    call = in_state(database, State.LEASED)

    assert _pass(database, call, at_s=86_399.999) is not None


def test_a_call_whose_hold_is_gone_does_not_pass(database: Database) -> None:
    """
    Nobody is rung at nobody's expense, and nothing is released twice.
    """
    call = in_state(database, State.LEASED)
    lose_hold(database, call)

    assert _pass(database, call) is None
    assert (State.BLOCKED, Disposition.INSUFFICIENT_FUNDS) == (
        now(database, call).state,
        now(database, call).disposition,
    )
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)


@pytest.mark.parametrize(("change", "disposition"), OBSTACLES)
def test_what_changed_since_the_acceptance_counts(
    database: Database, change: Callable[[Transaction], None], disposition: Disposition
) -> None:
    """
    A call that would be refused by now is not dialled, and its whole hold is free again.
    """
    call = in_state(database, State.LEASED)
    database.transact(change)

    passed = _pass(database, call)

    blocked = now(database, call)
    assert passed is None
    assert (State.BLOCKED, disposition, after(2), 0) == (
        blocked.state,
        blocked.disposition,
        blocked.ended_at,
        blocked.attempt,
    )
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)
    assert 0 == wallet(database).held_micros


@pytest.mark.parametrize("owner", [builders.ACCOUNT_ID, None])
def test_an_entry_that_expired_by_now_is_no_obstacle(database: Database, owner: int | None) -> None:
    """
    What counts is the time of dialling, on the account's lists and on the operator's.
    """
    call = in_state(database, State.LEASED)
    database.transact(partial(list_callee, account_id=owner, expires_at=after(2)))

    passed = _pass(database, call)

    assert passed is not None
    assert State.SENDING is passed.state


def test_a_blocked_call_stays_blocked(database: Database) -> None:
    """
    Taking the number off the list again dials nothing that was ended for it.
    """
    call = in_state(database, State.LEASED)
    database.transact(_list)
    _pass(database, call)
    database.transact(delist_callee)

    assert _pass(database, call) is None
    assert State.BLOCKED is now(database, call).state


@pytest.mark.parametrize(
    "changes",
    [{"caller_id": builders.CALLEE}, {"agent_id": 321}, {"key_id": 321}],
    ids=["other number", "agent gone", "key gone"],
)
def test_key_and_agent_must_still_be_those_of_the_call(database: Database, changes: dict[str, object]) -> None:
    """
    A call is not dialled under a number that its agent no longer has, nor for an agent or a key that is gone.
    """
    accepted = _accept_changed(database, **changes)
    (call,) = database.transact(partial(take, limit=1, at=after(1)))

    passed = _pass(database, call)

    assert passed is None
    assert Disposition.CANCELED is now(database, accepted).disposition
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)


def test_the_operators_calls_need_no_key(database: Database) -> None:
    """
    A call that was asked for without a key passes.
    """
    database.accept(builders.request(credential=Operator(account_id=builders.ACCOUNT_ID)))
    (call,) = database.transact(partial(take, limit=1, at=after(1)))

    assert _pass(database, call) is not None


def test_the_order_says_what_the_carrier_needs(database: Database) -> None:
    """
    An order names the attempt and carries the call's numbers and limits.
    """
    call = in_state(database, State.SENDING)

    order = order_for(call, ring_timeout_s=40)

    assert (call.attempt_id, builders.CALLEE, builders.CALLER_ID, 40, 1800) == (
        order.attempt_id,
        order.callee,
        order.caller_id,
        order.ring_timeout_s,
        order.max_duration_s,
    )


def test_a_call_without_its_agent_is_given_up(database: Database) -> None:
    """
    A leased call whose agent can't talk ends with the reason, and its hold is free again.
    """
    call = in_state(database, State.LEASED)
    cause = HangUpCause(words="There is no voice.")

    database.transact(partial(give_up, leased=call, at=after(2), cause=cause))

    ended = now(database, call)
    assert (State.BLOCKED, Disposition.CARRIER_ERROR, cause) == (ended.state, ended.disposition, ended.cause)
    assert {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS} == money_of(database, call)


@pytest.mark.parametrize("state", sorted(set(State) - {State.LEASED}))
def test_only_a_leased_call_is_given_up(database: Database, state: State) -> None:
    """
    Giving up comes too late, or twice, without effect.
    """
    call = in_state(database, state)

    database.transact(partial(give_up, leased=call, at=after(200), cause=HangUpCause()))

    assert call == now(database, call)


def test_an_older_lease_gives_nothing_up(database: Database) -> None:
    """
    A worker that was thought lost does not end the call of its successor.
    """
    older = in_state(database, State.LEASED)
    database.transact(partial(tidy, limit=1, at=after(2)))
    (newer,) = database.transact(partial(take, limit=1, at=after(3)))

    database.transact(partial(give_up, leased=older, at=after(4), cause=HangUpCause()))

    assert newer == now(database, newer)


def test_a_call_that_is_not_stored_is_not_given_up(database: Database) -> None:
    """
    Giving up what storage does not know changes nothing.
    """
    database.transact(partial(give_up, leased=builders.call(), at=after(2), cause=HangUpCause()))

    assert () == database.read(lambda reader: reader.calls.in_states(frozenset(State), 1))


def _accept_changed(database: Database, **changes: Any) -> Call:
    """
    Have a call accepted that differs from what the rules would write down.
    """

    def decide(requests: Sequence[CallRequest], snapshot: Sequence[Facts]) -> list[Decided]:
        accepted = accepted_of([one.decision for one in decide_all(requests, snapshot)])
        return [Decided(decision=attrs.evolve(one, call=attrs.evolve(one.call, **changes))) for one in accepted]

    (decision,) = database.accept(builders.request(), decide=decide)
    assert isinstance(decision, Accepted)
    return decision.call
