"""
What a callee is connected to, seen from the call: it offers media, talks, and says how the talk ended.
"""

from typing import Protocol

import attrs

from outdial.adapters.sip.leg import Leg
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.ports.carrier import Audio


@attrs.frozen
class Ending:
    """
    How a call ended, and the network's words for it.
    """

    disposition: Disposition
    cause: HangUpCause = attrs.field(factory=HangUpCause)


class Conversation(Protocol):
    """
    The agent's side of one call.
    """

    def offer(self) -> str:
        """
        Return the session description for the callee's INVITE.
        """

    def answer(self, offer: str | None) -> str | None:
        """
        Answer a re-INVITE of the callee's side, or offer anew if it offers nothing; `None` refuses.
        """

    async def talk(self, callee: Leg, description: str) -> Ending:
        """
        Talk to a callee who answered with this description, until the agent's side is through. May be cancelled.
        """

    async def announce(self, callee: Leg, description: str, audio: Audio) -> Ending:
        """
        Say something to such a callee instead of talking, until it was said. May be cancelled.
        """

    def close(self) -> None:
        """
        Free what the conversation holds.
        """
