"""
How far long work came: a bar on a terminal, a few plain lines elsewhere.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import attrs
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TaskID, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bars

from outdial.entrypoints.copying import OnProgress, Progress, Step

LINES_A_STEP: Final = 10


@contextmanager
def progress_on(screen: Console) -> Iterator[OnProgress]:
    """
    Show what the block reports.
    """
    if not screen.is_terminal:
        yield _Lines(screen).show
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Bars(*columns, console=screen) as bars:
        yield _Bars(bars).show


@attrs.define
class _Lines:
    _screen: Console
    _shown: tuple[Step, int] | None = None

    def show(self, progress: Progress) -> None:
        """
        Print a line when another tenth is done.
        """
        reached = (progress.step, LINES_A_STEP * progress.done // max(1, progress.total))
        if reached != self._shown:
            self._shown = reached
            self._screen.print(
                f"{progress.step}: {progress.done} of {progress.total} ({progress.table})", soft_wrap=True
            )


@attrs.define
class _Bars:
    _bars: Bars
    _tasks: dict[Step, TaskID] = attrs.field(init=False, factory=dict)

    def show(self, progress: Progress) -> None:
        """
        Move the step's bar.
        """
        if progress.step not in self._tasks:
            self._tasks[progress.step] = self._bars.add_task(progress.step, total=progress.total)
        self._bars.update(self._tasks[progress.step], completed=progress.done)
