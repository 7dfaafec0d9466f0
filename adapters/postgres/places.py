"""
Where a PostgreSQL database is dialled from: the server's own marks, which copies, restores and promotions change.
"""

from typing import Final

import attrs

from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.statements import Statements
from outdial.ports.dialling_place import DiallingPlace

SQL: Final = load("places.sql")


@attrs.frozen
class PostgresPlaces:
    """
    Where calls are dialled from.
    """

    _sql: Statements

    def current(self) -> DiallingPlace:
        """
        Return where the database is dialled from, and whether it is there.
        """
        epoch, name, is_here = self._sql.one(SQL["current_place"]) or (0, "", False)
        return DiallingPlace(epoch=epoch, name=name, is_here=is_here)

    def count_dial(self) -> None:
        """
        Do nothing: all workers would wait for one row, and the server's marks tell without a count.
        """

    def leave(self) -> None:
        """
        Forget the place.
        """
        self._sql.write(SQL["leave_place"], {})

    def begin_epoch(self) -> None:
        """
        Take the server's marks as they are now for the place, in a new epoch.
        """
        self._sql.write(SQL["begin_epoch"], {})
