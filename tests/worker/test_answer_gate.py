"""
The answer gate: everything is checked again when somebody answers, before anything is said to them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any, Final

import attrs
import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.answering import check_answer, stop_answered
from outdial.domain.service.progress import close
from outdial.entrypoints.worker import answer_gate
from outdial.entrypoints.worker.answer_gate import SURE_FOR_S
from outdial.ports.carrier import Announce, Audio
from outdial.ports.storage import Transaction
from tests import builders
from tests.listing import list_callee
from tests.worker.office import Office, office, released, running
from tests.worker.scripted_carrier import Line
from tests.worker.virtual_time import in_virtual_time

APOLOGY: Final = Announce(audio=Audio(pcm=bytes(2 * 8000 * 4)))
ANSWER_S: Final = 10.0
TALK_S: Final = 60

Trouble = Callable[[Office, Call], Awaitable[None]]


@attrs.define
class Callee:
    """
    Somebody who answers after some seconds and listens; what they heard.
    """

    answers_after_s: float = ANSWER_S
    heard: list[str] = attrs.field(factory=list)
    _talks: set[asyncio.Task[None]] = attrs.field(factory=set)

    async def fate(self, line: Line) -> None:
        """
        Ring, then answer.
        """
        line.later(1, line.ring)
        line.later(self.answers_after_s, lambda: self._talks.add(asyncio.create_task(self._answer(line))))

    async def _answer(self, line: Line) -> None:
        line.answer()
        instead = await line.on_answer()
        self.heard.append("the agent" if instead is None else "an apology")
        await asyncio.sleep(TALK_S if instead is None else instead.audio.duration_s)
        if not line.is_over:
            self.heard.append("the end")
            line.end(Disposition.HANG_UP_AGENT, talk_s=TALK_S if instead is None else 4)


async def _list_the_callee(bureau: Office, _call: Call) -> None:
    await bureau.storage.reliable.transact(list_callee)


async def _revoke_the_key(bureau: Office, _call: Call) -> None:
    key = builders.api_key(revoked_at=bureau.clock.now())
    await bureau.storage.reliable.transact(lambda transaction: transaction.directory.update_key(key))


async def _end_elsewhere(bureau: Office, call: Call) -> None:
    def work(transaction: Transaction) -> None:
        now = transaction.calls.call_of_any_account(CallReference(number=call.id))
        assert now is not None
        close(transaction, now, at=bureau.clock.now(), disposition=Disposition.OUTCOME_UNKNOWN)

    await bureau.storage.reliable.transact(work)


async def _take_the_database_away(bureau: Office, _call: Call) -> None:
    bureau.storage.is_down = True
    asyncio.get_running_loop().call_later(ANSWER_S + 3, partial(setattr, bureau.storage, "is_down", False))


async def _answered(trouble: Trouble | None, callee: Callee) -> tuple[Office, Call, list[Disposition]]:
    """
    Have a call answered, with trouble while it rings.
    """
    stopped: list[Disposition] = []
    async with office() as bureau:
        (call,) = await bureau.accept()
        dialler = bureau.dialler(bureau.carrier(callee.fate), apology=APOLOGY, on_stopped=stopped.append)
        async with running(dialler):
            await bureau.reached(call, State.RINGING)
            if trouble is not None:
                await trouble(bureau, call)
            await asyncio.sleep(ANSWER_S + TALK_S)
            return bureau, await bureau.over(call), stopped


@in_virtual_time
async def test_a_conversation_begins_when_nothing_stands_against_it() -> None:
    """
    The gate lets through what may go on, and its talk is billed.
    """
    callee = Callee()

    _, call, stopped = await _answered(None, callee)

    assert ["the agent", "the end"] == callee.heard
    assert (Status.COMPLETED, TALK_S, []) == (call.status, call.talk_s, stopped)
    assert call.charge_micros > 0


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (_list_the_callee, Disposition.DO_NOT_CALL),
        (_revoke_the_key, Disposition.CANCELED),
        (_end_elsewhere, Disposition.OUTCOME_UNKNOWN),
    ],
)
@in_virtual_time
async def test_whoever_answers_a_call_that_must_not_go_on_hears_an_apology(trouble: Trouble, why: Disposition) -> None:
    """
    The agent is not heard; the apology is, to its end; the call ends for its reason, for nothing, and it is told.
    """
    callee = Callee()

    bureau, call, stopped = await _answered(trouble, callee)

    assert ["an apology", "the end"] == callee.heard
    assert (Status.FAILED, why, 0, 0) == (call.status, call.disposition, call.talk_s, call.charge_micros)
    assert [why] == stopped
    assert await released(bureau, call)


@in_virtual_time
async def test_nothing_is_said_for_a_database_that_was_away_for_long() -> None:
    """
    Nobody knows whether the conversation may begin: the callee hears the apology within seconds, and nothing is billed.
    """
    callee = Callee(answers_after_s=1 + SURE_FOR_S + 0.1)

    bureau, call, stopped = await _answered(_take_the_database_away, callee)

    assert ["an apology", "the end"] == callee.heard
    assert (Status.FAILED, Disposition.CANCELED, [Disposition.CANCELED]) == (call.status, call.disposition, stopped)
    assert {EntryKind.HOLD: call.hold_micros, EntryKind.RELEASE: call.hold_micros} == await bureau.money(call)


@in_virtual_time
async def test_a_database_that_is_away_for_a_moment_stops_no_conversation() -> None:
    """
    Nobody else ends a worker's calls before it was silent for long, so the call is surely still its own.
    """
    callee = Callee(answers_after_s=1 + SURE_FOR_S - 0.1)

    _, call, stopped = await _answered(_take_the_database_away, callee)

    assert ["the agent", "the end"] == callee.heard
    assert (Status.COMPLETED, TALK_S, []) == (call.status, call.talk_s, stopped)


@in_virtual_time
async def test_without_the_gate_a_listed_callee_would_be_talked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The negative control: with the check switched off the agent is heard.
    """
    monkeypatch.setattr(answer_gate, "check_answer", lambda _transaction, dialled, at: None)  # noqa: ARG005
    callee = Callee()

    await _answered(_list_the_callee, callee)

    assert ["the agent", "the end"] == callee.heard


@pytest.mark.parametrize("changes", [{"id": 999}, {"fence": 7}, {"attempt": 7}])
@in_virtual_time
async def test_nobody_but_the_calls_own_attempt_may_talk(changes: dict[str, Any]) -> None:
    """
    A worker whose attempt is not the call's current one is stopped, and changes nothing about the call.
    """
    async with office() as bureau:
        (call,) = await bureau.accept()
        dialled, at = attrs.evolve(call, **changes), bureau.clock.now()

        why = await bureau.storage.transact(lambda transaction: check_answer(transaction, dialled, at=at))
        stop = partial(stop_answered, dialled=attrs.evolve(dialled, attempt=7), at=at, why=Disposition.CANCELED)
        after = await bureau.storage.transact(stop)

        assert Disposition.OUTCOME_UNKNOWN is why
        assert call == await bureau.call(call)
        assert after.state is State.QUEUED
