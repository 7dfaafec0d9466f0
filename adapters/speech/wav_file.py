"""
A recorded voice.
"""

from pathlib import Path

from outdial.adapters.speech.wav import load, read_wav_at_once
from outdial.ports.carrier import Audio
from outdial.ports.errors import SpeechError


class WavFileSpeech:
    """
    Plays one recording, whatever the text.

    Raises:
        SpeechError: The recording can't be played; the message says why.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._audio = read_wav_at_once(load(path))
        except SpeechError as error:
            raise SpeechError(f"The recording {path.name} can't be played. {error}") from error

    async def speak(self, text: str) -> Audio:
        """
        Return the recording.
        """
        del text
        return self._audio
