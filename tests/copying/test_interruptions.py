"""
A copy is whole or not there at all, wherever it was interrupted; run again, it completes.
"""

import signal
from pathlib import Path

import pytest

from outdial.entrypoints.copying import Progress
from tests.cli.commands import CommandLine
from tests.copying.databases import Place, copied, furnish_many, place

MANY_CALLS = 3000
OPEN_CALLS = 1000
REPORTS_MAX = 100


class Interruption(Exception):  # noqa: N818 - it is what happens to a process
    """
    Raised in the middle of a copy.
    """


def _interrupting(after: int) -> "list[Progress]":
    class Reports(list[Progress]):
        def append(self, report: Progress) -> None:
            super().append(report)
            if len(self) == after:
                raise Interruption

    return Reports()


def test_interrupted_anywhere_it_leaves_nothing_and_completes_later(source: Place, target: Place) -> None:
    """
    An exception after each batch of each step in turn: the target stays empty until a copy gets to its end.
    """
    interrupted = 0
    for after in range(1, REPORTS_MAX):
        try:
            copied(source, target, _interrupting(after).append)
        except Interruption:
            interrupted += 1
            assert target.is_empty()
        else:
            break

    assert interrupted > 30
    assert not target.is_empty()


@pytest.mark.parametrize("step", ["copying", "checking", "ending open calls"])
def test_killed_it_leaves_nothing_and_completes_later(
    line: CommandLine, tmp_path: Path, target: Place, step: str
) -> None:
    """
    A process that is killed in the middle of each step; another one then copies everything.
    """
    large = place("sqlite", tmp_path, "large.db")
    furnish_many(large, calls=MANY_CALLS, open_each=MANY_CALLS // OPEN_CALLS)
    words = ("copy", "--from", large.url, "--to", target.url)

    with line.running(*words) as running:
        running.wait_for(f"^{step}: ")
        ended = running.end(signal.SIGKILL)

    assert -signal.SIGKILL == ended.exit_code
    assert target.is_empty()
    body = line.ask(*words)
    assert (MANY_CALLS, OPEN_CALLS, True) == (body["tables"]["calls"], body["quarantined"], body["verified"])
    assert MANY_CALLS == len(target.content()["calls"])
