"""
One outbound call from its acceptance to its settlement.
"""

from datetime import datetime
from enum import StrEnum
from typing import Any, Final, assert_never

import attrs

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import write_call_id
from outdial.domain.model.lifecycle import TERMINAL, State, Trigger, next_state
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.rate import Rate
from outdial.domain.model.template import Variables


class Status(StrEnum):
    """
    A call's state as clients see it.
    """

    QUEUED = "queued"
    DIALING = "dialing"
    RINGING = "ringing"
    IN_PROGRESS = "in-progress"
    COMPLETED = "completed"
    FAILED = "failed"


UNKNOWN: Final = State.UNKNOWN.value
"""What calls are listed as that clients see as `dialing`, and of which nobody knows whether they ring or talk."""

BROKEN_OFF: Final = frozenset({Disposition.CARRIER_ERROR, Disposition.DISCONNECTED, Disposition.OUTCOME_UNKNOWN})
"""Ends that make an answered call a failed one."""


@attrs.frozen(kw_only=True)
class Script:
    """
    What the agent says and knows in one call: rendered at accept, never changed.

    Attributes:
        greeting: The agent's greeting with its variables filled.

        instructions: The agent's instructions with their variables filled.

        variables: What the client gave, used or not.
    """

    greeting: str
    instructions: str
    variables: Variables


@attrs.frozen(kw_only=True)
class Call:
    """
    A call that was accepted: what was promised, and how far it came.

    Attributes:
        token: Random part of its public id, so that no two databases ever name two calls alike.

        key_id: The key it was asked with; `None` for the operator.

        agent_name: The agent's name at accept; so `assistant_id`, `runtime` and `sip_uri`.

        caller_id: The agent's number at accept, shown to the callee.

        rate: The price agreed at accept.

        hold_micros: Money set aside for it.

        max_duration_s: Talk time that the hold pays for; at least 1.

        expires_at: It is not dialled from then on.

        idempotency_key: What the client calls the request by; no two calls of an account have the same.

        request_digest: What that request said, 32 bytes; `None` without a key.

        trace_parent: The request's place in its trace, as W3C Trace Context writes it; `None` when nobody traces.

        worker_id: Who sees it through since its last lease; `None` before the first.

        fence: How often it was leased; a lease by an older fence may write no more.

        attempt: How often it passed the point of no return; again only after the network surely did not take it.

        dialed_at: When it passed the point of no return the last time.

        disposition: How it came out; of a queued call, how its last attempt did.

        charge_micros: What was settled; 0 until then.

        not_before: When it may be leased for its next attempt; `None` at once.

        deadline_at: When nobody waits any longer for it to leave its state; `None` before the point of no return.

        version: Counts its writes; a write of an older version is a conflict.

        hang_up_at: When its client asked for its end after the point of no return; `None` when it never did.
    """

    id: int
    token: str
    account_id: int
    key_id: int | None
    agent_id: int
    assistant_id: str
    agent_name: str
    contact_id: int | None
    phone_number: PhoneNumber
    caller_id: PhoneNumber
    runtime: RuntimeKind
    sip_uri: str | None
    script: Script
    rate: Rate
    hold_micros: int
    max_duration_s: int
    created_at: datetime
    expires_at: datetime
    idempotency_key: str | None = None
    request_digest: bytes | None = None
    trace_parent: str | None = None
    state: State = State.QUEUED
    worker_id: str | None = None
    fence: int = 0
    attempt: int = 0
    dialed_at: datetime | None = None
    answered_at: datetime | None = None
    ended_at: datetime | None = None
    disposition: Disposition | None = None
    cause: HangUpCause | None = None
    talk_s: int = 0
    charge_micros: int = 0
    not_before: datetime | None = None
    deadline_at: datetime | None = None
    version: int = 0
    hang_up_at: datetime | None = None

    @property
    def call_id(self) -> str:
        """
        Its public id, `call_...`.
        """
        return write_call_id(self.id, self.token)

    @property
    def attempt_id(self) -> str:
        """
        The name of its current attempt, unique over all databases.
        """
        return f"{self.call_id}_{self.attempt}"

    @property
    def is_terminal(self) -> bool:
        """
        Whether nothing more will happen to it.
        """
        return self.state in TERMINAL

    @property
    def status(self) -> Status:
        """
        Its state as clients see it.
        """
        match self.state:
            case State.QUEUED | State.LEASED:
                return Status.QUEUED
            case State.SENDING | State.UNKNOWN | State.DIALING:
                return Status.DIALING
            case State.RINGING:
                return Status.RINGING
            case State.IN_PROGRESS:
                return Status.IN_PROGRESS
            case State.ENDED | State.SETTLED | State.REVEALED:
                return Status.COMPLETED if self._was_held() else Status.FAILED
            case State.CANCELED | State.BLOCKED:
                return Status.FAILED
            case unknown:
                assert_never(unknown)

    @property
    def listed_as(self) -> str:
        """
        The word under which lists find it: its status, but for calls whose outcome is unknown.
        """
        return UNKNOWN if self.state is State.UNKNOWN else self.status.value

    def _was_held(self) -> bool:
        """
        Tell whether the conversation took place and ended in order.
        """
        return self.answered_at is not None and self.disposition not in BROKEN_OFF

    def after(self, trigger: Trigger, **changes: Any) -> "Call | None":
        """
        Return the call after a trigger with further fields changed, or `None` when the trigger changes nothing.
        """
        state = next_state(self.state, trigger)
        if state is None:
            return None
        return attrs.evolve(self, state=state, version=self.version + 1, **changes)

    def as_of(self, state: State, at: datetime) -> "Call":
        """
        Return the call as it was when it had reached a state; once it is over it changes no more.

        Args:
            at: When it did. One that was stopped at its answer does not know any longer when that was.
        """
        if state in TERMINAL | {State.ENDED}:
            if self.state is state or self.state is not State.REVEALED:
                return self
            return attrs.evolve(self, state=State.SETTLED, disposition=Disposition.OUTCOME_UNKNOWN, talk_s=0)
        return attrs.evolve(
            self,
            state=state,
            answered_at=(self.answered_at or at) if state is State.IN_PROGRESS else None,
            ended_at=None,
            disposition=None,
            cause=None,
            talk_s=0,
            charge_micros=0,
            not_before=None,
            deadline_at=None,
        )
