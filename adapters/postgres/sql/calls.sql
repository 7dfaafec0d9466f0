-- name: call_columns
-- Part of the statements below, in the order of `read_call` (of any account)
select id, token, account_id, key_id, agent_id, assistant_id, agent_name, contact_id, phone_number, caller_id,
    runtime, sip_uri, currency, prefix, per_minute_micros, increment_s, minimum_s, hold_micros, max_duration_s,
    created_at, expires_at, idempotency_key, request_digest, trace_parent, state, worker_id, fence, attempt, dialed_at, answered_at, ended_at, disposition, cause_code, cause_words,
    cause_provisional, talk_s, charge_micros, not_before, deadline_at, version, hang_up_at, greeting, instructions, variables
from calls join scripts on scripts.call_id = calls.id

-- name: calls_by_number
-- An account's calls by their rows, newest first.
{call_columns} where account_id = %(account_id)s and id = any(%(numbers)s::bigint[]) order by id desc

-- name: to_change
-- Part of the statements below: lock what is read until the transaction ends.
for no key update of calls

-- name: call_of_any_account
-- A call for workers and the operator (of any account)
{call_columns} where id = %(id)s and token = coalesce(%(token)s, token)

-- name: call_of_any_account_to_change
-- The same, locked (of any account)
{call_of_any_account} {to_change}

-- name: call
-- An account's call.
{call_columns} where id = %(id)s and token = coalesce(%(token)s, token) and account_id = %(account_id)s

-- name: call_to_change
-- The same, locked.
{call} {to_change}

-- name: prior
-- An account's call that was asked for with an idempotency key.
{call_columns} where account_id = %(account_id)s and idempotency_key = %(idempotency_key)s

-- name: accepted_on
-- How many calls a key had accepted on a day.
select calls from key_days where key_id = %(key_id)s and day = %(day)s

-- name: live
-- Calls in a state that is not the last, oldest first; repeats the condition of its index (of any account)
{call_columns} where state = %(state)s and state not in ('settled', 'revealed', 'canceled', 'blocked') order by id limit %(limit)s

-- name: live_to_change
-- The same, locked; what another transaction holds is waited for, so that none is overlooked (of any account)
{live} {to_change}

-- name: over
-- Calls in a last state, oldest first, for reports alone (of any account)
{call_columns} where state = %(state)s order by id limit %(limit)s

-- name: over_to_change
-- The same, locked (of any account)
{over} {to_change}

-- name: queued
-- The queue that is due, oldest first, but for accounts and numbers at their caps; what others lease is passed over (of any account)
{call_columns} where state = 'queued' and state not in ('settled', 'revealed', 'canceled', 'blocked')
    and expires_at > %(at)s and coalesce(not_before, 0) <= %(at)s
    and account_id <> all(%(accounts)s::bigint[]) and caller_id <> all(%(caller_ids)s::text[])
order by id limit %(limit)s {to_change} skip locked

-- name: unattended
-- Begun calls of this worker, and of those that have fallen silent, oldest first (of any account)
{call_columns} where state not in ('settled', 'revealed', 'canceled', 'blocked') and state not in ('queued', 'unknown')
    and (worker_id is null or worker_id = %(worker_id)s or not exists (
        select from workers where workers.id = calls.worker_id
            and seen_at > clock_timestamp() - make_interval(secs => %(silent_s)s)))
order by id limit %(limit)s {to_change} skip locked

-- name: overdue
-- Calls of a state whose time is up, oldest first (of any account)
{call_columns} where state = %(state)s and state not in ('settled', 'revealed', 'canceled', 'blocked')
    and case state when 'queued' then expires_at else coalesce(deadline_at, 0) end <= %(at)s
order by id limit %(limit)s

-- name: overdue_to_change
-- The same, locked; what another transaction holds is left to it (of any account)
{overdue} {to_change} skip locked

-- name: live_counts
-- How many calls were begun and are not over, for the caps (of any account)
select account_id, caller_id, count(*) from calls
where state not in ('settled', 'revealed', 'canceled', 'blocked') and state <> 'queued' group by account_id, caller_id

-- name: open
-- The calls that are not over, added up for the operator (of any account)
select state, currency, count(*), min(created_at), sum(hold_micros)::bigint from calls
where state not in ('settled', 'revealed', 'canceled', 'blocked') group by state, currency

-- name: records
-- What happened to a call that was found before, oldest first (of any account)
select number, call_id, account_id, state, disposition, at from call_records where call_id = %(id)s order by number

-- name: to_hang_up
-- Which of a worker's own calls are to be hung up (of any account)
select id from calls where id = any(%(ids)s::bigint[]) and hang_up_at is not null

-- name: ask_to_hang_up
-- That a call's client wants its end.
update calls set hang_up_at = %(hang_up_at)s where id = %(id)s and account_id = %(account_id)s

-- name: save
-- A call's progress over the version before it, and the record of it; nothing when somebody else wrote it first.
with saved as (
    update calls set state = %(state)s, status = %(status)s, worker_id = %(worker_id)s, fence = %(fence)s, attempt = %(attempt)s, dialed_at = %(dialed_at)s::bigint,
        answered_at = %(answered_at)s::bigint, ended_at = %(ended_at)s::bigint, disposition = %(disposition)s,
        cause_code = %(cause_code)s::bigint, cause_words = %(cause_words)s, cause_provisional = %(cause_provisional)s,
        talk_s = %(talk_s)s, charge_micros = %(charge_micros)s, not_before = %(not_before)s::bigint,
        deadline_at = %(deadline_at)s::bigint, version = %(version)s
    where id = %(id)s and account_id = %(account_id)s and version = %(version_before)s
    returning id, account_id
)
insert into call_records (call_id, account_id, state, disposition, at, transaction_id)
select id, account_id, %(state)s, %(disposition)s, %(at)s, greatest(pg_current_xact_id()::text::bigint, (
    select transaction_id from call_records where call_id = %(id)s order by number desc limit 1)) from saved
