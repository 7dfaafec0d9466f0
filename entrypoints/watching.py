"""
Watching one call, whoever owns it, through all its states.
"""

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from outdial.domain.model.call import Call
from outdial.domain.model.identifiers import CallReference
from outdial.ports.errors import UnknownRecordError
from outdial.ports.storage import Storage

POLL_S: Final = 0.05
"""How often a watched call is looked at; a read takes a tenth of a millisecond."""


async def watch(storage: Storage, call: Call, *, timeout_s: float) -> AsyncIterator[Call]:
    """
    Yield a call now and whenever its state changed, until it is over.

    Raises:
        TimeoutError: It is not over after `timeout_s`.

        UnknownRecordError: It is not in this database.
    """
    deadline_s = asyncio.get_running_loop().time() + timeout_s
    seen = None
    while seen is None or not seen.is_terminal:
        async with asyncio.timeout_at(deadline_s):  # over before the watcher goes on, who must not be interrupted
            seen = await _changed(storage, call, seen)
        yield seen


async def any_call(storage: Storage, reference: CallReference) -> Call | None:
    """
    Return a call, whoever owns it: for the operator alone.
    """
    return await storage.read(lambda reader: reader.calls.call_of_any_account(reference))


async def _changed(storage: Storage, call: Call, seen: Call | None) -> Call:
    """
    Return a call as soon as its state is another one than was seen.
    """
    while True:
        current = await any_call(storage, CallReference(number=call.id, token=call.token))
        if current is None:
            raise UnknownRecordError(f"There is no call {call.call_id}.")
        if seen is None or current.state is not seen.state:
            return current
        await asyncio.sleep(POLL_S)
