"""
What a callee heard, in words: pocketsphinx with the English model of its wheel, bound to the sentences possible.
"""

import re
import sys
import wave
from array import array
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from pocketsphinx import Decoder, get_model_path

_START: Final = 0
_END: Final = 1

Transition = tuple[int, int, float, str]


def transcribe(recording: Path, sentences: Iterable[str]) -> str | None:
    """
    Return the one of the sentences that a recording comes closest to; `None` if it is like none.

    Any speech is forced onto a sentence that fits somehow, so a test must compare with the sentence it expects.

    Args:
        recording: A WAV file, 16 bits, mono, 8 or 16 kHz.

        sentences: In words of the model's dictionary; punctuation and capitals don't matter. Hundreds are no problem.
    """
    return heard(_samples(recording), sentences)


def heard(samples: "array[int]", sentences: Iterable[str]) -> str | None:
    """
    Return the one of the sentences that sound of 16 kHz comes closest to; `None` if it is like none.
    """
    by_words = {words(sentence): sentence for sentence in sentences}
    decoder = Decoder(
        hmm=get_model_path("en-us/en-us"),
        dict=get_model_path("en-us/cmudict-en-us.dict"),
        lm=None,
        bestpath=False,  # that search forgets the grammar: it heard "at one forty" where only "one forty five" exists
        loglevel="FATAL",
    )
    decoder.add_fsg("sentences", decoder.create_fsg("sentences", _START, _END, automaton(by_words)))
    decoder.activate_search("sentences")
    decoder.start_utt()
    decoder.process_raw(samples.tobytes(), full_utt=True)
    decoder.end_utt()
    found = decoder.hyp()
    return None if found is None else by_words.get(tuple(found.hypstr.split()))


def words(sentence: str) -> tuple[str, ...]:
    """
    Return a sentence's words in the dictionary's notation.

    Raises:
        ValueError: It has digits, which can be read in several ways.
    """
    if re.search(r"[0-9]", sentence):
        raise ValueError(f"Spell out the digits: {sentence}")
    return tuple(re.findall(r"[a-z']+", sentence.lower()))


def automaton(sentences: Iterable[tuple[str, ...]]) -> list[Transition]:
    """
    Return the smallest automaton that says these sentences and no others: states with the same rest are one.

    A grammar that lists a thousand sentences side by side takes seconds for each recording, this one a tenth.
    """
    states: dict[frozenset[tuple[str, ...]], int] = {}
    transitions: list[Transition] = []

    def state(rests: frozenset[tuple[str, ...]]) -> int:
        if rests in states:
            return states[rests]
        states[rests] = number = len(states) + _END if states else _START
        for word in sorted({rest[0] for rest in rests if rest}):
            after = frozenset(rest[1:] for rest in rests if rest[:1] == (word,))
            if () in after:
                transitions.append((number, _END, 1.0, word))
            if after != {()}:
                transitions.append((number, state(after - {()}), 1.0, word))
        return number

    state(frozenset(sentences))
    return transitions


def _samples(recording: Path) -> "array[int]":
    with wave.open(str(recording)) as file:
        if file.getsampwidth() != 2 or file.getnchannels() != 1:
            raise ValueError("The recording is not 16 bits, mono.")
        rate_hz = file.getframerate()
        samples = array("h", file.readframes(file.getnframes()))
    if sys.byteorder == "big":
        samples.byteswap()
    match rate_hz:
        case 16_000:
            return samples
        case 8000:
            return doubled(samples)
        case _:
            raise ValueError(f"The recording has {rate_hz} samples a second.")


def doubled(samples: "array[int]") -> "array[int]":
    """
    Return 8 kHz sound at 16 kHz; interpolating linearly is good enough for the model.
    """
    following = [*samples[1:], *samples[-1:]]
    between = ((one + two) // 2 for one, two in zip(samples, following, strict=True))
    return array("h", [value for pair in zip(samples, between, strict=True) for value in pair])
