"""
A copy never rings anyone: calls that are not over end in the target, and no money is lost.
"""

import asyncio
from pathlib import Path

import attrs
import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import TERMINAL, State
from outdial.entrypoints import library
from outdial.entrypoints.copying import fill
from outdial.ports.storage import Reader
from tests import builders
from tests.contract.storage.database import furnish
from tests.copying.conftest import STATES
from tests.copying.databases import Place, copied, place
from tests.service.calls import DEPOSIT_MICROS, in_state, wallet

EVERY_STATE = frozenset(State)
WAIT_S = 20
FAR_AWAY = 4_000_000_000_000_000
"""Microseconds from 1970 to 2096."""


def _calls(reader: Reader) -> tuple[Call, ...]:
    return reader.calls.in_states(EVERY_STATE, 1000)


def test_open_calls_end_in_the_target(source: Place, target: Place) -> None:
    """
    What was never dialled is expired, what may have rung is unknown, and what had ended keeps its end and its price.
    """
    result = copied(source, target)

    with source.opened() as before, target.opened() as after:
        ended = {old.state: new for old, new in zip(before.read(_calls), after.read(_calls), strict=True)}
    assert result.quarantined == len(State) - len(TERMINAL)
    assert {State.QUEUED: Disposition.EXPIRED, State.LEASED: Disposition.EXPIRED} == {
        state: call.disposition
        for state, call in ended.items()
        if call.state is State.BLOCKED and call.attempt == 0 and state in {State.QUEUED, State.LEASED}
    }
    unknown = [State.SENDING, State.UNKNOWN, State.DIALING, State.RINGING, State.IN_PROGRESS]
    assert {Disposition.OUTCOME_UNKNOWN} == {ended[state].disposition for state in unknown}
    assert {Status.FAILED} == {ended[state].status for state in (*unknown, State.QUEUED, State.LEASED)}
    assert (Disposition.HANG_UP_CALLEE, 100_000) == (ended[State.ENDED].disposition, ended[State.ENDED].charge_micros)
    assert all(call.state in TERMINAL for call in ended.values())


def test_money_is_whole_again(source: Place, target: Place) -> None:
    """
    Nothing is held, and what is missing of the deposit was captured; the ledger says the same as the wallet.
    """
    copied(source, target)

    with target.opened() as database:
        owned = wallet(database)
        captured = sum(call.charge_micros for call in database.read(_calls))
        entries = database.read(lambda reader: reader.wallets.entries(builders.ACCOUNT_ID))
    assert (DEPOSIT_MICROS - captured, 0) == (owned.balance_micros, owned.held_micros)
    reckoned = builders.wallet(balance_micros=0)
    for entry in entries:
        reckoned = reckoned.post(entry)
    assert reckoned == owned


def test_calls_that_are_over_are_left_alone(tmp_path: Path, target: Place) -> None:
    """
    A copy of calls that are all over is the same in every row.
    """
    finished = place("sqlite", tmp_path)
    with finished.opened() as database:
        database.transact(furnish)
        for state in sorted(TERMINAL):
            in_state(database, state)

    result = copied(finished, target)

    assert 0 == result.quarantined
    assert finished.content() == target.content()


async def _dial_new_call(target: Place) -> tuple[Call, tuple[Call, ...]]:
    """
    Have a dialler see a new call through, and return it with all calls.
    """
    settings = attrs.evolve(target.settings, simulator_time_scale=0.0)
    async with library.open(settings) as dialer:
        decision = await dialer.dial("+15551234567", builders.AGENT_ID)
        call = await dialer.wait(decision.call, timeout_s=WAIT_S)  # type: ignore[union-attr]
        return call, await dialer._storage.read(_calls)  # noqa: SLF001 - a look at what the dialler left


def test_nothing_old_is_dialled_from_the_target(source: Place, target: Place) -> None:
    """
    A dialler on the target dials the new call, and no call that was asked for before.
    """
    copied(source, target)
    with target.opened() as database:
        before = database.read(_calls)

    call, after = asyncio.run(_dial_new_call(target))

    assert 1 == call.attempt
    assert before == tuple(old for old in after if old.id != call.id)


def test_without_quarantine_the_queue_is_dialled(source: Place, target: Place) -> None:
    """
    A negative control: the same dialler dials what was queued when open calls are kept as they were.
    """
    with target.archive.filling() as filling:
        fill(source.archive, filling, lambda _progress: None)
    target.run(f"update calls set expires_at = {FAR_AWAY}")
    with target.opened() as database:
        waiting = [call.id for call in database.read(_calls) if call.state in {State.QUEUED, State.LEASED}]

    _call, after = asyncio.run(_dial_new_call(target))

    assert waiting
    assert all(call.attempt == 1 for call in after if call.id in waiting)


@pytest.mark.parametrize("state", STATES)
def test_the_source_keeps_its_calls(tmp_path: Path, target: Place, state: State) -> None:
    """
    What ends in the target stays as it was in the source.
    """
    kept = place("sqlite", tmp_path)
    with kept.opened() as database:
        database.transact(furnish)
        call = in_state(database, state)
    copied(kept, target)

    with kept.opened() as database:
        assert (call,) == database.read(_calls)
