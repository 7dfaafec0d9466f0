"""
A call's life under any order of triggers.
"""

from hypothesis import event, given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from outdial.domain.model.call import Call, Status
from outdial.domain.model.lifecycle import PAST_NO_RETURN, TERMINAL, State, Trigger
from tests import builders

ORDER = (Status.QUEUED, Status.DIALING, Status.RINGING, Status.IN_PROGRESS, Status.FAILED)


class CallLife(RuleBasedStateMachine):
    """
    Sends a call whatever can happen, in whichever order, and watches it.
    """

    def __init__(self) -> None:
        """
        Begin with a call that was just accepted.
        """
        super().__init__()
        self.call: Call = builders.call()
        self.path: list[Call] = [self.call]

    @rule(trigger=st.sampled_from(Trigger))
    def happen(self, trigger: Trigger) -> None:
        """
        Something happens, whether the state knows it or not.
        """
        after = self.call.after(trigger)
        if after is not None:
            self.call = after
            self.path.append(after)

    @rule()
    def go_on(self) -> None:
        """
        The next step of a call that goes well, so that long lives are met often.
        """
        for trigger in (Trigger.LEASE, Trigger.SEND, Trigger.PLACE, Trigger.RING, Trigger.ANSWER, Trigger.END):
            if (after := self.call.after(trigger)) is not None:
                self.call = after
                self.path.append(after)
                return

    @invariant()
    def terminal_is_final(self) -> None:
        """
        Only the last state of a life can be a terminal one.
        """
        assert not any(call.is_terminal for call in self.path[:-1])
        assert self.call.is_terminal is (self.call.state in TERMINAL)

    @invariant()
    def it_is_sent_at_most_once(self) -> None:
        """
        The point of no return is passed once, and never again walked back over.
        """
        states = [call.state for call in self.path]
        assert states.count(State.SENDING) <= 1
        if State.SENDING in states:
            later = set(states[states.index(State.SENDING) :])
            assert later <= PAST_NO_RETURN | {State.SETTLED}

    @invariant()
    def each_change_is_a_version(self) -> None:
        """
        Versions count the changes without a gap.
        """
        assert [call.version for call in self.path] == list(range(len(self.path)))

    @invariant()
    def clients_see_progress_only(self) -> None:
        """
        The status on the wire never goes back.
        """
        steps = [ORDER.index(call.status) for call in self.path]
        assert steps == sorted(steps)


TestCallLife = CallLife.TestCase


@given(triggers=st.lists(st.sampled_from(Trigger), max_size=30))
def test_a_trigger_changes_the_state_and_nothing_else(triggers: list[Trigger]) -> None:
    """
    What was promised at accept is the same in every later state.
    """
    call = builders.call()
    for trigger in triggers:
        call = call.after(trigger) or call

    event(call.state)
    assert builders.call(state=call.state, version=call.version) == call
