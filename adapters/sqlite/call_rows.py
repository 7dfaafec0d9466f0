"""
Rows to values and back: calls, what happened to them, and their money.

Each row has the column order of the statements that read and write it.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from outdial.adapters.sqlite.columns import (
    read_json,
    read_time,
    read_time_or_none,
    read_variables,
    write_json,
    write_time,
    write_time_or_none,
    write_variables,
)
from outdial.adapters.sqlite.rows import rate_row, read_rate
from outdial.adapters.sqlite.statements import Row
from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call, Script
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet


def read_wallet(row: Row) -> Wallet:
    """
    Read a wallet.
    """
    account_id, currency, balance_micros, held_micros = row
    return Wallet(account_id=account_id, currency=currency, balance_micros=balance_micros, held_micros=held_micros)


def entry_row(entry: LedgerEntry) -> Row:
    """
    Write a ledger entry; its number is found when it is stored, below its account.
    """
    return (
        entry.account_id,
        entry.account_id,
        entry.kind.value,
        entry.micros,
        entry.call_id,
        write_time(entry.at),
    )


def read_entry(row: Row) -> LedgerEntry:
    """
    Read a ledger entry.
    """
    account_id, kind, micros, call_id, at = row
    return LedgerEntry(account_id=account_id, kind=EntryKind(kind), micros=micros, call_id=call_id, at=read_time(at))


def record_row(call: Call, at: datetime) -> Row:
    """
    Write that a call reached its state.
    """
    disposition = None if call.disposition is None else call.disposition.value
    return call.id, call.account_id, call.state.value, disposition, write_time(at)


def read_record(row: Row) -> CallRecord:
    """
    Read what happened to a call.
    """
    number, call_id, account_id, state, disposition, at = row
    return CallRecord(
        number=number,
        call_id=call_id,
        account_id=account_id,
        state=State(state),
        disposition=None if disposition is None else Disposition(disposition),
        at=read_time(at),
    )


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
        call.idempotency_key,
        call.request_digest,
    )


def progress_row(call: Call) -> Row:
    """
    Write the part of a call that changes.
    """
    cause = call.cause
    return (
        call.state.value,
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
        call.version,
    )


def calls_by_day(calls: Iterable[Call]) -> list[Row]:
    """
    Write how many calls each API key had accepted on each day of UTC.
    """
    counts = Counter((call.key_id, call.created_at.date().toordinal()) for call in calls if call.key_id is not None)
    return [(key_id, day, count) for (key_id, day), count in counts.items()]


def script_row(call: Call) -> Row:
    """
    Write what the agent says in a call.
    """
    script = call.script
    return call.id, script.greeting, script.instructions, write_variables(script.variables)


def read_call(row: Row) -> Call:
    """
    Read a call: its promise, its progress, its script.
    """
    promise, progress, script = row[:22], row[22:36], row[36:]
    number, token, account_id, key_id, agent_id, assistant_id, agent_name, contact_id = promise[:8]
    phone_number, caller_id, runtime, sip_uri = promise[8:12]
    hold_micros, max_duration_s, created_at, idempotency_key, request_digest = promise[17:]
    state, worker_id, fence, attempt, dialed_at, answered_at, ended_at, disposition = progress[:8]
    talk_s, charge_micros, version = progress[11:]
    return Call(
        id=number,
        token=token,
        account_id=account_id,
        key_id=key_id,
        agent_id=agent_id,
        assistant_id=assistant_id,
        agent_name=agent_name,
        contact_id=contact_id,
        phone_number=PhoneNumber(phone_number),
        caller_id=PhoneNumber(caller_id),
        runtime=RuntimeKind(runtime),
        sip_uri=sip_uri,
        script=_read_script(script),
        rate=read_rate(promise[12:17]),
        hold_micros=hold_micros,
        max_duration_s=max_duration_s,
        created_at=read_time(created_at),
        idempotency_key=idempotency_key,
        request_digest=request_digest,
        state=State(state),
        worker_id=worker_id,
        fence=fence,
        attempt=attempt,
        dialed_at=read_time_or_none(dialed_at),
        answered_at=read_time_or_none(answered_at),
        ended_at=read_time_or_none(ended_at),
        disposition=None if disposition is None else Disposition(disposition),
        cause=_read_cause(progress[8:11]),
        talk_s=talk_s,
        charge_micros=charge_micros,
        version=version,
    )


def _read_cause(row: Row) -> HangUpCause | None:
    code, words, provisional = row
    if code is None:
        return None
    return HangUpCause(code=code, words=words, provisional=read_json(provisional, tuple[int, ...]))


def _read_script(row: Row) -> Script:
    greeting, instructions, variables = row
    return Script(greeting=greeting, instructions=instructions, variables=read_variables(variables))
