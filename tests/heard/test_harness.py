"""
The harness that listens, tried without outdial's carrier: it hears what was said, and nothing else.
"""

import asyncio
import random
import wave
from array import array
from collections.abc import Iterator
from pathlib import Path

import pytest

from outdial.adapters.speech.command import VOICES, CommandSpeech
from tests.heard.callee import Callee, callee
from tests.heard.caller import CallerError, play
from tests.heard.greetings import TEMPLATE, sentence, sentences, some_pairs
from tests.heard.mu_law import linear, pcmu
from tests.heard.transcriber import doubled, heard, transcribe, words

pytestmark = pytest.mark.heard

SEED = 20_261_122
RATE_HZ = 8000
ZERO_IN_LIBRE = 2
"""The library under baresip expands mu-law's zero to 2."""

USER = "+12025550123"


def spoken(text: str) -> bytes:
    """
    Return what goes over the wire: flite's voice as mu-law.
    """
    return pcmu(asyncio.run(CommandSpeech(VOICES[0]).speak(text)).pcm)


def transcript(codes: bytes) -> str | None:
    """
    Return what a perfect line would let the callee understand.
    """
    return heard(doubled(linear(codes)), sentences())


@pytest.fixture
def phone() -> Iterator[Callee]:
    """
    A callee that listens.
    """
    with callee(USER) as started:
        yield started


@pytest.mark.parametrize("pair", some_pairs(SEED, 8), ids="-".join)
def test_every_greeting_is_understood(pair: tuple[str, str]) -> None:
    """A greeting spoken by flite over mu-law is transcribed word for word."""
    greeting = sentence(*pair)

    understood = transcript(spoken(greeting))

    assert understood == greeting


def test_silence_is_no_greeting() -> None:
    """Three seconds of silence are transcribed as nothing."""
    assert transcript(b"\xff" * 3 * RATE_HZ) is None


def test_noise_is_no_greeting() -> None:
    """Three seconds of white noise are transcribed as nothing."""
    noise = random.Random(SEED).randbytes(3 * RATE_HZ)  # noqa: S311 - noise, no secret

    assert transcript(noise) is None


def test_unrendered_template_is_not_the_greeting() -> None:
    """A template whose variables were not filled in is not mistaken for the greeting."""
    name, time = some_pairs(SEED, 1)[0]

    assert transcript(spoken(TEMPLATE)) != sentence(name, time)


def test_other_time_is_not_the_greeting() -> None:
    """A greeting with a wrong time is understood as that, not as the expected one."""
    assert transcript(spoken(sentence("Laura", "two fifteen"))) == sentence("Laura", "two fifteen")


def test_digits_are_refused() -> None:
    """Sentences with digits are refused, because nobody can tell how a voice reads them."""
    with pytest.raises(ValueError, match="Spell out the digits"):
        words("at 3:30")


@pytest.mark.parametrize("pair", some_pairs(SEED + 1, 2), ids="-".join)
def test_callee_hears_caller(phone: Callee, pair: tuple[str, str]) -> None:
    """A greeting played over SIP and RTP is in the callee's recording, word for word."""
    greeting = sentence(*pair)

    play(spoken(greeting), port=phone.port, user=USER)

    assert transcribe(phone.recording(), sentences()) == greeting


def test_recording_is_what_was_sent(phone: Callee) -> None:
    """The recording holds the samples sent, in order and whole but for what the jitter buffer holds at the hang-up."""
    sent = linear(spoken("Hello."))

    play(pcmu(sent.tobytes()), port=phone.port, user=USER)

    heard_samples = samples(phone.recording())
    kept = len(sent) - RATE_HZ // 5
    pairs = list(zip(sent[:kept], heard_samples, strict=False))
    assert len(pairs) == kept
    assert max(abs(one - other) for one, other in pairs) <= ZERO_IN_LIBRE


def test_silent_caller_is_not_understood(phone: Callee) -> None:
    """A caller who is silent is recorded as one who said nothing."""
    play(b"\xff" * RATE_HZ, port=phone.port, user=USER)

    assert transcribe(phone.recording(), sentences()) is None


def test_stranger_is_not_answered(phone: Callee) -> None:
    """The callee answers to its own number only."""
    with pytest.raises(CallerError, match="404"):
        play(b"", port=phone.port, user="+12025550199")


def test_callee_is_gone_after_its_block() -> None:
    """The callee's process and files end with the block that started it."""
    with callee() as started:
        assert started.process.poll() is None

    assert started.process.poll() is not None
    assert not started.folder.exists()


def samples(recording: Path) -> "array[int]":
    """
    Return a recording's samples.
    """
    with wave.open(str(recording)) as file:
        return array("h", file.readframes(file.getnframes()))
