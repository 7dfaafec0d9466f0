"""
What remembers outside the database how far it was dialled: a restored database has forgotten it.
"""

from typing import Protocol

from outdial.ports.dialling_place import DiallingPlace


class Witness(Protocol):
    """
    Remembers one database's place, as durably as the database itself.
    """

    @property
    def hears_of_dials(self) -> bool:
        """
        Whether each dial has to be noted before its order is placed.
        """

    async def confirms(self, place: DiallingPlace) -> bool:
        """
        Tell whether this is the database of the last `note`, and nothing is missing from it.

        Raises:
            StorageError: Nobody can tell.
        """

    async def note(self, place: DiallingPlace) -> None:
        """
        Remember the database as it is now; returns when a power cut would not undo it.

        Raises:
            StorageError: It can't be written: nothing may be dialled.
        """
