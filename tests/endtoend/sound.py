"""
Recordings for agents that only have to say something.
"""

import math
import wave
from pathlib import Path


def recording(folder: Path, duration_s: float) -> str:
    """
    Write a tone of some seconds as WAV and return its path.
    """
    path = folder / f"tone_{duration_s}.wav"
    samples = (round(8000 * math.sin(index * 2 * math.pi * 440 / 8000)) for index in range(round(duration_s * 8000)))
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(b"".join(sample.to_bytes(2, "little", signed=True) for sample in samples))
    return str(path)
