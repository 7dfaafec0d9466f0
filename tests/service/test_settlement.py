"""
Money at the end of a call: captured and released once, together its hold.
"""

from functools import partial

import attrs
import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from outdial.domain.model.agent import AgentTotals
from outdial.domain.model.call import Status
from outdial.domain.model.call_event import Ended
from outdial.domain.model.decision import Accepted
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.domain.model.rate import Rate
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.dialling import pass_no_return
from outdial.domain.service.progress import apply_event
from outdial.domain.service.settlement import block, charge_of, end
from tests import builders, strategies
from tests.contract.storage.database import Database, fresh, furnish
from tests.service.calls import (
    DEPOSIT_MICROS,
    HOLD_MICROS,
    after,
    answered,
    ended,
    in_state,
    lose_hold,
    money_of,
    now,
    take,
    wallet,
)

UNBILLED = {EntryKind.HOLD: HOLD_MICROS, EntryKind.RELEASE: HOLD_MICROS}


@pytest.mark.parametrize(
    ("talk_s", "charge"),
    [(1, 50_000), (60, 50_000), (61, 100_000), (1799, 1_500_000), (1800, 1_500_000), (10**9, 1_500_000)],
)
def test_talk_time_is_captured_and_the_rest_released(database: Database, talk_s: int, charge: int) -> None:
    """
    The charge is the price of the talk time and never more than the hold; both entries make up the hold.
    """
    call = in_state(database, State.IN_PROGRESS)

    over = database.transact(
        partial(apply_event, dialled=call, event=ended(call, talk_s=talk_s), patience=builders.PATIENCE)
    )

    money = money_of(database, call)
    released = HOLD_MICROS - charge
    assert charge == over.charge_micros == money[EntryKind.CAPTURE]
    assert released == money.get(EntryKind.RELEASE, 0)
    assert (EntryKind.RELEASE in money) is (released > 0)
    assert (DEPOSIT_MICROS - charge, 0) == (wallet(database).balance_micros, wallet(database).held_micros)


def test_what_was_talked_counts_for_the_agent_once(database: Database) -> None:
    """
    Telling the end again adds nothing; a call that was never answered counts as a call without talk.
    """
    call = in_state(database, State.IN_PROGRESS)
    for _ in range(2):
        database.transact(partial(apply_event, dialled=call, event=ended(call, talk_s=90), patience=builders.PATIENCE))
    in_state(database, State.BLOCKED)

    totals = database.read(lambda reader: reader.directory.agent_totals(builders.ACCOUNT_ID, [builders.AGENT_ID]))

    assert {builders.AGENT_ID: AgentTotals(calls=2, talk_s=90)} == totals


@pytest.mark.parametrize("talk_s", [0, 90])
def test_a_free_call_closes_its_hold_of_nothing(database: Database, talk_s: int) -> None:
    """
    A call that costs nothing holds nothing and releases nothing, on the ledger all the same.
    """
    database.transact(lambda transaction: transaction.rulebook.set_rate(builders.rate(per_minute_micros=0)))
    call = in_state(database, State.IN_PROGRESS)

    over = database.transact(
        partial(apply_event, dialled=call, event=ended(call, talk_s=talk_s), patience=builders.PATIENCE)
    )

    assert 0 == over.charge_micros
    assert {EntryKind.HOLD: 0, EntryKind.RELEASE: 0} == money_of(database, call)
    assert DEPOSIT_MICROS == wallet(database).available_micros


@pytest.mark.parametrize("disposition", [Disposition.CARRIER_ERROR, Disposition.DISCONNECTED])
def test_an_answered_call_that_was_broken_off_failed_and_is_billed(
    database: Database, disposition: Disposition
) -> None:
    """
    What was talked before the line broke is paid for.
    """
    call = in_state(database, State.IN_PROGRESS)

    over = database.transact(
        partial(
            apply_event, dialled=call, event=ended(call, talk_s=30, disposition=disposition), patience=builders.PATIENCE
        )
    )

    assert (Status.FAILED, 50_000) == (over.status, over.charge_micros)


def test_an_answer_without_talk_time_is_billed_one_increment(database: Database) -> None:
    """
    An answered call costs its first increment, whatever the carrier says of its length.
    """
    call = in_state(database, State.IN_PROGRESS)

    over = database.transact(
        partial(apply_event, dialled=call, event=ended(call, talk_s=0), patience=builders.PATIENCE)
    )

    assert 50_000 == over.charge_micros


@pytest.mark.parametrize("disposition", Disposition)
def test_nobody_pays_for_what_nobody_knows(disposition: Disposition) -> None:
    """
    Of answered calls only those with an unknown outcome are free.
    """
    call = builders.call(answered_at=after(5), talk_s=60, disposition=disposition)

    charge = charge_of(call)

    assert (0 if disposition is Disposition.OUTCOME_UNKNOWN else 50_000) == charge


@pytest.mark.parametrize("disposition", Disposition)
def test_what_was_not_answered_is_free(disposition: Disposition) -> None:
    """
    Without an answer there is no charge, whatever else is said.
    """
    assert 0 == charge_of(builders.call(answered_at=None, talk_s=60, disposition=disposition))


def test_a_call_is_settled_once(database: Database) -> None:
    """
    Ending and blocking a settled call move no money and write nothing.
    """
    call = in_state(database, State.SETTLED)
    before = (wallet(database), money_of(database, call))

    database.transact(partial(end, call=call, at=after(200), disposition=Disposition.BUSY))
    database.transact(partial(block, call=call, at=after(200), disposition=Disposition.CANCELED))

    assert before == (wallet(database), money_of(database, call))
    assert call == now(database, call)


def test_a_call_whose_hold_is_gone_ends_all_the_same(database: Database) -> None:
    """
    Nothing can be captured any more; a call that could not end would be looked after for ever.
    """
    call = in_state(database, State.IN_PROGRESS)
    lose_hold(database, call)

    over = database.transact(partial(apply_event, dialled=call, event=ended(call), patience=builders.PATIENCE))

    assert (State.SETTLED, 90, 0) == (over.state, over.talk_s, over.charge_micros)
    assert (UNBILLED, DEPOSIT_MICROS) == (money_of(database, call), wallet(database).available_micros)


@pytest.mark.parametrize("state", [State.QUEUED, State.LEASED])
def test_what_was_not_dialled_can_be_blocked_and_not_ended(database: Database, state: State) -> None:
    """
    Only an attempt can end; a call without one is blocked.
    """
    call = in_state(database, state)

    untouched = database.transact(partial(end, call=call, at=after(2), disposition=Disposition.BUSY))
    database.transact(partial(block, call=call, at=after(2), disposition=Disposition.CANCELED))

    assert call == untouched
    assert State.BLOCKED is now(database, call).state
    assert money_of(database, call) == UNBILLED


@pytest.mark.parametrize("state", [State.SENDING, State.RINGING, State.IN_PROGRESS])
def test_what_may_ring_can_not_be_blocked(database: Database, state: State) -> None:
    """
    After the point of no return there is an attempt, and it has to end.
    """
    call = in_state(database, state)

    database.transact(partial(block, call=call, at=after(200), disposition=Disposition.CANCELED))

    assert call == now(database, call)


@given(rate=strategies.rates(prefix=st.just("1")), talk_s=st.integers(0, 100_000), is_answered=st.booleans())
def test_capture_and_release_are_the_hold(rate: Rate, talk_s: int, is_answered: bool) -> None:  # noqa: FBT001
    """
    Whatever the price and the talk time: one hold, and what leaves it adds up to it.
    """
    with fresh("memory") as database:
        database.transact(partial(furnish, deposit_micros=10**18))
        database.transact(lambda transaction: transaction.rulebook.set_rate(rate))
        (decision,) = database.accept(builders.request(), policy=builders.policy(minimum_hold_s=1))
        if not isinstance(decision, Accepted):
            event("too expensive")
            return
        (leased,) = database.transact(partial(take, limit=1, at=after(1)))
        call = database.transact(partial(pass_no_return, leased=leased, at=after(2), patience=builders.PATIENCE))
        assert call is not None
        if is_answered:
            call = database.transact(
                partial(apply_event, dialled=call, event=answered(call), patience=builders.PATIENCE)
            )
        report: Ended = ended(call, talk_s=talk_s)

        over = database.transact(
            partial(apply_event, dialled=call, event=attrs.evolve(report), patience=builders.PATIENCE)
        )

        money = money_of(database, over)
        event("answered" if over.answered_at is not None else "not answered")
        price = rate.price(talk_s) if over.answered_at is not None else 0
        assert min(price, over.hold_micros) == over.charge_micros == money.get(EntryKind.CAPTURE, 0)
        assert over.hold_micros == money.get(EntryKind.CAPTURE, 0) + money.get(EntryKind.RELEASE, 0)
        assert 0 == wallet(database).held_micros
        assert 10**18 - over.charge_micros == wallet(database).balance_micros
