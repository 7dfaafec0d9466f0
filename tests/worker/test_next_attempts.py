"""
Orders that the network surely did not take, and those of which nobody knows.
"""

from typing import Final

import pytest

from outdial.domain.model.call import Status
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.model.patience import Patience
from outdial.ports.carrier import RejectedError, UncertainError
from tests.worker.office import CONVERSATION, RING_TIMEOUT_S, office, released, running
from tests.worker.scripted_carrier import Line, conversation
from tests.worker.virtual_time import elapsed_s, in_virtual_time

DOWN: Final = HangUpCause(code=503, words="Service Unavailable")
THREE_ATTEMPTS: Final = Patience(ring_timeout_s=RING_TIMEOUT_S, attempts_max=3)


async def down(_line: Line) -> None:
    """
    Refuse an order for trouble of the network's own.
    """
    raise RejectedError(Disposition.CARRIER_ERROR, DOWN)


@in_virtual_time
async def test_a_trunk_that_comes_back_gets_the_call() -> None:
    """
    Each attempt has an id of its own; the call is held once and billed once.
    """
    tries = iter((DOWN, DOWN, None))

    async def down_twice(line: Line) -> None:
        if (cause := next(tries)) is not None:
            raise RejectedError(Disposition.CARRIER_ERROR, cause)
        await conversation(line)

    async with office() as bureau:
        carrier = bureau.carrier(down_twice)
        (accepted,) = await bureau.accept()

        async with running(bureau.dialler(carrier, patience=THREE_ATTEMPTS)):
            call = await bureau.over(accepted)

        assert [f"{call.call_id}_{attempt}" for attempt in (1, 2, 3)] == list(carrier.lines)
        assert [*CONVERSATION[:3], *CONVERSATION[:3], *CONVERSATION] == await bureau.states(call)
        assert (Status.COMPLETED, 100_000) == (call.status, call.charge_micros)
        assert 0.75 * 20 + 93 <= elapsed_s() <= 1.25 * 20 + 93 + 5
        assert [] == carrier.hang_ups


@in_virtual_time
async def test_a_trunk_that_stays_down_is_tried_thrice() -> None:
    """
    Then the call fails with its words.
    """
    async with office() as bureau:
        carrier = bureau.carrier(down)
        (accepted,) = await bureau.accept()

        async with running(bureau.dialler(carrier, patience=THREE_ATTEMPTS)):
            call = await bureau.over(accepted)

        assert 3 == len(carrier.lines)
        assert (Disposition.CARRIER_ERROR, DOWN) == (call.disposition, call.cause)
        assert await released(bureau, call)


@pytest.mark.parametrize("error", [UncertainError(DOWN), ZeroDivisionError()])
@in_virtual_time
async def test_a_call_that_may_ring_is_never_tried_again(error: Exception) -> None:
    """
    However many attempts are allowed: what is not proved may be true.
    """

    async def doubtful(_line: Line) -> None:
        raise error

    async with office() as bureau:
        carrier = bureau.carrier(doubtful)
        (accepted,) = await bureau.accept()

        async with running(bureau.dialler(carrier, patience=THREE_ATTEMPTS)):
            call = await bureau.over(accepted)

        assert 1 == len(carrier.lines)
        assert 1 == (await bureau.states(call)).count(State.SENDING)
        assert Disposition.OUTCOME_UNKNOWN is call.disposition


@in_virtual_time
async def test_a_call_is_canceled_between_two_attempts() -> None:
    """
    Nothing is on the line then.
    """
    async with office() as bureau:
        carrier = bureau.carrier(down)
        (accepted,) = await bureau.accept()

        async with running(bureau.dialler(carrier, patience=THREE_ATTEMPTS)):
            await bureau.reached(accepted, State.SENDING, State.QUEUED)
            while (await bureau.call(accepted)).attempt == 0 or (await bureau.call(accepted)).state is not State.QUEUED:
                await bureau.pass_time()
            canceled = await bureau.hang_up(accepted)
            await bureau.pass_time(1000)

        assert State.CANCELED is canceled.state
        assert 1 == len(carrier.lines)
        assert await released(bureau, accepted)
