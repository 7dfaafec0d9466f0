"""
The lines of a file that may be compressed, in UTF-8 or UTF-16, some at a time.
"""

import gzip
import io
import zlib
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from typing import IO, Final

LINE_LENGTH_MAX: Final = 65_536
"""No list of numbers has longer lines; without an end, a small compressed file would fill the memory."""

_CHUNK_LENGTH: Final = 1 << 20
_GZIP: Final = b"\x1f\x8b"
"""How a compressed file begins (RFC 1952, 2.3.1)."""


def read_lines(opened: IO[bytes]) -> Iterator[str]:
    """
    Yield the lines without their ends. Characters that can't be read are replaced: they belong to no number.

    Raises:
        ValueError: Says why it is no list of numbers.
    """
    try:
        rest = ""
        for chunk in _chunks(opened):
            *lines, rest = (rest + chunk).split("\n")
            yield from lines
            if len(rest) > LINE_LENGTH_MAX:
                raise ValueError(f"A line is longer than {LINE_LENGTH_MAX} characters: this is no list of numbers.")
        if rest:
            yield rest
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError("The file's compression is broken.") from error


def _chunks(opened: IO[bytes]) -> Iterator[str]:
    buffered = io.BufferedReader(opened)  # type: ignore[type-var] # reads as a raw file does
    is_compressed = buffered.peek(len(_GZIP)).startswith(_GZIP)
    plain = io.BufferedReader(gzip.GzipFile(fileobj=buffered)) if is_compressed else buffered
    is_wide = plain.peek(len(BOM_UTF16_LE)).startswith((BOM_UTF16_LE, BOM_UTF16_BE))
    text = io.TextIOWrapper(plain, encoding="utf-16" if is_wide else "utf-8-sig", errors="replace")
    try:
        while chunk := text.read(_CHUNK_LENGTH):
            yield chunk
    finally:
        text.detach()
        buffered.detach()  # whoever opened the file closes it
