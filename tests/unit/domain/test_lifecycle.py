"""
The table of a call's states.
"""

import pytest

from outdial.domain.model.lifecycle import PAST_NO_RETURN, TERMINAL, TRANSITIONS, State, Trigger, next_state


def reachable(start: State) -> set[State]:
    """
    Return the states that any order of triggers leads to, but for a proof that nothing was placed.
    """
    found: set[State] = set()
    waiting = [start]
    while waiting:
        rows = TRANSITIONS[waiting.pop()]
        new = {state for trigger, state in rows.items() if trigger is not Trigger.RETRY} - found
        found |= new
        waiting.extend(new)
    return found


def test_the_table_is_total() -> None:
    """
    Each state has its row, so that each trigger has an answer in it.
    """
    assert set(State) == set(TRANSITIONS)


def test_terminal_states_lead_nowhere_but_to_better_knowledge() -> None:
    """
    A call is done when it is settled, or when it was stopped before the point of no return.
    """
    assert {State.SETTLED, State.REVEALED, State.CANCELED, State.BLOCKED} == TERMINAL
    assert {State.SETTLED: {Trigger.REVEAL: State.REVEALED}} == {
        state: TRANSITIONS[state] for state in TERMINAL if TRANSITIONS[state]
    }


def test_every_state_can_be_reached_and_ends_somewhere() -> None:
    """
    No state is dead text, and none keeps a call for ever.
    """
    assert set(State) - {State.QUEUED} == reachable(State.QUEUED) - {State.QUEUED}
    assert all(reachable(state) & TERMINAL for state in set(State) - TERMINAL)


@pytest.mark.parametrize("state", sorted(PAST_NO_RETURN))
def test_nothing_leads_back_over_the_point_of_no_return(state: State) -> None:
    """
    A call that may have rung is never queued, leased, canceled or sent again.
    """
    again = {State.QUEUED, State.LEASED, State.SENDING, State.CANCELED, State.BLOCKED}

    assert not again & reachable(state)


def test_only_an_order_that_was_just_sent_can_be_proved_not_placed() -> None:
    """
    Once anything was heard or doubted of an attempt, there is no other.
    """
    assert {State.SENDING: State.QUEUED} == {
        state: rows[Trigger.RETRY] for state, rows in TRANSITIONS.items() if Trigger.RETRY in rows
    }


def test_only_sending_crosses_the_point_of_no_return() -> None:
    """
    There is one way from a waiting call to a phone that may ring.
    """
    crossings = [
        (state, trigger)
        for state, rows in TRANSITIONS.items()
        for trigger, after in rows.items()
        if state not in PAST_NO_RETURN and after in PAST_NO_RETURN
    ]

    assert [(State.LEASED, Trigger.SEND)] == crossings


def test_a_call_that_rang_ends_before_it_is_settled() -> None:
    """
    Money is settled once, after the end.
    """
    sources = [state for state, rows in TRANSITIONS.items() if State.SETTLED in rows.values()]

    assert [State.ENDED] == sources


@pytest.mark.parametrize("state", [State.SENDING, State.UNKNOWN, State.DIALING])
@pytest.mark.parametrize(
    ("trigger", "after"),
    [(Trigger.RING, State.RINGING), (Trigger.ANSWER, State.IN_PROGRESS), (Trigger.END, State.ENDED)],
)
def test_states_on_the_line_may_be_skipped(state: State, trigger: Trigger, after: State) -> None:
    """
    Networks leave out what they like: any later event is taken.
    """
    assert after is next_state(state, trigger)


@pytest.mark.parametrize(
    ("state", "trigger"),
    [
        (State.RINGING, Trigger.PLACE),
        (State.RINGING, Trigger.RING),
        (State.IN_PROGRESS, Trigger.RING),
        (State.IN_PROGRESS, Trigger.ANSWER),
        (State.ENDED, Trigger.ANSWER),
        (State.ENDED, Trigger.END),
        (State.SENDING, Trigger.LEASE),
        (State.SENDING, Trigger.RETURN),
        (State.SENDING, Trigger.CANCEL),
        (State.UNKNOWN, Trigger.SEND),
        (State.QUEUED, Trigger.SEND),
        (State.QUEUED, Trigger.ANSWER),
        (State.LEASED, Trigger.LEASE),
    ],
)
def test_late_and_early_triggers_change_nothing(state: State, trigger: Trigger) -> None:
    """
    What has no row for the state is ignored.
    """
    assert None is next_state(state, trigger)
