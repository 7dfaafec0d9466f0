"""
What was spoken lately: one greeting often goes to many callees.
"""

from collections import OrderedDict
from typing import Final

from outdial.ports.carrier import Audio

TEXTS_MAX: Final = 64
BYTES_MAX: Final = 16 * 1024 * 1024
"""About a quarter of an hour."""


class Recent:
    """
    Sound by text; the longest unused is forgotten first.
    """

    def __init__(self) -> None:
        self._audio: OrderedDict[str, Audio] = OrderedDict()
        self._bytes = 0

    def find(self, text: str) -> Audio | None:
        """
        Return how a text sounded, if it is known still.
        """
        audio = self._audio.get(text)
        if audio is not None:
            self._audio.move_to_end(text)
        return audio

    def keep(self, text: str, audio: Audio) -> None:
        """
        Remember how a text sounded.
        """
        self._drop(text)
        self._audio[text] = audio
        self._bytes += len(audio.pcm)
        while len(self._audio) > TEXTS_MAX or self._bytes > BYTES_MAX:
            self._drop(next(iter(self._audio)))

    def _drop(self, text: str) -> None:
        audio = self._audio.pop(text, None)
        if audio is not None:
            self._bytes -= len(audio.pcm)
