"""
Letters and digits that nobody can guess.
"""

from typing import Protocol


class Randomness(Protocol):
    """
    A source of tokens and secrets.
    """

    def base62(self, length: int) -> str:
        """
        Return `length` letters and digits of ASCII, each of the 62 equally likely.
        """
