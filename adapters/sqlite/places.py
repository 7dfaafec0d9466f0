"""
Where a database file is dialled from: a name drawn by lot and a count, for the witness beside the file to remember.
"""

from typing import Final

import attrs

from outdial.adapters.sqlite.statements import Statements
from outdial.ports.dialling_place import DiallingPlace

CURRENT: Final = "select epoch, place, dials from dialling where id = 1"
COUNT_DIAL: Final = "update dialling set dials = dials + 1 where id = 1"
LEAVE: Final = "update dialling set place = '' where id = 1"
BEGIN_EPOCH: Final = (
    "insert into dialling (id, epoch, place, dials) values (1, 1, lower(hex(randomblob(16))), 0)"
    " on conflict (id) do update set epoch = epoch + 1, place = excluded.place"
)


@attrs.frozen
class SqlitePlaces:
    """
    Where calls are dialled from.
    """

    _sql: Statements

    def current(self) -> DiallingPlace:
        """
        Return where the database is dialled from.
        """
        epoch, name, dials = self._sql.one(CURRENT) or (0, "", 0)
        return DiallingPlace(epoch=epoch, name=name, dials=dials, is_here=name != "")

    def count_dial(self) -> None:
        """
        Count a call that passes its point of no return.
        """
        self._sql.write(COUNT_DIAL)

    def leave(self) -> None:
        """
        Forget the place.
        """
        self._sql.write(LEAVE)

    def begin_epoch(self) -> None:
        """
        Draw a new name, in a new epoch.
        """
        self._sql.write(BEGIN_EPOCH)
