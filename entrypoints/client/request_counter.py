"""
How many requests a key has made: counted before anything else is done for it.
"""

import asyncio
from typing import Final

import attrs

from outdial.domain.model.facts import account_id_of, proof_of
from outdial.domain.model.principal import ApiKey, Credential
from outdial.domain.model.rate_limit import Window
from outdial.ports.clock import Clock
from outdial.ports.errors import StorageError
from outdial.ports.rate_limiter import RateLimiter
from outdial.ports.storage import Storage

KNOWN_S: Final = 10.0
"""How long a key's limit is taken to be what it was; whether the key still works is asked for each request."""

KNOWN_MAX: Final = 10_000
"""Keys that are remembered, whoever named them: some megabytes."""


@attrs.frozen
class _Known:
    """
    A key as it was read, or as it is being read for all who wait.
    """

    key: "asyncio.Task[ApiKey | None]"
    until_s: float


class RequestCounter:
    """
    Counts the requests of those who prove their key; strangers can't use up anybody's limit.
    """

    def __init__(self, storage: Storage, limiter: RateLimiter, clock: Clock) -> None:
        self._storage = storage
        self._limiter = limiter
        self._clock = clock
        self._known: dict[int, _Known] = {}

    async def count(self, credential: Credential) -> Window | None:
        """
        Count one request and tell what is left; `None` for the operator, for strangers, and while no key can be read.
        """
        proof = proof_of(credential)
        key = await self._key(proof.key_id) if proof is not None else None
        if key is None or account_id_of(credential, key) is None or not key.is_live(self._clock.now()):
            return None
        return await self._limiter.count(key.id, key.requests_per_minute)

    async def _key(self, key_id: int) -> ApiKey | None:
        now_s = asyncio.get_running_loop().time()
        known = self._known.get(key_id)
        if known is None or known.until_s <= now_s:
            self._known.pop(key_id, None)
            if len(self._known) >= KNOWN_MAX:
                del self._known[next(iter(self._known))]
            known = self._known[key_id] = _Known(asyncio.create_task(self._read(key_id)), now_s + KNOWN_S)
        return known.key.result() if known.key.done() else await asyncio.shield(known.key)

    async def _read(self, key_id: int) -> ApiKey | None:
        try:
            return await self._storage.read(lambda reader: reader.directory.key(key_id))
        except StorageError:  # whatever is asked for next says so
            self._known.pop(key_id, None)
            return None
