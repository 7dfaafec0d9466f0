"""
A call as clients and workers see it.
"""

from datetime import timedelta

import attrs
import pytest

from outdial.domain.model.call import BROKEN_OFF, Status
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State, Trigger
from tests import builders

STATUSES = {
    State.QUEUED: Status.QUEUED,
    State.LEASED: Status.QUEUED,
    State.SENDING: Status.DIALING,
    State.UNKNOWN: Status.DIALING,
    State.DIALING: Status.DIALING,
    State.RINGING: Status.RINGING,
    State.IN_PROGRESS: Status.IN_PROGRESS,
    State.ENDED: Status.FAILED,
    State.SETTLED: Status.FAILED,
    State.REVEALED: Status.FAILED,
    State.CANCELED: Status.FAILED,
    State.BLOCKED: Status.FAILED,
}


@pytest.mark.parametrize("state", State)
def test_each_state_has_a_status(state: State) -> None:
    """
    Clients see six statuses; a call without an answer fails.
    """
    assert STATUSES[state] is builders.call(state=state).status


@pytest.mark.parametrize("state", [State.ENDED, State.SETTLED, State.REVEALED])
@pytest.mark.parametrize("disposition", Disposition)
def test_an_answered_call_is_completed_unless_it_broke_off(state: State, disposition: Disposition) -> None:
    """
    A conversation that took place counts, but for one that the network cut or nobody knows the end of.
    """
    call = builders.call(state=state, answered_at=builders.NOW, disposition=disposition)

    assert (Status.FAILED if disposition in BROKEN_OFF else Status.COMPLETED) is call.status


@pytest.mark.parametrize("disposition", Disposition)
def test_an_ended_call_without_an_answer_failed(disposition: Disposition) -> None:
    """
    Whatever ended it, nobody talked.
    """
    assert Status.FAILED is builders.call(state=State.ENDED, disposition=disposition).status


@pytest.mark.parametrize("state", State)
def test_terminal_states_make_a_terminal_call(state: State) -> None:
    """
    Settled, revealed, canceled and blocked calls see no more change.
    """
    assert (state in {State.SETTLED, State.REVEALED, State.CANCELED, State.BLOCKED}) is builders.call(
        state=state
    ).is_terminal


def test_a_trigger_takes_what_it_found_out_along() -> None:
    """
    The fields that an event tells are changed with the state, as one version.
    """
    call = builders.call(state=State.RINGING, version=4)
    answered_at = builders.NOW + timedelta(seconds=9)

    answered = call.after(Trigger.ANSWER, answered_at=answered_at)
    assert answered is not None
    ended = answered.after(Trigger.END, ended_at=answered_at, disposition=Disposition.HANG_UP_CALLEE, talk_s=1)

    expected = builders.call(
        state=State.ENDED,
        version=6,
        answered_at=answered_at,
        ended_at=answered_at,
        disposition=Disposition.HANG_UP_CALLEE,
        talk_s=1,
    )
    assert expected == ended


def test_a_late_trigger_takes_nothing_along() -> None:
    """
    An answer after the end is no answer.
    """
    assert None is builders.call(state=State.ENDED).after(Trigger.ANSWER, answered_at=builders.NOW)


def test_a_call_is_never_changed_in_place() -> None:
    """
    A changed call is another value.
    """
    call = builders.call()

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        call.state = State.LEASED  # type: ignore[misc]


def test_a_record_of_a_call_is_never_changed() -> None:
    """
    The log of a call can only grow.
    """
    record = CallRecord(
        number=1,
        call_id=builders.CALL_NUMBER,
        account_id=builders.ACCOUNT_ID,
        state=State.QUEUED,
        disposition=None,
        at=builders.NOW,
    )

    with pytest.raises(attrs.exceptions.FrozenInstanceError):
        record.state = State.LEASED  # type: ignore[misc]


def test_an_attempt_is_named_after_its_call() -> None:
    """
    Each attempt has a name that no other call or database gives.
    """
    assert "call_789_aB3dE6gH9jK2_1" == builders.call(attempt=1).attempt_id
