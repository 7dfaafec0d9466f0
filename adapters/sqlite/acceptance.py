"""
Deciding and recording a batch of requests inside one transaction.
"""

from collections.abc import Sequence
from typing import Final

from outdial.adapters.sqlite.call_rows import (
    calls_by_agent,
    calls_by_day,
    entry_row,
    progress_row,
    promise_row,
    record_row,
    script_row,
    wallet_row,
)
from outdial.adapters.sqlite.calls import ADD_RECORD
from outdial.adapters.sqlite.decisions import ADD_GROUNDS, ADD_REFUSAL, grounds_row, refusal_row
from outdial.adapters.sqlite.directory import COUNT_FOR_AGENT, LAST_NUMBER, SET_LAST_NUMBER
from outdial.adapters.sqlite.snapshot import facts_of_all
from outdial.adapters.sqlite.statements import Statements
from outdial.adapters.sqlite.wallets import ADD_ENTRY, UPDATE_WALLET, SqliteWallets
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Accepted, Decision
from outdial.domain.model.policy import Policy
from outdial.domain.model.wallet import Wallet, wallets_after
from outdial.ports.errors import StorageConflictError
from outdial.ports.storage import DecideAll

_CALLS_TABLE: Final = "calls"
ADD_CALL: Final = (
    "insert into calls (id, token, account_id, key_id, agent_id, assistant_id, agent_name, contact_id, phone_number,"
    " caller_id, runtime, sip_uri, currency, prefix, per_minute_micros, increment_s, minimum_s, hold_micros,"
    " max_duration_s, created_at, expires_at, idempotency_key, request_digest, trace_parent, state, status, worker_id,"
    " fence, attempt, dialed_at, answered_at, ended_at, disposition, cause_code, cause_words, cause_provisional,"
    " talk_s, charge_micros, not_before, deadline_at, version)"
    f" values ({', '.join('?' * 41)})"
)
COUNT_CALLS: Final = (
    "insert into key_days (key_id, day, calls) values (?, ?, ?)"
    " on conflict (key_id, day) do update set calls = calls + excluded.calls"
)
ADD_SCRIPT: Final = "insert into scripts (call_id, greeting, instructions, variables) values (?, ?, ?, ?)"


def accept(sql: Statements, batch: Sequence[CallRequest], policy: Policy, decide_all: DecideAll) -> Sequence[Decision]:
    """
    Decide a batch on one snapshot and record what was accepted, and what is kept of refusals.

    Row numbers are handed out in order of arrival and only those up to the last accepted call are used up.
    """
    last = sql.one(LAST_NUMBER, _CALLS_TABLE)
    snapshot = facts_of_all(batch, sql, policy=policy, first_number=1 if last is None else last[0] + 1)
    decided = decide_all(batch, snapshot)
    accepted = [one.decision for one in decided if isinstance(one.decision, Accepted)]
    if accepted:
        _record(sql, accepted)
    refusals = [one.refusal for one in decided if one.refusal is not None]
    if refusals:
        sql.write_all(ADD_REFUSAL, map(refusal_row, refusals))
    return [one.decision for one in decided]


def _record(sql: Statements, accepted: Sequence[Accepted]) -> None:
    calls = [decision.call for decision in accepted]
    wallets = wallets_after((decision.hold for decision in accepted), _wallets_of(sql, accepted))
    sql.write_all(ADD_CALL, [promise_row(call) + progress_row(call) for call in calls])
    sql.write_all(ADD_SCRIPT, [script_row(call) for call in calls])
    sql.write_all(
        ADD_ENTRY, [entry_row(decision.hold, wallet) for decision, wallet in zip(accepted, wallets, strict=True)]
    )
    sql.write_all(ADD_GROUNDS, map(grounds_row, accepted))
    sql.write_all(ADD_RECORD, [record_row(call, call.created_at) for call in calls])
    sql.write_all(UPDATE_WALLET, map(wallet_row, {wallet.account_id: wallet for wallet in wallets}.values()))
    sql.write_all(COUNT_CALLS, calls_by_day(calls))
    sql.write_all(COUNT_FOR_AGENT, calls_by_agent(calls))
    sql.write(SET_LAST_NUMBER, _CALLS_TABLE, max(call.id for call in calls))


def _wallets_of(sql: Statements, accepted: Sequence[Accepted]) -> dict[int, Wallet]:
    stored = SqliteWallets(sql)
    wallets: dict[int, Wallet] = {}
    for account_id in {decision.hold.account_id for decision in accepted}:
        wallet = stored.wallet(account_id)
        if wallet is None:
            raise StorageConflictError(f"Account {account_id} has no wallet; nothing was written.")
        wallets[account_id] = wallet
    return wallets
