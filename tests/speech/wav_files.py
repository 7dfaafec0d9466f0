"""
WAV files for tests.
"""

import math
import struct
from array import array
from collections.abc import Iterable

FULL_SCALE = 0x7FFF


def wav(
    samples: Iterable[int],
    *,
    rate_hz: int = 16_000,
    channels: int = 1,
    bits: int = 16,
    tag: int = 1,
    before: bytes = b"",
    declared: int | None = None,
) -> bytes:
    """
    Return a WAV file.

    Args:
        samples: 16-bit values, channels interleaved; of 8-bit files their upper byte is kept.

        before: Chunks to stand before the samples.

        declared: What the file says about the number of its bytes of sound, if not the truth.
    """
    data = bytes((value >> 8) + 0x80 for value in samples) if bits == 8 else array("h", samples).tobytes()
    width = channels * bits // 8
    form = struct.pack("<4sIHHIIHH", b"fmt ", 16, tag, channels, rate_hz, rate_hz * width, width, bits)
    header = struct.pack("<4sI", b"data", len(data) if declared is None else declared)
    body = b"WAVE" + form + before + header + data
    return struct.pack("<4sI", b"RIFF", len(body)) + body


def tone(frequency_hz: float, *, rate_hz: int, duration_s: float, level: float = 0.5) -> list[int]:
    """
    Return a sine.
    """
    step = 2 * math.pi * frequency_hz / rate_hz
    return [round(level * FULL_SCALE * math.sin(step * index)) for index in range(round(duration_s * rate_hz))]


def level_db(pcm: bytes) -> float:
    """
    Return the level of 16-bit sound's middle part, beside a sine of full scale.
    """
    samples = array("h", pcm)
    middle = samples[len(samples) // 8 : -len(samples) // 8]
    power = sum(sample * sample for sample in middle) / len(middle)
    return 10 * math.log10(max(power, 1e-9) / (FULL_SCALE**2 / 2))


def frequency_hz(pcm: bytes) -> float:
    """
    Return the frequency of a tone at 8 kHz, counted by its upward crossings of zero.
    """
    samples = array("h", pcm)
    rises = [index for index in range(1, len(samples)) if samples[index - 1] < 0 <= samples[index]]
    return (len(rises) - 1) * 8000 / (rises[-1] - rises[0])
