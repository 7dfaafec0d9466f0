"""
A voice that is a program on this machine: any that reads a text file and writes a WAV file.
"""

import asyncio
import re
import shlex
import shutil
import struct
import tempfile
from pathlib import Path
from typing import Final

from outdial.adapters.speech.program import Finished, run
from outdial.adapters.speech.recent import Recent
from outdial.adapters.speech.wav import load, read_wav
from outdial.ports.carrier import Audio
from outdial.ports.errors import SpeechError

TEXT_FILE: Final = "{text_file}"
WAV_FILE: Final = "{wav_file}"

LIMIT_S: Final = 30.0
"""What the port allows, waiting for other texts included."""

RUNS_MAX: Final = 4
"""A voice keeps a core busy."""

VOICES: Final = (
    f"flite -voice rms -f {TEXT_FILE} -o {WAV_FILE}",
    f"espeak-ng -b 1 -f {TEXT_FILE} -w {WAV_FILE}",
)
"""In order of preference. espeak-ng reads UTF-8 with `-b 1`; flite reads ASCII and skips other letters."""

SECONDS_MIN: Final = 0.1
PEAK_MIN: Final = 327
"""A hundredth of full scale. For letters they don't know, flite writes faint hiss and espeak-ng zeros."""


def find_command() -> str | None:
    """
    Return the command of a voice installed on this machine: flite, else espeak-ng, else `None`.
    """
    return next((command for command in VOICES if shutil.which(shlex.split(command)[0])), None)


class CommandSpeech:
    """
    Runs a command for each text; at most four at once. Remembers the last texts.

    The text never stands among the command's arguments, where every user of the machine could read it, and no shell
    reads any of it.

    Args:
        command: What to run, in a shell's notation, with `{text_file}` and `{wav_file}` where the names of the two
            files go. It reads UTF-8 from the one and writes a WAV file to the other.

        limit_s: Seconds a text may take, waiting for other texts included.

    Raises:
        SpeechError: The command can't be run; the message says what to change.
    """

    def __init__(self, command: str, *, limit_s: float = LIMIT_S, runs_max: int = RUNS_MAX) -> None:
        self._arguments = _parse(command)
        self._limit_s = limit_s
        self._turns = asyncio.Semaphore(runs_max)
        self._recent = Recent()

    async def speak(self, text: str) -> Audio:
        """
        Return a text as the command speaks it.

        Raises:
            SpeechError: The command failed, or its sound can't be used.
        """
        if not text.strip():
            raise SpeechError("There is no text to speak.")
        try:
            async with asyncio.timeout(self._limit_s), self._turns:
                audio = self._recent.find(text) or await self._spoken(text)
        except TimeoutError:
            raise SpeechError(
                f"The speech command {self._name} was not done within {self._limit_s:g} s and was ended."
                " Shorten the text, or run the command by hand."
            ) from None
        self._recent.keep(text, audio)
        return audio

    @property
    def _name(self) -> str:
        return Path(self._arguments[0]).name

    async def _spoken(self, text: str) -> Audio:
        try:
            with tempfile.TemporaryDirectory(prefix="outdial-speech-", ignore_cleanup_errors=True) as folder:
                text_file, wav_file = Path(folder, "text.txt"), Path(folder, "speech.wav")
                _write(text_file, text)
                finished = await run(self._filled(text_file, wav_file))
                data = self._read(wav_file, finished, text)
        except OSError as error:
            raise SpeechError(f"The speech command {self._name} can't be run: {error.strerror}.") from error
        try:
            audio = await read_wav(data)
        except SpeechError as error:
            raise self._failure(str(error), finished, text) from error
        if audio.duration_s < SECONDS_MIN or not _is_audible(audio):
            raise self._failure("It spoke nothing; the voice may not know the text's letters.", finished, text)
        return audio

    def _filled(self, text_file: Path, wav_file: Path) -> list[str]:
        return [
            argument.replace(TEXT_FILE, str(text_file)).replace(WAV_FILE, str(wav_file)) for argument in self._arguments
        ]

    def _read(self, wav_file: Path, finished: Finished, text: str) -> bytes:
        if finished.exit_code:
            raise self._failure(f"It ended with {finished.exit_code}.", finished, text)
        # flite and espeak-ng end with 0 even if they could not open a file.
        if not wav_file.is_file():
            raise self._failure("It wrote no WAV file.", finished, text)
        return load(wav_file)

    def _failure(self, what: str, finished: Finished, text: str) -> SpeechError:
        said = without_words_of(text, finished.last_line)
        printed = f" Its last line was: {said}" if said else " It printed nothing; run it by hand."
        return SpeechError(f"The speech command {self._name} failed. {what}{printed}")


def without_words_of(text: str, line: str) -> str:
    """
    Return a line a program printed without the words it was given to speak: they may name a person.
    """
    spoken = {word.casefold() for word in re.findall(r"\w+", text)}
    return re.sub(r"\w+", lambda found: "…" if found[0].casefold() in spoken else found[0], line)


def _parse(command: str) -> tuple[str, ...]:
    try:
        arguments = tuple(shlex.split(command))
    except ValueError as error:
        raise SpeechError(f"The speech command can't be read: {error}.") from error
    for placeholder in (TEXT_FILE, WAV_FILE):
        if not any(placeholder in argument for argument in arguments[1:]):
            raise SpeechError(f"The speech command lacks {placeholder}; put it where the file's name goes.")
    program = shutil.which(arguments[0])
    if program is None:
        raise SpeechError(f"The speech command's program {arguments[0]} was not found; install it or give its path.")
    return (program, *arguments[1:])


def _is_audible(audio: Audio) -> bool:
    return any(abs(sample) >= PEAK_MIN for (sample,) in struct.iter_unpack("<h", audio.pcm))


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", errors="replace")
