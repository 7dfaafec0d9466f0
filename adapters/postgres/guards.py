"""
Guards for callees' numbers: whoever rests on a number's not being listed shares one, whoever lists it holds it.
"""

import hashlib
import zlib
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from outdial.domain.model.phone_number import PhoneNumber

GUARDS_PER_ACCOUNT: Final = 64
"""Bounds the locks of one transaction, however long its batch or list is; the server has room for some thousands."""

MIGRATION: Final = 0x6F75746469616C01
"""The lock of whoever migrates: `outdial` and a number, in bytes."""

LEASING: Final = 0x6F75746469616C02
"""The lock of whoever takes calls from the queue while caps or a pace hold."""


OPERATOR: Final = 0
"""The account whose guards every account shares: those of the operator's list."""


def guards_of(callees: Iterable[tuple[int, PhoneNumber]]) -> list[int]:
    """
    Return the keys of the advisory locks, sorted, of whoever rests on numbers' not being listed for their accounts.
    """
    return sorted({guard_of(owner, number.e164) for account_id, number in callees for owner in (OPERATOR, account_id)})


def guard_of(owner: int, e164: str) -> int:
    """
    Return the key of a number's advisory lock, which it shares with some other numbers of the same owner's lists.

    Args:
        owner: The account, or `OPERATOR`.
    """
    return _guard_of(owner, zlib.crc32(e164.encode()) % GUARDS_PER_ACCOUNT)


@lru_cache(maxsize=4096)
def _guard_of(owner: int, part: int) -> int:
    digest = hashlib.blake2b(f"outdial:{owner}:{part}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
