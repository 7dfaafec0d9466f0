"""
Voices for tests: small programs that behave well or badly.
"""

import shlex
import sys
from pathlib import Path

SPEAK = """
import os, subprocess, sys, time, wave

def speak(value=5000, count=8000, rate=16000):
    with wave.open(sys.argv[2], "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(value.to_bytes(2, "little") * count)
"""


def voice(folder: Path, body: str) -> str:
    """
    Write a program; return the command that runs it with the text's file and the sound's file.

    Args:
        body: Python; `speak()` writes half a second of sound.
    """
    program = folder / "voice.py"
    program.write_text(SPEAK + body, encoding="utf-8")
    return f"{shlex.quote(sys.executable)} -S {shlex.quote(str(program))} {{text_file}} {{wav_file}}"
