"""
The witness of databases that need none: those that tell by themselves where they are, or that nobody can copy.
"""

from outdial.ports.dialling_place import DiallingPlace


class TrustingWitness:
    """
    Believes what the database says.
    """

    @property
    def hears_of_dials(self) -> bool:
        """
        No: whatever happens to the database while a call is placed must not keep the call from being placed.
        """
        return False

    async def confirms(self, place: DiallingPlace) -> bool:
        """
        Tell what the database tells.
        """
        return place.is_here

    async def note(self, place: DiallingPlace) -> None:
        """
        Remember nothing.
        """
