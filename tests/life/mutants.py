"""
Ways to break the product, each in one place, all of which the laws of a call's life must notice.
"""

import inspect
import textwrap
from collections.abc import Callable
from types import FunctionType, ModuleType
from typing import Any, Final

import pytest

from outdial.adapters.memory import storage_calls
from outdial.domain.model import webhook
from outdial.domain.model.lifecycle import TRANSITIONS, State, Trigger
from outdial.domain.model.patience import Patience
from outdial.domain.rules import idempotency
from outdial.domain.service import (
    answering,
    dialling,
    hanging_up,
    outbox,
    progress,
    quarantine,
    reconciliation,
    settlement,
)

Break = Callable[[pytest.MonkeyPatch], None]


def changed(owner: Any, name: str, old: str, new: str) -> Break:
    """
    Replace a piece of a function's text, for all who call it.
    """

    def breaks(monkeypatch: pytest.MonkeyPatch) -> None:
        function = getattr(owner, name)
        text = textwrap.dedent(inspect.getsource(function))
        assert old in text, f"{function.__qualname__} has no {old!r} any more."
        module = inspect.getmodule(function)
        assert isinstance(module, ModuleType)
        names: dict[str, Any] = {}
        exec(compile(text.replace(old, new, 1), "<mutant>", "exec"), module.__dict__, names)  # noqa: S102
        (mutant,) = names.values()
        assert isinstance(mutant, FunctionType)
        monkeypatch.setattr(function, "__code__", mutant.__code__)

    return breaks


def _retrying_what_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(TRANSITIONS[State.UNKNOWN], Trigger.RETRY, State.QUEUED)


def _forgetting_leased_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "UNDIALLED", quarantine.UNDIALLED - {State.LEASED})


def _forgetting_ringing_calls(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(quarantine, "OPEN", quarantine.OPEN - {State.RINGING})


QUICK: Final = (
    "a lease keeps its fence",
    "recovery queues what was sent",
    "recovery takes what is attended",
    "what is doubtful is tried again",
    "expired calls are leased",
    "listed numbers are dialled",
    "numbers of others are shown",
    "revoked keys dial",
    "a stop is no incident",
    "the hold goes with the doubt",
    "unknown calls hold money for ever",
    "late evidence charges the account",
    "late evidence is lost money",
    "unanswered calls are billed",
    "a canceled call keeps its hold",
    "the rest is not released",
    "a hang-up is forgotten",
    "the copy forgets ringing calls",
    "what waits elsewhere is leased",
    "the same key is another call",
    "messages come twice",
    "no message is left",
    "messages overtake each other",
)
"""Those that few lives are enough for, tried by every `make test`; `make fuzz` tries all."""

MUTANTS: Final[dict[str, Break]] = {
    "no fence is checked": changed(dialling, "pass_no_return", "call.fence != leased.fence", "call.fence == -1"),
    "a lease keeps its fence": changed(dialling, "lease", "fence=call.fence + 1", "fence=max(1, call.fence)"),
    "recovery queues what was sent": changed(
        reconciliation,
        "recover",
        "call.after(Trigger.RETURN)",
        "call.after(Trigger.RETURN) or call.after(Trigger.RETRY)",
    ),
    "recovery takes what is attended": changed(reconciliation, "recover", "if call.id not in attended", ""),
    "what is doubtful is tried again": changed(progress, "doubt", "Trigger.DOUBT", "Trigger.RETRY"),
    "what is unknown is tried again": _retrying_what_is_unknown,
    "a refusal is tried again for ever": changed(Patience, "next_attempt", "call.attempt < self.attempts_max", "True"),
    "a call that is not wanted is tried again": changed(
        Patience, "next_attempt", "or call.hang_up_at is not None", "and call.hang_up_at is None"
    ),
    "pauses are not kept": changed(
        storage_calls.MemoryCalls, "queued", "(call.not_before is None or call.not_before <= at)", "True"
    ),
    "expired calls are leased": changed(storage_calls.MemoryCalls, "queued", "call.expires_at > at", "True"),
    "expired calls are dialled": changed(dialling, "pass_no_return", "call.expires_at <= at", "call.id == 0"),
    "listed numbers are dialled": changed(dialling, "obstacle", "at=at) is not None", "at=at) is False"),
    "revoked keys dial": changed(dialling, "obstacle", "not key.is_live(at)", "key.account_id == 0"),
    "numbers of others are shown": changed(
        dialling, "obstacle", "agent.phone_number != call.caller_id", "agent.id == 0"
    ),
    "the gate ignores its client": changed(answering, "_objection", "call.hang_up_at is not None", "call.id == 0"),
    "the gate ignores attempts": changed(
        answering, "_objection", "(call.attempt, call.fence) != (dialled.attempt, dialled.fence)", "call.id == 0"
    ),
    "a stop is no incident": changed(answering, "_record", "transaction.incidents.add(incident)", "pass"),
    "a stopped talk is billed": changed(
        answering, "stop_answered", '"talk_s": 0, "answered_at": None', '"talk_s": 60, "answered_at": at'
    ),
    "the hold goes with the doubt": changed(
        progress,
        "doubt",
        "return _save(transaction, call, doubtful, at)",
        "return end(transaction, call, at=at, disposition=Disposition.OUTCOME_UNKNOWN)",
    ),
    "unknown calls hold money for ever": changed(
        reconciliation, "overdue", "State.UNKNOWN, State.ENDED,", "State.ENDED,"
    ),
    "what hangs on the line stays there": changed(reconciliation, "overdue", "*sorted(ON_THE_LINE), ", ""),
    "unknown calls are given up at once": changed(
        Patience, "until_known", "self.ring_timeout_s + call.max_duration_s + self.evidence_lag_s", "0"
    ),
    "late evidence charges the account": changed(settlement, "reveal", "EntryKind.HOUSE_LOSS", "EntryKind.CAPTURE"),
    "late evidence is lost money": changed(settlement, "reveal", "lost_micros > 0", "lost_micros < 0"),
    "unanswered calls are billed": changed(settlement, "charge_of", "call.answered_at is None or ", ""),
    "unknown outcomes are billed": changed(
        settlement, "charge_of", " or call.disposition is Disposition.OUTCOME_UNKNOWN", ""
    ),
    "more than the hold is billed": changed(
        settlement, "charge_of", "min(call.rate.price(call.talk_s), call.hold_micros)", "call.rate.price(call.talk_s)"
    ),
    "a canceled call keeps its hold": changed(settlement, "_release", "EntryKind.RELEASE", "EntryKind.DEPOSIT"),
    "the rest is not released": changed(settlement, "_settle", "settled.hold_micros - charge_micros) > 0", "0) > 0"),
    "a hang-up is forgotten": changed(hanging_up, "_hung_up", "transaction.calls.ask_to_hang_up(call, at)", "pass"),
    "events of other attempts count": changed(
        progress, "apply_event", "event.attempt_id != call.attempt_id", "call.id == 0"
    ),
    "the quarantine forgets leased calls": _forgetting_leased_calls,
    "the copy forgets ringing calls": _forgetting_ringing_calls,
    "what waits elsewhere is leased": changed(
        dialling, "lease", "not transaction.places.current().is_here", "limit == 0"
    ),
    "what was leased elsewhere is dialled": changed(
        dialling, "pass_no_return", "or not transaction.places.current().is_here", ""
    ),
    "the same key is another call": changed(
        idempotency, "idempotency_key_is_unused", "prior is None", "prior is not None"
    ),
    "messages come twice": changed(
        webhook, "message_of", "{call.call_id}:{event_type}", "{call.call_id}:{event_type}:{at}"
    ),
    "no message is left": changed(outbox, "save_call", "event_type is None", "event_type == 'call.ended'"),
    "messages overtake each other": changed(outbox, "let_next_go", "place == 0", "place >= 0"),
}
