"""
A program speaks: what it says is heard, and its faults become sentences that say what to do.
"""

import asyncio
import shutil
import sys
from array import array
from pathlib import Path

import pytest

from outdial.adapters.speech.command import VOICES, CommandSpeech, find_command, without_words_of
from outdial.ports.carrier import Audio
from outdial.ports.errors import SpeechError
from tests.speech.voices import voice

TEXT = "Hello Aroha, see you at noon."


def spoken(command: str, text: str = TEXT) -> Audio:
    """
    Return a text as a new voice speaks it.
    """
    return asyncio.run(CommandSpeech(command, limit_s=20).speak(text))


@pytest.mark.parametrize("command", VOICES, ids=["flite", "espeak-ng"])
def test_installed_voices_speak(command: str) -> None:
    """The voices flite and espeak-ng speak a greeting for as long as it takes to say it."""
    if shutil.which(command.split(maxsplit=1)[0]) is None:
        pytest.skip("not installed")

    audio = spoken(command)

    assert 1 < audio.duration_s < 4
    assert max(array("h", audio.pcm)) > 5000


@pytest.mark.parametrize("text", ["日本語", "...", "😀"])
def test_letters_a_voice_does_not_know_are_an_error(text: str) -> None:
    """Of letters it can't read flite makes faint hiss; nobody is called to hear that."""
    if shutil.which("flite") is None:
        pytest.skip("not installed")

    with pytest.raises(SpeechError, match="spoke nothing; the voice may not know the text's letters"):
        spoken(VOICES[0], text)


def test_text_reaches_the_program_in_a_file(tmp_path: Path) -> None:
    """The text is in the file in UTF-8, as it is, whatever a shell would make of it, and not in the arguments."""
    text = "$(reboot) `x` 'ü' \"日本\" ; rm -rf ~ \n -x"
    command = voice(
        tmp_path, f"open({str(tmp_path / 'seen')!r}, 'w').write(repr((sys.argv, open(sys.argv[1]).read())))\nspeak()"
    )

    spoken(command, text)

    seen = (tmp_path / "seen").read_text()
    assert repr(text) in seen
    assert seen.count("reboot") == 1


def test_half_a_character_is_spoken_without_it(tmp_path: Path) -> None:
    """Text that can't be written in UTF-8 is spoken without the part that can't."""
    assert spoken(voice(tmp_path, "speak()"), "Hello \ud83d").duration_s == 0.5


def test_files_are_gone_afterwards(tmp_path: Path) -> None:
    """Neither the text nor its sound stays on the disk."""
    command = voice(tmp_path, f"open({str(tmp_path / 'seen')!r}, 'w').write(sys.argv[1])\nspeak()")

    spoken(command)

    text_file = Path((tmp_path / "seen").read_text())
    assert text_file.is_absolute()
    assert not text_file.parent.exists()


@pytest.mark.parametrize(
    ("body", "sentence"),
    [
        ("print('no licence'); sys.exit(3)", r"failed\. It ended with 3\. Its last line was: no licence$"),
        ("sys.exit(3)", r"failed\. It ended with 3\. It printed nothing; run it by hand\.$"),
        ("os.kill(os.getpid(), 9)", r"ended with -9"),
        ("pass", r"It wrote no WAV file\. It printed nothing"),
        ("print('a\\nno voice rms\\n\\n')", r"It wrote no WAV file\. Its last line was: no voice rms$"),
        ("os.mkdir(sys.argv[2])", "wrote no WAV file"),
        ("open(sys.argv[2], 'w').write('sorry')", "This is not a WAV file"),
        ("open(sys.argv[2], 'w')", "This is not a WAV file"),
        ("speak(count=0)", "holds no sound"),
        ("speak(count=100)", "spoke nothing"),
        ("speak(value=0)", "spoke nothing"),
        ("speak(count=121 * 16000)", "longer than 120 s"),
        ("speak(rate=96000)", "96000 samples a second"),
    ],
)
def test_faults_are_told(tmp_path: Path, body: str, sentence: str) -> None:
    """A program that fails, or whose sound is of no use, is an error with its own last words."""
    with pytest.raises(SpeechError, match=sentence):
        spoken(voice(tmp_path, body))


def test_spoken_words_are_not_in_the_message(tmp_path: Path) -> None:
    """A program that repeats the text in its error does not bring it into our messages and logs."""
    command = voice(tmp_path, "print('cannot say Aroha! (AROHA)'); sys.exit(1)")

    with pytest.raises(SpeechError) as caught:
        spoken(command)

    assert str(caught.value).endswith("Its last line was: cannot say …! (…)")


def test_words_are_removed_whole() -> None:
    """Only whole words of the text are taken out of a line."""
    assert without_words_of("An open tin", "can't open Anna's tin") == "can't … Anna's …"


def test_slow_program_is_ended(tmp_path: Path) -> None:
    """A program that hangs is an error after the time limit, and gone."""
    command = voice(tmp_path, "time.sleep(60)")

    with pytest.raises(SpeechError, match=r"not done within 0\.3 s and was ended"):
        asyncio.run(CommandSpeech(command, limit_s=0.3).speak(TEXT))


def test_waiting_for_others_counts(tmp_path: Path) -> None:
    """A text that waits too long for its turn is an error in the same time as one that is spoken too slowly."""
    command = voice(tmp_path, "time.sleep(60)")

    async def scenario() -> list[Audio | BaseException]:
        speech = CommandSpeech(command, limit_s=0.3, runs_max=1)
        return await asyncio.gather(*(speech.speak(text) for text in "abc"), return_exceptions=True)

    assert [SpeechError] * 3 == [type(result) for result in asyncio.run(scenario())]


def test_few_programs_run_at_once(tmp_path: Path) -> None:
    """However many texts come in together, four programs at most run at a time."""
    seats = tmp_path / "seats"
    seats.mkdir()
    counts = tmp_path / "counts"
    command = voice(
        tmp_path,
        f"""
seat = os.path.join({str(seats)!r}, str(os.getpid()))
open(seat, "w").close()
with open({str(counts)!r}, "a") as file: file.write(f"{{len(os.listdir({str(seats)!r}))}}\\n")
speak()
time.sleep(0.1)
os.remove(seat)
""",
    )

    async def scenario() -> list[Audio]:
        speech = CommandSpeech(command)
        return await asyncio.gather(*(speech.speak(f"Text {index}.") for index in range(12)))

    assert len(asyncio.run(scenario())) == 12
    assert 1 < max(map(int, counts.read_text().split())) <= 4


def test_same_text_is_spoken_once(tmp_path: Path) -> None:
    """A greeting that was spoken lately is not spoken again; another one is."""
    runs = tmp_path / "runs"
    command = voice(tmp_path, f"open({str(runs)!r}, 'a').write('x')\nspeak()")

    async def scenario() -> None:
        speech = CommandSpeech(command)
        assert await speech.speak(TEXT) == await speech.speak(TEXT)
        await speech.speak("Goodbye.")

    asyncio.run(scenario())
    assert runs.read_text() == "xx"


@pytest.mark.parametrize("text", ["", " \n"])
def test_empty_text_is_refused(tmp_path: Path, text: str) -> None:
    """Nothing to say is an error before any program runs."""
    with pytest.raises(SpeechError, match="no text to speak"):
        spoken(voice(tmp_path, "speak()"), text)


@pytest.mark.parametrize(
    ("command", "sentence"),
    [
        ("", "lacks {text_file}"),
        ("cat {text_file}", "lacks {wav_file}"),
        ("cat {wav_file}", "lacks {text_file}"),
        ("{text_file} {wav_file}", "lacks {text_file}"),
        ("cat '{text_file} {wav_file}", "can't be read: No closing quotation"),
        ("no-such-voice {text_file} {wav_file}", "no-such-voice was not found; install it"),
    ],
)
def test_unusable_commands_are_refused_at_once(command: str, sentence: str) -> None:
    """A command that can't work is refused when the voice is made."""
    with pytest.raises(SpeechError, match=sentence):
        CommandSpeech(command)


def test_program_that_vanished_is_an_error(tmp_path: Path) -> None:
    """A program removed after the start is an error with the system's reason."""
    program = tmp_path / "voice"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o700)
    speech = CommandSpeech(f"{program} {{text_file}} {{wav_file}}")
    program.unlink()

    with pytest.raises(SpeechError, match="voice can't be run: No such file or directory"):
        asyncio.run(speech.speak(TEXT))


@pytest.mark.parametrize(
    ("installed", "found"),
    [((), None), (("espeak-ng",), VOICES[1]), (("espeak-ng", "flite"), VOICES[0])],
)
def test_best_installed_voice_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, installed: tuple[str, ...], found: str | None
) -> None:
    """Without a setting flite is taken, else espeak-ng, else there is no voice."""
    for name in installed:
        (tmp_path / name).symlink_to(sys.executable)
    monkeypatch.setenv("PATH", str(tmp_path))

    assert find_command() == found
