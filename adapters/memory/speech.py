"""
A voice that says nothing, for as long as the text would take.
"""

from typing import Final

from outdial.ports.carrier import AUDIO_RATE_HZ, Audio

CHARACTERS_PER_SECOND: Final = 15
"""Unhurried English: about 150 words a minute."""

_BYTES_PER_SAMPLE: Final = 2


class SilentSpeech:
    """
    Speech for carriers that move no sound.
    """

    async def speak(self, text: str) -> Audio:
        """
        Return silence of about the time it takes to say the text; at least a second.
        """
        duration_s = max(1.0, len(text) / CHARACTERS_PER_SECOND)
        return Audio(pcm=bytes(int(duration_s * AUDIO_RATE_HZ) * _BYTES_PER_SAMPLE))
