"""
G.711 (ITU-T G.711): 16-bit linear sound to the 8 bits of mu-law (PCMU) and A-law (PCMA).
"""

import sys
from array import array
from functools import cache
from typing import Final

from outdial.adapters.sip.session_description import Codec

_ULAW_BIAS: Final = 33
_ULAW_CLIP: Final = 8158
"""The largest magnitude of 14-bit mu-law input."""


def encode(pcm: bytes, codec: Codec) -> bytes:
    """
    Compress signed 16-bit little-endian samples, one byte each.
    """
    samples = array("H", pcm)
    if sys.byteorder == "big":
        samples.byteswap()
    return bytes(map(table(codec).__getitem__, samples))


@cache
def table(codec: Codec) -> bytes:
    """
    Return the compressed byte of each 16-bit sample, read as unsigned; made at the first use, in some 50 ms.
    """
    compress = {Codec.PCMU: _mu_law, Codec.PCMA: _a_law}[codec]
    return bytes(compress(sample - 0x10000 if sample & 0x8000 else sample) for sample in range(0x10000))


def _mu_law(sample: int) -> int:
    sign = 0x80 if sample < 0 else 0
    magnitude = min(abs(sample) >> 2, _ULAW_CLIP) + _ULAW_BIAS
    segment = max(magnitude.bit_length() - 6, 0)
    return ~(sign | segment << 4 | (magnitude >> (segment + 1)) & 0x0F) & 0xFF


def _a_law(sample: int) -> int:
    # Negative values are mirrored at -1/2: the decision levels of A-law have no step at zero.
    sign, magnitude = (0x80, sample >> 3) if sample >= 0 else (0, ~(sample >> 3))
    segment = max(magnitude.bit_length() - 5, 0)
    shift = segment or 1
    return (sign | segment << 4 | (magnitude >> shift) & 0x0F) ^ 0x55
