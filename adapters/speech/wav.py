"""
WAV files (Microsoft's "Multimedia Programming Interface", 1991: RIFF) read as sound for a telephone.
"""

import asyncio
import struct
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import attrs

from outdial.adapters.speech.resample import resample, resampled_count
from outdial.ports.carrier import AUDIO_RATE_HZ, Audio
from outdial.ports.errors import SpeechError

DURATION_S_MAX: Final = 120
RATE_HZ_MIN: Final = 8000
RATE_HZ_MAX: Final = 48_000
FILE_BYTES_MAX: Final = 24 * 1024 * 1024
"""The longest sound in the widest form, 120 s of 48 kHz stereo, takes 23 MB."""

CHANNELS_MAX: Final = 2

_PCM: Final = 1
_EXTENSIBLE: Final = 0xFFFE
"""The form is named by the first two bytes of a GUID (WAVEFORMATEXTENSIBLE)."""

_FORMAT_BYTES: Final = 16
_SUBFORMAT_OFFSET: Final = 24

_UNKNOWN_BYTES: Final = 0x7FFF0000
"""Whoever writes a WAV into a pipe can't know its size: 0xFFFFFFFF (ffmpeg), 0x7FFFF000 (sox, espeak-ng)."""


@attrs.frozen(kw_only=True)
class Frames:
    """
    The samples of a WAV file; 8 bits are unsigned, 16 bits signed.
    """

    rate_hz: int
    channels: int
    sample_bytes: int
    data: memoryview = attrs.field(repr=False)

    @property
    def count(self) -> int:
        """
        How many samples each channel has.
        """
        return len(self.data) // (self.channels * self.sample_bytes)

    def samples(self, start: int, stop: int) -> Sequence[float]:
        """
        Return some samples as -32,768 to 32,767, both channels mixed into one.
        """
        width = self.channels * self.sample_bytes
        values = self._widened(self.data[start * width : stop * width])
        if self.channels == 1:
            return values
        return [(left + right) / 2 for left, right in zip(values[::2], values[1::2], strict=True)]

    def _widened(self, data: memoryview) -> Sequence[int]:
        if self.sample_bytes == 1:
            return [(value - 0x80) << 8 for value in data]
        return struct.unpack(f"<{len(data) // 2}h", data)


async def read_wav(data: bytes) -> Audio:
    """
    Return a WAV file's sound.

    Converting is Python's own work, some 20 ms a second of sound, so a thread would not take it off the event loop:
    each packet sent there would wait 5 ms for the interpreter. It is done in slices of a millisecond between other
    work.

    Args:
        data: 8 or 16 bits, mono or stereo, 8,000 to 48,000 samples a second, at most 120 s.

    Raises:
        SpeechError: It is something else.
    """
    slices = []
    for made in resample(parse_wav(data)):
        slices.append(made)
        await asyncio.sleep(0)
    return Audio(pcm=b"".join(slices))


def read_wav_at_once(data: bytes) -> Audio:
    """
    Return a WAV file's sound, as `read_wav`, before anything else runs: for the start of the program.

    Raises:
        SpeechError: It is something else.
    """
    return Audio(pcm=b"".join(resample(parse_wav(data))))


def load(path: Path) -> bytes:
    """
    Return a file's content, if it can be a WAV file of 120 s.

    Raises:
        SpeechError: It is missing, not readable or too large.
    """
    try:
        if not path.is_file():
            raise SpeechError(f"There is no file {path.name}.")
        with path.open("rb") as file:
            data = file.read(FILE_BYTES_MAX + 1)
    except OSError as error:
        raise SpeechError(f"The file {path.name} can't be read: {error.strerror}.") from error
    if len(data) > FILE_BYTES_MAX:
        raise SpeechError(f"The file {path.name} is larger than {FILE_BYTES_MAX // 1024 // 1024} MiB; shorten it.")
    return data


def parse_wav(data: bytes) -> Frames:
    """
    Find the samples in a WAV file.

    Raises:
        SpeechError: It is no WAV file, of a form not understood, cut off, empty or too long.
    """
    if data[:4] != b"RIFF" or data[8:12] != b"WAVE":
        raise SpeechError("This is not a WAV file.")
    form = None
    for name, body, is_whole in _chunks(memoryview(data)):
        if name == b"fmt ":
            form = bytes(body)
        elif name == b"data":
            if form is None:
                raise SpeechError("The WAV file does not say what form its samples have.")
            if not is_whole:
                raise SpeechError("The WAV file is cut off: it holds less sound than it declares.")
            return _frames(form, body)
    raise SpeechError("The WAV file holds no sound.")


def _chunks(data: memoryview) -> Iterator[tuple[bytes, memoryview, bool]]:
    at = 12
    while at + 8 <= len(data):
        name, declared = struct.unpack_from("<4sI", data, at)
        body = data[at + 8 : at + 8 + declared]
        yield name, body, len(body) == declared or declared >= _UNKNOWN_BYTES
        at += 8 + declared + declared % 2


def _frames(form: bytes, data: memoryview) -> Frames:
    if len(form) < _FORMAT_BYTES:
        raise SpeechError("The WAV file does not say what form its samples have.")
    tag, channels, rate_hz, _, _, bits = struct.unpack_from("<HHIIHH", form)
    if tag == _EXTENSIBLE and len(form) >= _SUBFORMAT_OFFSET + 2:
        (tag,) = struct.unpack_from("<H", form, _SUBFORMAT_OFFSET)
    if tag != _PCM or bits not in {8, 16}:
        raise SpeechError("The WAV file's samples are not PCM of 8 or 16 bits; convert it.")
    if not 1 <= channels <= CHANNELS_MAX:
        raise SpeechError(f"The WAV file has {channels} channels; convert it to mono or stereo.")
    if not RATE_HZ_MIN <= rate_hz <= RATE_HZ_MAX:
        raise SpeechError(f"The WAV file has {rate_hz} samples a second, not {RATE_HZ_MIN} to {RATE_HZ_MAX}.")
    frames = Frames(rate_hz=rate_hz, channels=channels, sample_bytes=bits // 8, data=data)
    frames = attrs.evolve(frames, data=data[: frames.count * channels * frames.sample_bytes])
    count = resampled_count(frames.count, rate_hz)
    if not count:
        raise SpeechError("The WAV file holds no sound.")
    if count > DURATION_S_MAX * AUDIO_RATE_HZ:
        raise SpeechError(f"The WAV file plays longer than {DURATION_S_MAX} s; shorten it.")
    return frames
