"""
Guards for callees' numbers: whoever rests on a number's not being listed shares one, whoever lists it holds it.
"""

import hashlib
import zlib
from typing import Final

from outdial.domain.model.phone_number import PhoneNumber

GUARDS_PER_ACCOUNT: Final = 64
"""Bounds the locks of one transaction, however long its batch or list is; the server has room for some thousands."""

MIGRATION: Final = 0x6F75746469616C01
"""The lock of whoever migrates: `outdial` and a number, in bytes."""

LEASING: Final = 0x6F75746469616C02
"""The lock of whoever takes calls from the queue while caps or a pace hold."""


def guard_of(account_id: int, number: PhoneNumber) -> int:
    """
    Return the key of a number's advisory lock, which it shares with some other numbers of its account.
    """
    part = zlib.crc32(number.e164.encode()) % GUARDS_PER_ACCOUNT
    digest = hashlib.blake2b(f"outdial:{account_id}:{part}".encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big", signed=True)
