"""
A call's life under any order of triggers.
"""

from itertools import pairwise

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
        self.triggers: set[Trigger] = set()

    @rule(trigger=st.sampled_from(Trigger))
    def happen(self, trigger: Trigger) -> None:
        """
        Something happens, whether the state knows it or not.
        """
        after = self.call.after(trigger)
        if after is not None:
            self.call = after
            self.path.append(after)
            self.triggers.add(trigger)

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
        Only the last state of a life can be a terminal one, but for an outcome that is revealed.
        """
        before = self.path[:-1] if self.call.state is not State.REVEALED else self.path[:-2]
        assert not any(call.is_terminal for call in before)
        assert self.call.is_terminal is (self.call.state in TERMINAL)

    @invariant()
    def it_is_sent_again_only_after_a_refusal(self) -> None:
        """
        The point of no return is walked back over from `sending` alone, and from nowhere else.
        """
        states = [call.state for call in self.path]
        for before, after in pairwise(states):
            if before in PAST_NO_RETURN:
                assert after in PAST_NO_RETURN | {State.SETTLED} or (before, after) == (State.SENDING, State.QUEUED)

    @invariant()
    def each_change_is_a_version(self) -> None:
        """
        Versions count the changes without a gap.
        """
        assert [call.version for call in self.path] == list(range(len(self.path)))

    @invariant()
    def clients_see_progress_only(self) -> None:
        """
        The status on the wire never goes back, but for a doubt or a next attempt.
        """
        steps = [ORDER.index(call.status) for call in self.path]
        assert steps == sorted(steps) or {Trigger.DOUBT, Trigger.RETRY} & self.triggers


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
