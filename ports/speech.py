"""
Text to speech.
"""

from typing import Protocol

from outdial.ports.carrier import Audio


class Speech(Protocol):
    """
    A voice.
    """

    async def speak(self, text: str) -> Audio:
        """
        Return a text as sound for a telephone, within 30 s.

        Raises:
            SpeechError: The voice failed; the message says how and what to do.
        """
