"""
One recording for every text.
"""

import asyncio
from array import array
from pathlib import Path

import pytest

from outdial.adapters.speech.wav_file import WavFileSpeech
from outdial.ports.errors import SpeechError
from tests.speech.wav_files import wav


def test_recording_is_played_for_every_text(tmp_path: Path) -> None:
    """Whatever the text, the recording is heard; it is read once, at the start."""
    path = tmp_path / "greeting.wav"
    path.write_bytes(wav([700] * 800, rate_hz=8000))
    voice = WavFileSpeech(path)
    path.unlink()

    spoken = [asyncio.run(voice.speak(text)) for text in ("Hello.", "", "Goodbye.")]

    assert {audio.pcm for audio in spoken} == {array("h", [700] * 800).tobytes()}


@pytest.mark.parametrize(("content", "reason"), [(None, "There is no file"), (b"noise", "This is not a WAV file")])
def test_unusable_recording_is_refused_at_once(tmp_path: Path, content: bytes | None, reason: str) -> None:
    """A recording that can't be played is refused when the voice is made, not when somebody answers."""
    path = tmp_path / "greeting.wav"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(SpeechError, match=rf"The recording greeting\.wav can't be played\. {reason}"):
        WavFileSpeech(path)
