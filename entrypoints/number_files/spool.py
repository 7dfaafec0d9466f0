"""
Numbers that were read, put aside and in order until they are stored: an index takes them fastest so.
"""

import heapq
import tempfile
from collections.abc import Iterator, Sequence
from types import TracebackType
from typing import IO, Final, Self

RUN_NUMBERS: Final = 500_000
"""How many are in memory at once; more are kept in files that nobody else sees."""


class NumberSpool:
    """
    Numbers in the order of their digits, each once, read as often as is wanted.
    """

    def __init__(self, run_numbers: int = RUN_NUMBERS) -> None:
        self._run_numbers = run_numbers
        self._latest: set[str] = set()
        self._runs: list[IO[str]] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for run in self._runs:
            run.close()

    def __iter__(self) -> Iterator[str]:
        latest = sorted(self._latest)
        if not self._runs:
            yield from latest
            return
        for run in self._runs:
            run.seek(0)
        before = ""
        for line in heapq.merge(*self._runs, (f"{number}\n" for number in latest)):
            if line != before:
                yield line[:-1]
            before = line

    def add(self, numbers: Sequence[str]) -> None:
        """
        Put numbers aside, E.164.
        """
        self._latest.update(numbers)
        if len(self._latest) >= self._run_numbers:
            run = tempfile.TemporaryFile("w+", encoding="ascii", newline="\n", prefix="outdial-")  # noqa: SIM115
            self._runs.append(run)
            run.writelines(f"{number}\n" for number in sorted(self._latest))
            self._latest.clear()
