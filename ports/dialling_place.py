"""
Where a database is dialled from: what tells it from its own copies, backups and replicas.
"""

from typing import Protocol

import attrs


@attrs.frozen(kw_only=True)
class DiallingPlace:
    """
    What a database says of itself.

    Attributes:
        epoch: 1 at first, and one more each time that the database was found restored, copied or promoted.

        name: Unlike that of any other place there ever was; empty where the database knows that it is a copy.

        dials: How many calls passed their point of no return here; 0 where others than the database need not know.

        is_here: Whether the database still is where it was dialled from last, as far as it can tell by itself.
    """

    epoch: int
    name: str
    dials: int = 0
    is_here: bool


class PlacesReader(Protocol):
    """
    Where calls are dialled from, to be read.
    """

    def current(self) -> DiallingPlace:
        """
        Return where the database is dialled from; cheap enough to be asked for each call.
        """


class Places(PlacesReader, Protocol):
    """
    The same, to be changed.
    """

    def count_dial(self) -> None:
        """
        Count a call that passes its point of no return.
        """

    def leave(self) -> None:
        """
        Have the database know that it is not where it was dialled from; until the next epoch nobody dials from it.
        """

    def begin_epoch(self) -> None:
        """
        Take where the database is now for its place, in a new epoch.
        """
