"""
Values to rows: calls, what happened to them, and their money.

They are written by the statements' parameters.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from outdial.adapters.postgres.rows import Columns, rate_columns
from outdial.adapters.relational.columns import (
    write_json,
    write_time,
    write_time_or_none,
    write_variables,
)
from outdial.domain.model.call import Call
from outdial.domain.model.wallet import LedgerEntry, Wallet


def wallet_columns(wallet: Wallet) -> Columns:
    """
    Write a wallet.
    """
    return {
        "account_id": wallet.account_id,
        "balance_micros": wallet.balance_micros,
        "held_micros": wallet.held_micros,
        "entries": wallet.entries,
        "seal": wallet.seal,
    }


def entry_columns(entry: LedgerEntry) -> Columns:
    """
    Write a ledger entry, but for its number and seal, which are those of the wallet after it.
    """
    return {
        "account_id": entry.account_id,
        "kind": entry.kind.value,
        "micros": entry.micros,
        "call_id": entry.call_id,
        "at": write_time(entry.at),
    }


def record_columns(call: Call, at: datetime) -> Columns:
    """
    Write that a call reached its state.
    """
    return {
        "id": call.id,
        "account_id": call.account_id,
        "state": call.state.value,
        "disposition": None if call.disposition is None else call.disposition.value,
        "at": write_time(at),
    }


def promise_columns(call: Call) -> Columns:
    """
    Write the part of a call that never changes, without its script.
    """
    return {
        "id": call.id,
        "token": call.token,
        "account_id": call.account_id,
        "key_id": call.key_id,
        "agent_id": call.agent_id,
        "assistant_id": call.assistant_id,
        "agent_name": call.agent_name,
        "contact_id": call.contact_id,
        "phone_number": call.phone_number.e164,
        "caller_id": call.caller_id.e164,
        "runtime": call.runtime.value,
        "sip_uri": call.sip_uri,
        **rate_columns(call.rate),
        "hold_micros": call.hold_micros,
        "max_duration_s": call.max_duration_s,
        "created_at": write_time(call.created_at),
        "expires_at": write_time(call.expires_at),
        "idempotency_key": call.idempotency_key,
        "request_digest": call.request_digest,
        "trace_parent": call.trace_parent,
    }


def progress_columns(call: Call) -> Columns:
    """
    Write the part of a call that changes.
    """
    cause = call.cause
    return {
        "state": call.state.value,
        "status": call.listed_as,
        "worker_id": call.worker_id,
        "fence": call.fence,
        "attempt": call.attempt,
        "dialed_at": write_time_or_none(call.dialed_at),
        "answered_at": write_time_or_none(call.answered_at),
        "ended_at": write_time_or_none(call.ended_at),
        "disposition": None if call.disposition is None else call.disposition.value,
        "cause_code": None if cause is None else cause.code,
        "cause_words": None if cause is None else cause.words,
        "cause_provisional": None if cause is None else write_json(cause.provisional),
        "talk_s": call.talk_s,
        "charge_micros": call.charge_micros,
        "not_before": write_time_or_none(call.not_before),
        "deadline_at": write_time_or_none(call.deadline_at),
        "version": call.version,
    }


def calls_by_day(calls: Iterable[Call]) -> list[Columns]:
    """
    Write how many calls each API key had accepted on each day of UTC, in the order of keys.
    """
    counts = Counter((call.key_id, call.created_at.date().toordinal()) for call in calls if call.key_id is not None)
    return [{"key_id": key_id, "day": day, "calls": counts[key_id, day]} for key_id, day in sorted(counts)]


def calls_by_agent(calls: Iterable[Call]) -> list[Columns]:
    """
    Write how many more calls each agent has.
    """
    counts = Counter((call.agent_id, call.account_id) for call in calls)
    return [
        {"agent_id": agent_id, "account_id": account_id, "calls": count}
        for (agent_id, account_id), count in counts.items()
    ]


def script_columns(call: Call) -> Columns:
    """
    Write what the agent says in a call.
    """
    script = call.script
    return {
        "id": call.id,
        "greeting": script.greeting,
        "instructions": script.instructions,
        "variables": write_variables(script.variables),
    }
