"""
WAV files become sound for a telephone, or a sentence that says why not.
"""

import asyncio
import struct
from array import array
from itertools import chain, pairwise
from pathlib import Path

import pytest
from hypothesis import event, example, given, settings
from hypothesis import strategies as st

from outdial.adapters.speech import wav as module
from outdial.adapters.speech.wav import load, read_wav, read_wav_at_once
from outdial.ports.errors import SpeechError
from tests.speech.wav_files import frequency_hz, level_db, tone, wav

RATES_HZ = (8000, 8001, 11_025, 12_000, 16_000, 22_050, 24_000, 32_000, 44_100, 44_101, 48_000)

headers = st.builds(
    struct.pack,
    st.just("<4sI4s4sIHHIIHH4sI"),
    st.just(b"RIFF"),
    st.just(0),
    st.just(b"WAVE"),
    st.sampled_from([b"fmt ", b"fmt_"]),
    st.sampled_from([16, 16, 16, 15, 18, 0xFFFFFFFF]),
    st.sampled_from([1, 1, 1, 3, 6, 0xFFFE]),
    st.integers(0, 3),
    st.sampled_from([0, 1, 7999, *RATES_HZ, 48_001, 0xFFFFFFFF]),
    st.just(0),
    st.just(0),
    st.sampled_from([0, 8, 8, 12, 16, 16, 24, 32]),
    st.sampled_from([b"data", b"data", b"LIST"]),
    st.sampled_from([0, 1, 6, 100, 0x7FFFF000, 0xFFFFFFFF]),
)


@given(st.one_of(st.binary(max_size=200), st.builds(bytes.__add__, headers, st.binary(max_size=200))))
@example(b"RIFF")
@settings(max_examples=500)
def test_any_bytes_are_sound_or_refused(data: bytes) -> None:
    """Whatever bytes come in, they are sound or refused with a sentence, never something else."""
    try:
        audio = read_wav_at_once(data)
    except SpeechError as error:
        event(str(error))
    else:
        event("sound")
        assert len(audio.pcm) > 0
        assert len(audio.pcm) % 2 == 0


@given(rate_hz=st.integers(8000, 48_000), count=st.integers(12, 3000), channels=st.sampled_from([1, 2]))
@settings(max_examples=50)
def test_duration_is_kept(rate_hz: int, count: int, channels: int) -> None:
    """Sound of any rate lasts as long as before, to a sample."""
    audio = read_wav_at_once(wav([0] * count * channels, rate_hz=rate_hz, channels=channels))

    assert abs(audio.duration_s - count / rate_hz) <= 1 / 8000


@pytest.mark.parametrize("rate_hz", RATES_HZ)
@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("channels", [1, 2])
def test_tone_keeps_pitch_and_level(rate_hz: int, bits: int, channels: int) -> None:
    """A tone of 1 kHz stays one of 1 kHz, as loud as before, from any rate and form."""
    samples = chain.from_iterable([value] * channels for value in tone(1000, rate_hz=rate_hz, duration_s=0.3))

    audio = read_wav_at_once(wav(samples, rate_hz=rate_hz, bits=bits, channels=channels))

    assert frequency_hz(audio.pcm) == pytest.approx(1000, abs=2)
    assert level_db(audio.pcm) == pytest.approx(-6, abs=0.2)


@given(frequency=st.integers(300, 3200), rate_hz=st.sampled_from(RATES_HZ))
@settings(max_examples=30)
def test_telephone_band_is_level(frequency: int, rate_hz: int) -> None:
    """Every tone a telephone carries keeps its level to half a decibel."""
    audio = read_wav_at_once(wav(tone(frequency, rate_hz=rate_hz, duration_s=0.2), rate_hz=rate_hz))

    assert level_db(audio.pcm) == pytest.approx(-6, abs=0.5)


@given(frequency=st.integers(4100, 10_000), rate_hz=st.sampled_from([22_050, 24_000, 44_100, 44_101, 48_000]))
@example(frequency=6000, rate_hz=16_000)
@settings(max_examples=30)
def test_higher_tones_leave_no_alias(frequency: int, rate_hz: int) -> None:
    """A tone that 8 kHz can't carry is at least 40 dB down instead of turning into a lower one."""
    audio = read_wav_at_once(wav(tone(frequency, rate_hz=rate_hz, duration_s=0.2, level=0.9), rate_hz=rate_hz))

    assert level_db(audio.pcm) < -40


def test_loud_sound_is_clipped() -> None:
    """Sound that the filter would lift over full scale is clipped and does not wrap around."""
    square = ([32_767] * 8 + [-32_768] * 8) * 200

    samples = array("h", read_wav_at_once(wav(square)).pcm)

    assert max(samples) == 32_767
    assert all(abs(one - other) < 60_000 for one, other in pairwise(samples))


def test_channels_are_mixed() -> None:
    """Of stereo both sides are heard."""
    frames = [1000, 3000] * 800

    samples = array("h", read_wav_at_once(wav(frames, rate_hz=8000, channels=2)).pcm)

    assert set(samples) == {2000}


def test_8_khz_is_copied() -> None:
    """Sound that suits a telephone already is not touched."""
    samples = [index * 77 % 60_000 - 30_000 for index in range(1000)]

    assert read_wav_at_once(wav(samples, rate_hz=8000)).pcm == array("h", samples).tobytes()


@pytest.mark.parametrize("declared", [0xFFFFFFFF, 0x7FFFF000, 0x7FFFFFFF - 36])
def test_unknown_size_is_read_to_the_end(declared: int) -> None:
    """A WAV written into a pipe, which can't know its size, is read to its end."""
    audio = read_wav_at_once(wav([500] * 1600, declared=declared))

    assert audio.duration_s == 0.1


def test_other_chunks_are_skipped() -> None:
    """Chunks that are no sound are skipped, with the padding of odd ones."""
    chunks = struct.pack("<4sI3sx", b"LIST", 3, b"abc") + struct.pack("<4sI", b"fact", 0)

    assert read_wav_at_once(wav([500] * 1600, before=chunks)).duration_s == 0.1


def test_extensible_form_is_understood() -> None:
    """The longer header that some programs write names PCM in its last field."""
    form = struct.pack("<HHIIHHHHIH14x", 0xFFFE, 1, 8000, 16_000, 2, 16, 22, 16, 0, 1)
    body = b"WAVE" + struct.pack("<4sI", b"fmt ", len(form)) + form + struct.pack("<4sI", b"data", 200) + bytes(200)

    assert len(read_wav_at_once(struct.pack("<4sI", b"RIFF", len(body)) + body).pcm) == 200


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "not a WAV file"),
        (b"OggS" + bytes(100), "not a WAV file"),
        (b"RIFF\0\0\0\0WAVE", "holds no sound"),
        (b"RIFF\0\0\0\0WAVEdata\0\0\0\0", "what form"),
        (wav([]), "holds no sound"),
        (wav([1] * 100, declared=1000), "cut off"),
        (wav([1] * 100, tag=7), "8 or 16 bits"),
        (wav([1] * 100, bits=24), "8 or 16 bits"),
        (wav([1] * 99, channels=3), "3 channels"),
        (wav([1] * 100, rate_hz=6000), "6000 samples"),
        (wav([1] * 100, rate_hz=96_000), "96000 samples"),
        (wav([0] * (120 * 8000 + 1), rate_hz=8000), "longer than 120 s"),
    ],
)
def test_unusable_files_are_refused(data: bytes, sentence: str) -> None:
    """A file that can't be played is refused with the reason."""
    with pytest.raises(SpeechError, match=sentence):
        read_wav_at_once(data)


def test_longest_sound_is_read() -> None:
    """A sound of exactly 120 s is taken."""
    assert read_wav_at_once(wav([0] * (120 * 8000), rate_hz=8000)).duration_s == 120


def test_other_work_goes_on_while_converting() -> None:
    """Between any two slices of a conversion everything else gets its turn."""

    async def scenario() -> int:
        turns = 0
        converting = asyncio.create_task(read_wav(wav([0] * 32_000)))
        while not converting.done():
            turns += 1
            await asyncio.sleep(0)
        assert (await converting).duration_s == 2
        return turns

    slices = 16_000 // 256
    assert asyncio.run(scenario()) >= slices


def test_missing_file_is_refused(tmp_path: Path) -> None:
    """A file that is missing, or a folder, is refused by name."""
    with pytest.raises(SpeechError, match=r"no file missing\.wav"):
        load(tmp_path / "missing.wav")
    with pytest.raises(SpeechError, match="no file"):
        load(tmp_path)


def test_huge_file_is_refused(tmp_path: Path) -> None:
    """A file that can't be 120 s of sound is not read."""
    path = tmp_path / "huge.wav"
    with path.open("wb") as file:
        file.truncate(module.FILE_BYTES_MAX + 1)

    with pytest.raises(SpeechError, match="larger than 24 MiB"):
        load(path)


def test_unreadable_file_is_refused(tmp_path: Path) -> None:
    """A file whose name the system refuses is refused with the system's reason."""
    with pytest.raises(SpeechError, match="can't be read: File name too long"):
        load(tmp_path / ("x" * 1000))
