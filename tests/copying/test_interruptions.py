"""
A copy is whole or not there at all, wherever it was interrupted; run again, it completes.
"""

import signal
from pathlib import Path

import pytest

from outdial.entrypoints.copying import Progress, Step
from outdial.ports.errors import StorageError
from tests.cli.commands import CommandLine
from tests.copying.databases import Place, copied, furnish_many, place

MANY_CALLS = 3000
OPEN_CALLS = 1000
REPORTS_MAX = 100
END_SESSIONS = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)


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


@pytest.mark.parametrize("target", ["postgres"], indirect=True)
@pytest.mark.parametrize("step", Step)
def test_a_lost_connection_leaves_nothing(source: Place, target: Place, step: Step) -> None:
    """
    The server ends the copy's session when a step is done.
    """

    def end_session(progress: Progress) -> None:
        if progress.step is step and progress.done == progress.total:
            target.run(END_SESSIONS)

    with pytest.raises(StorageError, match=r"connection|shutting down"):
        copied(source, target, end_session)

    assert target.is_empty()
    copied(source, target)
    assert not target.is_empty()


@pytest.mark.parametrize("target", ["postgres"], indirect=True)
def test_a_commit_without_an_answer_is_not_taken_for_one(target: Place) -> None:
    """
    Whoever copies is told to look; a second copy says whether the first was written.
    """

    def fill_in_vain() -> None:
        with target.archive.filling():
            target.run(END_SESSIONS)

    with pytest.raises(StorageError, match="nobody knows whether it was written: run this again"):
        fill_in_vain()


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
