"""
Following a call by its status, as clients see it.
"""

from collections.abc import AsyncIterator

from outdial.domain.model.call import Call
from outdial.entrypoints.library import Dialer


async def statuses(dialer: Dialer, call: Call, *, timeout_s: float) -> AsyncIterator[Call]:
    """
    Yield a call now and whenever its status changed, until it is over; several states may share a status.

    Raises:
        TimeoutError: It is not over after `timeout_s`.
    """
    shown = None
    async for current in dialer.watch(call, timeout_s=timeout_s):
        if current.status is not shown or current.is_terminal:
            shown = current.status
            yield current
