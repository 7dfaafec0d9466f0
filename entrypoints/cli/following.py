"""
Following a call by its status, as operators see it.
"""

from collections.abc import AsyncIterator

from outdial.domain.model.call import Call, Status
from outdial.domain.model.lifecycle import State
from outdial.entrypoints.cli.answer import when
from outdial.entrypoints.library import Dialer


async def statuses(dialer: Dialer, call: Call, *, timeout_s: float) -> AsyncIterator[Call]:
    """
    Yield a call now and whenever its status changed, until it is over; several states may share a status.

    Raises:
        TimeoutError: It is not over after `timeout_s`.
    """
    shown = None
    async for current in dialer.watch(call, timeout_s=timeout_s):
        if current.listed_as != shown or current.is_terminal:
            shown = current.listed_as
            yield current


def progress(call: Call) -> str:
    """
    Say in a line how far a call is, and what it waits for.
    """
    if call.state is State.UNKNOWN:
        return f"unknown ({call.cause}): evidence is waited for until {when(call.deadline_at)}"
    if call.not_before is not None:
        return f"queued ({call.cause}): dialled again from {when(call.not_before)} on"
    if call.status is Status.QUEUED:
        return "queued (a running `outdial serve` dials it)"
    return call.status
