"""
The answer gate: everything is checked again when somebody answers, before anything is said to them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Final

import attrs
import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.incident import IncidentKind, Objection
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.progress import close
from outdial.entrypoints.worker import answer_gate
from outdial.entrypoints.worker.answer_gate import SURE_FOR_S
from outdial.ports.carrier import Announce, Audio
from outdial.ports.storage import Transaction
from tests import builders
from tests.listing import list_callee
from tests.worker.office import Office, office, released, running
from tests.worker.scripted_carrier import Line, ScriptedCarrier, hang_up_in_order, ignore
from tests.worker.virtual_time import in_virtual_time

APOLOGY: Final = Announce(audio=Audio(pcm=bytes(2 * 8000 * 4)))
ANSWER_S: Final = 10.0
TALK_S: Final = 60

ANSWERED_S: Final = 1 + SURE_FOR_S + 0.1
"""When nobody is sure any more of a call that was ringing after a second."""

FAILS_AFTER_S: Final = 5.0
OUTAGE_S: Final = 120.0
"""Longer than an attempt tries to write."""

Trouble = Callable[[Office, Call], Awaitable[None]]
Caught = tuple[IncidentKind, Objection]


@attrs.define
class Callee:
    """
    Somebody who answers after some seconds and listens; what they heard.
    """

    answers_after_s: float = ANSWER_S
    hears_no_end: bool = False
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
        if not line.is_over and not self.hears_no_end:
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


async def _take_the_database_away_in_silence(bureau: Office, call: Call) -> None:
    bureau.storage.fails_after_s = FAILS_AFTER_S
    await _take_the_database_away(bureau, call)


async def _bring_the_database_back_for_the_answer(bureau: Office, _call: Call) -> None:
    bureau.storage.is_down, bureau.storage.fails_after_s = True, FAILS_AFTER_S
    failed_s = ANSWERED_S + FAILS_AFTER_S
    for at_s, is_down in ((failed_s + 0.1, False), (failed_s + 0.5, True), (OUTAGE_S, False)):
        asyncio.get_running_loop().call_at(at_s, partial(setattr, bureau.storage, "is_down", is_down))


async def _suspend_the_machine(bureau: Office, call: Call) -> None:
    bureau.clock.slept_s = 3600
    await _take_the_database_away(bureau, call)


async def _incidents(bureau: Office, call: Call) -> list[Caught]:
    found = await bureau.storage.reliable.read(
        lambda reader: reader.incidents.incidents(call.account_id, before=None, limit=9)
    )
    assert {call.id} >= {incident.call_id for incident in found}
    return [(incident.kind, incident.objection) for incident in found]


async def _answered(trouble: Trouble | None, callee: Callee) -> tuple[Office, Call, list[Caught]]:
    """
    Have a call answered, with trouble while it rings.
    """
    caught: list[Caught] = []
    async with office() as bureau:
        (call,) = await bureau.accept()
        on_hang_up = ignore if callee.hears_no_end else hang_up_in_order
        carrier = ScriptedCarrier(bureau.clock, callee.fate, on_hang_up=on_hang_up)
        dialler = bureau.dialler(carrier, apology=APOLOGY, on_incident=lambda *told: caught.append(told))
        async with running(dialler):
            await bureau.reached(call, State.RINGING)
            if trouble is not None:
                await trouble(bureau, call)
            await asyncio.sleep(ANSWER_S + TALK_S)
            return bureau, await bureau.over(call), caught


@in_virtual_time
async def test_a_conversation_begins_when_nothing_stands_against_it() -> None:
    """
    The gate lets through what may go on, and its talk is billed.
    """
    callee = Callee()

    bureau, call, caught = await _answered(None, callee)

    assert ["the agent", "the end"] == callee.heard
    assert (Status.COMPLETED, TALK_S, [], []) == (call.status, call.talk_s, caught, await _incidents(bureau, call))
    assert call.charge_micros > 0


@pytest.mark.parametrize(
    ("trouble", "why"),
    [
        (_list_the_callee, Objection.DO_NOT_CALL),
        (_revoke_the_key, Objection.CANCELED),
        (_end_elsewhere, Objection.OVER),
    ],
)
@in_virtual_time
async def test_whoever_answers_a_call_that_must_not_go_on_hears_an_apology(trouble: Trouble, why: Objection) -> None:
    """
    The agent is not heard; the apology is, to its end; the call ends for its reason, for nothing, as an incident.
    """
    callee = Callee()

    bureau, call, caught = await _answered(trouble, callee)

    assert ["an apology", "the end"] == callee.heard
    assert (Status.FAILED, why.disposition) == (call.status, call.disposition)
    assert (0, 0) == (call.talk_s, call.charge_micros)
    assert [(IncidentKind.ANSWER_STOPPED, why)] == caught == await _incidents(bureau, call)
    assert await released(bureau, call)


@in_virtual_time
async def test_nothing_is_said_for_a_database_that_was_away_for_long() -> None:
    """
    Nobody knows whether the conversation may begin: the callee hears the apology within seconds, and nothing is billed.
    """
    callee = Callee(answers_after_s=ANSWERED_S)

    bureau, call, caught = await _answered(_take_the_database_away, callee)

    assert ["an apology", "the end"] == callee.heard
    assert (Status.FAILED, Disposition.CANCELED) == (call.status, call.disposition)
    assert [(IncidentKind.ANSWER_STOPPED, Objection.NOT_CHECKED)] == caught == await _incidents(bureau, call)
    assert {EntryKind.HOLD: call.hold_micros, EntryKind.RELEASE: call.hold_micros} == await bureau.money(call)


@in_virtual_time
async def test_a_database_that_is_away_for_a_moment_stops_no_conversation() -> None:
    """
    Nobody else ends a worker's calls before it was silent for long, so the call is surely still its own.
    """
    callee = Callee(answers_after_s=1 + SURE_FOR_S - 0.1)

    _, call, caught = await _answered(_take_the_database_away, callee)

    assert ["the agent", "the end"] == callee.heard
    assert (Status.COMPLETED, TALK_S, []) == (call.status, call.talk_s, caught)


@in_virtual_time
async def test_without_the_gate_a_listed_callee_would_be_talked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    The negative control: with the check switched off the agent is heard.
    """
    monkeypatch.setattr(answer_gate, "check_answer", lambda _transaction, dialled, at: None)  # noqa: ARG005
    callee = Callee()

    await _answered(_list_the_callee, callee)

    assert ["the agent", "the end"] == callee.heard


@in_virtual_time
async def test_a_machine_that_was_suspended_is_sure_of_nothing() -> None:
    """
    Its steady clock stood still, while others may have ended the call: the database has to be asked.
    """
    callee = Callee(answers_after_s=1 + SURE_FOR_S - 0.1)

    _, _, caught = await _answered(_suspend_the_machine, callee)

    assert ["an apology", "the end"] == callee.heard
    assert [(IncidentKind.ANSWER_STOPPED, Objection.NOT_CHECKED)] == caught


@in_virtual_time
async def test_a_stopped_call_is_not_billed_for_an_end_that_never_comes() -> None:
    """
    The carrier says no more after the apology, which nobody could write down: no talk is made of that.
    """
    callee = Callee(answers_after_s=ANSWERED_S, hears_no_end=True)

    bureau, call, caught = await _answered(_take_the_database_away_in_silence, callee)

    assert ["an apology"] == callee.heard
    assert (Disposition.CANCELED, 0, None) == (call.disposition, call.charge_micros, call.answered_at)
    assert [(IncidentKind.ANSWER_STOPPED, Objection.NOT_CHECKED)] == caught == await _incidents(bureau, call)
    assert await released(bureau, call)


@in_virtual_time
async def test_an_incident_outlives_an_outage_that_its_attempt_does_not() -> None:
    """
    The database is back for the answer alone; the end is written when the attempt has long given up.
    """
    callee = Callee(answers_after_s=ANSWERED_S)

    bureau, call, caught = await _answered(_bring_the_database_back_for_the_answer, callee)

    assert ["an apology", "the end"] == callee.heard
    assert (Disposition.CANCELED, 0) == (call.disposition, call.charge_micros)
    assert [(IncidentKind.ANSWER_STOPPED, Objection.NOT_CHECKED)] == caught == await _incidents(bureau, call)


@in_virtual_time
async def test_the_line_of_a_call_that_others_ended_is_cut() -> None:
    """
    A worker that slept places an order whose call is over: it hangs up at once, and the operator sees whose phone rang.
    """
    caught = list[Caught]()

    async def slow_network(line: Line) -> None:
        await asyncio.sleep(5)
        line.later(0.1, line.ring)

    async with office() as bureau:
        (call,) = await bureau.accept()
        carrier = bureau.carrier(slow_network)
        async with running(bureau.dialler(carrier, on_incident=lambda *told: caught.append(told))):
            await bureau.reached(call, State.SENDING)
            await _end_elsewhere(bureau, call)
            await bureau.pass_time(10)

            assert [(call.attempt_id[:-1] + "1", Disposition.OUTCOME_UNKNOWN)] == carrier.hang_ups
            assert [(IncidentKind.LINE_CUT, Objection.OVER)] == caught == await _incidents(bureau, call)
