"""
Making the agent talk: what the callee is connected to.
"""

from typing import Protocol

from outdial.domain.model.call import Call
from outdial.ports.carrier import Connect


class Runtime(Protocol):
    """
    One way for agents to talk.
    """

    async def prepare(self, call: Call) -> Connect:
        """
        Get the agent ready for a call that is about to be placed, within 30 s; nothing has been dialled yet.

        Raises:
            SpeechError: What the agent has to say can't be spoken.
        """
