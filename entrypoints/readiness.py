"""
Whether a process can do its work: what load balancers ask.
"""

import asyncio
from collections.abc import Mapping
from typing import Final

import attrs

from outdial.ports.errors import StorageError
from outdial.ports.storage import Storage

READY: Final = "ready"

READY_WITHIN_S: Final = 0.8
"""Who asks for readiness commonly waits for a second."""


@attrs.frozen
class Readiness:
    """
    Of each part `ready`, or what is wrong with it.

    Attributes:
        needed: Parts without which nothing goes.

        helpful: Parts without which calls are taken and dialled all the same.
    """

    needed: Mapping[str, str]
    helpful: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def is_ready(self) -> bool:
        """
        Tell whether calls are taken and dialled.
        """
        return all(check == READY for check in self.needed.values())

    @property
    def checks(self) -> dict[str, str]:
        """
        All of it.
        """
        return {**self.needed, **self.helpful}


async def database_readiness(storage: Storage) -> str:
    """
    Take the way that an acceptance takes; without any writes it costs the disk nothing.
    """
    try:
        async with asyncio.timeout(READY_WITHIN_S):
            await storage.transact(lambda _transaction: None)
    except StorageError as error:
        return str(error)
    except TimeoutError:
        return f"Nothing can be written within {READY_WITHIN_S:g} s."
    return READY
