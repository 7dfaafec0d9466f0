"""
The operating system's randomness.
"""

import secrets

from outdial.domain.model.identifiers import BASE62


class SystemRandomness:
    """
    Tokens and secrets that nobody can guess.
    """

    def base62(self, length: int) -> str:
        """
        Return `length` letters and digits of ASCII, each of the 62 equally likely.
        """
        return "".join(secrets.choice(BASE62) for _ in range(length))
