"""
Values to rows: calls, what happened to them, and their money.

Each row has the column order of the statements that write it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from outdial.adapters.relational.columns import (
    write_json,
    write_time,
    write_time_or_none,
    write_variables,
)
from outdial.adapters.relational.values import Row
from outdial.adapters.sqlite.rows import rate_row
from outdial.domain.model.call import Call
from outdial.domain.model.wallet import LedgerEntry, Wallet


def wallet_row(wallet: Wallet) -> Row:
    """
    Write what changes of a wallet, and whose it is.
    """
    return wallet.balance_micros, wallet.held_micros, wallet.entries, wallet.seal, wallet.account_id


def entry_row(entry: LedgerEntry, wallet: Wallet) -> Row:
    """
    Write a ledger entry, numbered and sealed by the wallet after it.
    """
    return (
        entry.account_id,
        wallet.entries,
        entry.kind.value,
        entry.micros,
        entry.call_id,
        write_time(entry.at),
        wallet.seal,
    )


def record_row(call: Call, at: datetime) -> Row:
    """
    Write that a call reached its state.
    """
    disposition = None if call.disposition is None else call.disposition.value
    return call.id, call.account_id, call.state.value, disposition, write_time(at)


def promise_row(call: Call) -> Row:
    """
    Write the part of a call that never changes, without its script.
    """
    return (
        call.id,
        call.token,
        call.account_id,
        call.key_id,
        call.agent_id,
        call.assistant_id,
        call.agent_name,
        call.contact_id,
        call.phone_number.e164,
        call.caller_id.e164,
        call.runtime.value,
        call.sip_uri,
        *rate_row(call.rate),
        call.hold_micros,
        call.max_duration_s,
        write_time(call.created_at),
        write_time(call.expires_at),
        call.idempotency_key,
        call.request_digest,
        call.trace_parent,
    )


def progress_row(call: Call) -> Row:
    """
    Write the part of a call that changes.
    """
    cause = call.cause
    return (
        call.state.value,
        call.listed_as,
        call.worker_id,
        call.fence,
        call.attempt,
        write_time_or_none(call.dialed_at),
        write_time_or_none(call.answered_at),
        write_time_or_none(call.ended_at),
        None if call.disposition is None else call.disposition.value,
        None if cause is None else cause.code,
        None if cause is None else cause.words,
        None if cause is None else write_json(cause.provisional),
        call.talk_s,
        call.charge_micros,
        write_time_or_none(call.not_before),
        write_time_or_none(call.deadline_at),
        call.version,
    )


def calls_by_day(calls: Iterable[Call]) -> list[Row]:
    """
    Write how many calls each API key had accepted on each day of UTC.
    """
    counts = Counter((call.key_id, call.created_at.date().toordinal()) for call in calls if call.key_id is not None)
    return [(key_id, day, count) for (key_id, day), count in counts.items()]


def calls_by_agent(calls: Iterable[Call]) -> list[Row]:
    """
    Write how many more calls each agent has, without any talk yet.
    """
    counts = Counter((call.agent_id, call.account_id) for call in calls)
    return [(agent_id, account_id, count, 0) for (agent_id, account_id), count in counts.items()]


def script_row(call: Call) -> Row:
    """
    Write what the agent says in a call.
    """
    script = call.script
    return call.id, script.greeting, script.instructions, write_variables(script.variables)
