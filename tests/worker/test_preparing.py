"""
A call's agent gets ready before anything is dialled, and what happens meanwhile counts.
"""

import asyncio
from collections.abc import Callable

import pytest

from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.service.administration import revoke_key
from outdial.entrypoints.worker.attempt import PREPARE_TIMEOUT_S
from outdial.ports.carrier import Connect, SipUri
from outdial.ports.errors import SpeechError
from outdial.ports.storage import Transaction
from tests import builders
from tests.listing import list_callee
from tests.worker.office import office, released, running
from tests.worker.virtual_time import in_virtual_time


class _Voice:
    """
    A runtime that does what a test says.
    """

    def __init__(self, problem: Exception | None, *, takes_s: float = 0) -> None:
        self._problem = problem
        self._takes_s = takes_s

    async def prepare(self, _call: Call) -> Connect:
        """
        Take time, then fail or answer.
        """
        await asyncio.sleep(self._takes_s)
        if self._problem is not None:
            raise self._problem
        return SipUri(uri="sip:agent@example.com")


@pytest.mark.parametrize(
    ("voice", "words"),
    [
        (_Voice(SpeechError("There is no voice.")), "There is no voice."),
        (_Voice(TimeoutError("anything")), "The agent was not ready within 30 s."),
        (_Voice(None, takes_s=PREPARE_TIMEOUT_S + 1), "The agent was not ready within 30 s."),
        (_Voice(ZeroDivisionError("anything")), "The agent's runtime failed."),
    ],
)
@in_virtual_time
async def test_a_call_whose_agent_is_not_ready_is_not_dialled(voice: _Voice, words: str) -> None:
    """
    Whatever is wrong with the agent ends the call with a reason before anything is dialled.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier, runtimes={RuntimeKind.ANNOUNCE: voice})):
            call = await bureau.over(accepted)

        assert {} == carrier.lines
        assert [State.QUEUED, State.LEASED, State.BLOCKED] == await bureau.states(call)
        assert (Disposition.CARRIER_ERROR, HangUpCause(words=words)) == (call.disposition, call.cause)
        assert await released(bureau, call)


@in_virtual_time
async def test_a_call_without_any_runtime_is_not_dialled() -> None:
    """
    An agent whose runtime was not set up ends its call in order.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()

        async with running(bureau.dialler(bureau.carrier(), runtimes={RuntimeKind.SIP_URI: _Voice(None)})):
            call = await bureau.over(accepted)

        assert (State.BLOCKED, Disposition.CARRIER_ERROR) == (call.state, call.disposition)


@pytest.mark.parametrize(
    ("change", "disposition"),
    [
        (list_callee, Disposition.DO_NOT_CALL),
        (lambda transaction: revoke_key(transaction, builders.KEY_ID, at=builders.NOW), Disposition.CANCELED),
    ],
)
@in_virtual_time
async def test_what_changes_while_the_agent_gets_ready_counts(
    change: Callable[[Transaction], object], disposition: Disposition
) -> None:
    """
    A number that is listed at the last moment is not dialled.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier()
        slow = _Voice(None, takes_s=5)

        async with running(bureau.dialler(carrier, runtimes={RuntimeKind.ANNOUNCE: slow})):
            await bureau.reached(accepted, State.LEASED)
            await bureau.storage.transact(change)
            call = await bureau.over(accepted)

        assert {} == carrier.lines
        assert (State.BLOCKED, disposition) == (call.state, call.disposition)
        assert await released(bureau, call)


@in_virtual_time
async def test_nothing_is_dialled_that_was_ended_meanwhile() -> None:
    """
    A call that is canceled while its agent gets ready is not dialled.
    """
    async with office() as bureau:
        (accepted,) = await bureau.accept()
        carrier = bureau.carrier()

        async with running(bureau.dialler(carrier, runtimes={RuntimeKind.ANNOUNCE: _Voice(None, takes_s=20)})):
            await bureau.reached(accepted, State.LEASED)
            await bureau.hang_up(accepted)
            await asyncio.sleep(100)

        assert {} == carrier.lines
        assert State.CANCELED is (await bureau.call(accepted)).state
        assert await released(bureau, accepted)
