"""
G.711's mu-law (ITU-T G.711, table 2), written apart from the code it judges.
"""

import sys
from array import array
from functools import cache
from typing import Final

_BIAS: Final = 0x84
_CLIP: Final = 32_635


def pcmu(pcm: bytes) -> bytes:
    """
    Compress signed 16-bit little-endian samples: each becomes the code whose value is nearest.
    """
    samples = array("h", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return bytes(_code(sample) for sample in samples)


def linear(codes: bytes) -> "array[int]":
    """
    Expand mu-law to 16-bit samples.
    """
    return array("h", [_value(code) for code in codes])


@cache
def _code(sample: int) -> int:
    magnitude = min(abs(sample), _CLIP) + _BIAS
    segment = magnitude.bit_length() - 8
    step = magnitude >> segment + 3 & 0x0F
    return ~((0x80 if sample < 0 else 0) | segment << 4 | step) & 0xFF


@cache
def _value(code: int) -> int:
    bits = ~code & 0xFF
    magnitude = (((bits & 0x0F) << 3) + _BIAS << (bits >> 4 & 7)) - _BIAS
    return -magnitude if bits & 0x80 else magnitude
