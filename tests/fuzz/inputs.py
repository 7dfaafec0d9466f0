"""
What strangers send: any bytes, valid inputs that were damaged a little, and long ones that are hard to read.
"""

import gc
import os
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from enum import Enum, auto
from itertools import product
from typing import Final

import attrs
from hypothesis import settings
from hypothesis import strategies as st

FACTOR: Final = int(os.environ.get("OUTDIAL_FUZZ", "1"))
"""How many times longer than usual is searched; `make fuzz` sets it."""

LONG_BYTES: Final = 50_000
LONG_S: Final = 0.05
"""What reading a long input may take of the processor."""

_TRIES: Final = 8
_HOPELESS: Final = 6
"""No noise makes work so many times slower."""

_PAIRED: Final = 8
"""How many of the tokens also meet each other in long inputs: n of them take n * n inputs."""


def searched(examples: int) -> settings:
    """
    Return how long a test searches: a number of examples, times `FACTOR`.
    """
    return settings(max_examples=examples * FACTOR)


@attrs.frozen(kw_only=True)
class Reader:
    """
    Something that reads what strangers send.

    Attributes:
        read: Takes any bytes.

        refuses_by: The exceptions that it declares.

        samples: Good inputs, no longer than a few hundred bytes.

        tokens: What its inputs are made of; those first that are likeliest to be hard to read.

        long: Inputs that are hard to read, beside those made from samples and tokens.

        long_s: What a long input may take of the processor.
    """

    read: Callable[[bytes], object]
    samples: Sequence[bytes]
    tokens: Sequence[bytes]
    refuses_by: tuple[type[Exception], ...] = ()
    long: Sequence[bytes] = ()
    long_s: float = LONG_S

    def inputs(self) -> st.SearchStrategy[bytes]:
        """
        Draw any bytes, any sequence of tokens, or a damaged sample; mostly the last.
        """
        garbled = damaged(self.samples, self.tokens)
        return garbled | garbled | st.lists(st.sampled_from(self.tokens), max_size=30).map(b"".join) | st.binary()

    def long_inputs(self) -> Iterator[bytes]:
        """
        Yield long inputs: tokens, and pairs of them, repeated alone and at several places of the first sample.
        """
        yield from self.long
        sample = self.samples[0]
        for first, second in product(self.tokens[:_PAIRED], repeat=2):
            half = LONG_BYTES // 2
            yield first * (half // len(first)) + second * (half // len(second))
        for token, quarter in product((*self.tokens, *self.samples), range(5)):
            place = len(sample) * quarter // 4
            yield sample[:place] + token * (LONG_BYTES // len(token)) + sample[place:]


class _Damage(Enum):
    LEFT_OUT = auto()
    REPEATED = auto()
    INSERTED = auto()
    REPLACED = auto()
    MOVED = auto()
    FLIPPED = auto()


@st.composite
def damaged(draw: st.DrawFn, samples: Sequence[bytes], tokens: Sequence[bytes]) -> bytes:
    """
    Draw a sample and damage it at up to four places.
    """
    data = bytearray(draw(st.sampled_from(samples)))
    for _ in range(draw(st.integers(1, 4))):
        start = draw(st.integers(0, len(data)))
        stop = min(len(data), start + draw(st.integers(1, 12)))
        part = bytes(data[start:stop])
        foreign = draw(st.sampled_from(tokens) | st.binary(min_size=1, max_size=4))
        damage: _Damage = draw(st.sampled_from(tuple(_Damage)))
        match damage:
            case _Damage.LEFT_OUT:
                del data[start:stop]
            case _Damage.REPEATED:
                data[start:stop] = part * draw(st.integers(2, 20))
            case _Damage.INSERTED:
                data[start:start] = foreign
            case _Damage.REPLACED:
                data[start:stop] = foreign
            case _Damage.MOVED:
                del data[start:stop]
                place = draw(st.integers(0, len(data)))
                data[place:place] = part
            case _Damage.FLIPPED:
                data[start:stop] = bytes(octet ^ 1 << draw(st.integers(0, 7)) for octet in part)
    return bytes(data)


def is_quick(work: Callable[[], object], limit_s: float = LONG_S) -> bool:
    """
    Tell whether work takes less of the processor than a limit: in the best of some tries, as noise only adds to it.

    Whoever follows each line, such as a measurement of coverage, looks away meanwhile; and nobody looks for garbage in
    all that other tests have left behind.
    """
    follower = sys.gettrace()
    sys.settrace(None)
    gc.disable()
    try:
        for _ in range(_TRIES):
            start_s = time.process_time()
            work()
            taken_s = time.process_time() - start_s
            if taken_s < limit_s or taken_s > _HOPELESS * limit_s:
                return taken_s < limit_s
        return False
    finally:
        gc.enable()
        sys.settrace(follower)
