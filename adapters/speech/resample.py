"""
Sound of any usual rate made into sound for a telephone: 8,000 samples a second, without aliases.
"""

import math
import struct
from collections.abc import Iterator, Sequence
from functools import lru_cache
from operator import mul
from typing import Final, Protocol

from outdial.ports.carrier import AUDIO_RATE_HZ

SLICE_SAMPLES: Final = 256
"""Made in about a millisecond: short beside the 20 ms between two RTP packets of the calls that talk meanwhile."""

_CUTOFF_HZ: Final = 3650.0
"""Middle of the filter's slope: level to 3.2 kHz, 40 dB down at 4 kHz, the highest tone the new rate can carry."""

_ZERO_CROSSINGS: Final = 16
"""Half the filter's length, in samples of the new rate; 16 give the slope above."""

_PHASES_MAX: Final = 512
"""Filters kept for a rate. Rates that need more (44,101 Hz: 8,000) are met to 1/512 sample: errors below -50 dB."""

_PEAK: Final = 0x7FFF


class Sound(Protocol):
    """
    Sound to convert.
    """

    @property
    def rate_hz(self) -> int:
        """
        Samples a second.
        """

    @property
    def count(self) -> int:
        """
        How many samples there are.
        """

    def samples(self, start: int, stop: int) -> Sequence[float]:
        """
        Return some of the samples, -32,768 to 32,767, mixed down to one channel.
        """


def resampled_count(count: int, rate_hz: int) -> int:
    """
    Return how many samples at 8 kHz last as long as `count` at a rate.
    """
    return (count * AUDIO_RATE_HZ + rate_hz // 2) // rate_hz


def resample(sound: Sound) -> Iterator[bytes]:
    """
    Yield the sound as signed 16-bit little-endian samples, 8,000 a second, at most 256 at once.

    A polyphase filter: windowed sinc (Hann), one set of weights for each position between two samples.
    """
    total = resampled_count(sound.count, sound.rate_hz)
    convert = _copy if sound.rate_hz == AUDIO_RATE_HZ else _filter
    for first in range(0, total, SLICE_SAMPLES):
        last = min(first + SLICE_SAMPLES, total)
        made = [max(~_PEAK, min(_PEAK, round(value))) for value in convert(sound, first, last)]
        yield struct.pack(f"<{len(made)}h", *made)


def _copy(sound: Sound, first: int, last: int) -> Sequence[float]:
    return sound.samples(first, last)


def _filter(sound: Sound, first: int, last: int) -> Sequence[float]:
    common = math.gcd(sound.rate_hz, AUDIO_RATE_HZ)
    step, phases = sound.rate_hz // common, AUDIO_RATE_HZ // common
    reach = _reach(sound.rate_hz)
    begin = first * step // phases - reach + 1
    end = (last - 1) * step // phases + reach + 1
    known = sound.samples(max(begin, 0), min(end, sound.count))
    near = [*[0.0] * -min(begin, 0), *known, *[0.0] * (end - min(end, sound.count))]
    kept = min(phases, _PHASES_MAX)
    made = []
    for position in range(first * step, last * step, step):
        whole, rest = divmod(position, phases)
        weights = _weights(sound.rate_hz, rest * kept // phases, kept)
        at = whole - reach + 1 - begin
        made.append(sum(map(mul, weights, near[at : at + len(weights)])))
    return made


def _reach(rate_hz: int) -> int:
    return math.ceil(_ZERO_CROSSINGS * rate_hz / AUDIO_RATE_HZ)


@lru_cache(maxsize=2 * _PHASES_MAX)
def _weights(rate_hz: int, phase: int, phases: int) -> tuple[float, ...]:
    reach = _reach(rate_hz)
    distances = [phase / phases - offset for offset in range(1 - reach, reach + 1)]
    weights = [_sinc(2 * _CUTOFF_HZ / rate_hz * x) * (1 + math.cos(math.pi * x / reach)) for x in distances]
    gain = sum(weights)
    return tuple(weight / gain for weight in weights)


def _sinc(x: float) -> float:
    return math.sin(math.pi * x) / (math.pi * x) if x else 1.0
