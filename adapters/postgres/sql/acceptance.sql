-- name: keys
-- The keys that the requests claim to have, each of which tells whose it is (of any account)
select id, account_id, permissions, secret_hash, created_at, expires_at, revoked_at, calls_per_day,
    requests_per_minute
from api_keys where id = any(%(key_ids)s::bigint[])

-- name: accounts
-- The operator's accounts and those of the claimed keys.
select id, name, currency, created_at, default_region, allowed_regions, price_caps_micros
from accounts where id = any(%(account_ids)s::bigint[] || array(select account_id from api_keys where id = any(%(key_ids)s::bigint[])))

-- name: agents_by_row
-- Agents by account and row.
select id, account_id, assistant_id, name, phone_number, greeting, instructions, runtime, sip_uri, model, voice_id, team_id
from agents join unnest(%(account_ids)s::bigint[], %(agent_ids)s::bigint[]) as wanted (wanted_account, wanted_id)
    on account_id = wanted_account and id = wanted_id

-- name: agents_by_name
-- Agents by account and public id.
select id, account_id, assistant_id, name, phone_number, greeting, instructions, runtime, sip_uri, model, voice_id, team_id
from agents join unnest(%(account_ids)s::bigint[], %(agent_ids)s::text[]) as wanted (wanted_account, wanted_id)
    on account_id = wanted_account and assistant_id = wanted_id

-- name: contacts
-- Contacts by account and row.
select id, account_id, first_name, last_name, email, company, timezone, custom_context
from contacts join unnest(%(account_ids)s::bigint[], %(contact_ids)s::bigint[]) as wanted (wanted_account, wanted_id)
    on account_id = wanted_account and id = wanted_id

-- name: priors
-- Calls by account and idempotency key; the wallets are locked, so no other request of the account is being decided.
select id, token, account_id, key_id, agent_id, assistant_id, agent_name, contact_id, phone_number, caller_id,
    runtime, sip_uri, currency, prefix, per_minute_micros, increment_s, minimum_s, hold_micros, max_duration_s,
    created_at, expires_at, idempotency_key, request_digest, trace_parent, state, worker_id, fence, attempt, dialed_at, answered_at, ended_at, disposition, cause_code, cause_words,
    cause_provisional, talk_s, charge_micros, not_before, deadline_at, version, hang_up_at, greeting, instructions, variables
from calls join scripts on scripts.call_id = calls.id
    join unnest(%(account_ids)s::bigint[], %(names)s::text[]) as wanted (wanted_account, wanted_name)
    on calls.account_id = wanted_account and idempotency_key = wanted_name

-- name: calls_of_days
-- How many calls the claimed keys had accepted on the requests' days.
select key_id, day, calls
from key_days join unnest(%(key_ids)s::bigint[], %(days)s::bigint[]) as wanted (wanted_key, wanted_day)
    on key_id = wanted_key and day = wanted_day

-- name: count_calls
-- That each key had more calls accepted on its day.
insert into key_days (key_id, day, calls)
select * from unnest(%(key_id)s::bigint[], %(day)s::bigint[], %(calls)s::bigint[])
on conflict (key_id, day) do update set calls = key_days.calls + excluded.calls

-- name: count_agents
-- That each agent had more calls accepted; the wallets are locked, so nobody else counts for these accounts.
insert into agent_totals (agent_id, account_id, calls, talk_s)
select agent_id, account_id, calls, 0
from unnest(%(agent_id)s::bigint[], %(account_id)s::bigint[], %(calls)s::bigint[]) as more (agent_id, account_id, calls)
on conflict (agent_id) do update set calls = agent_totals.calls + excluded.calls

-- name: dnc_entries
-- Do-Not-Call entries by account and number, on its lists and the operator's; the numbers' guards are held.
select wanted_account, list_id, phone_number, reason, listed_at, expires_at
from unnest(%(account_ids)s::bigint[], %(numbers)s::text[]) as wanted (wanted_account, wanted_number)
    cross join lateral (select id from dnc_lists where account_id = wanted_account union all select 0) as binding (id)
    cross join lateral (select * from dnc where list_id = binding.id and phone_number = wanted_number limit 1) as entry

-- name: rates
-- Rates by currency and prefix.
select currency, prefix, per_minute_micros, increment_s, minimum_s
from rates join unnest(%(currencies)s::text[], %(prefixes)s::text[]) as wanted (wanted_currency, wanted_prefix)
    on currency = wanted_currency and prefix = wanted_prefix

-- name: numbers
-- Row numbers for as many calls as may be accepted, never given before.
select nextval('call_numbers') from generate_series(1, %(count)s)

-- name: wallets
-- The wallets of all accounts, locked in the order of accounts until the transaction ends.
select wallets.account_id, currency, balance_micros, held_micros, entries, seal
from wallets join accounts on accounts.id = wallets.account_id
where wallets.account_id = any(%(account_ids)s::bigint[]) order by wallets.account_id
for no key update of wallets

-- name: add_calls
-- The calls that were accepted, in their order.
insert into calls (id, token, account_id, key_id, agent_id, assistant_id, agent_name, contact_id, phone_number,
    caller_id, runtime, sip_uri, currency, prefix, per_minute_micros, increment_s, minimum_s, hold_micros,
    max_duration_s, created_at, expires_at, idempotency_key, request_digest, trace_parent, state, status, worker_id, fence, attempt,
    dialed_at, answered_at, ended_at, disposition, cause_code, cause_words, cause_provisional, talk_s, charge_micros,
    not_before, deadline_at, version)
select * from unnest(%(id)s::bigint[], %(token)s::text[], %(account_id)s::bigint[], %(key_id)s::bigint[],
    %(agent_id)s::bigint[], %(assistant_id)s::text[], %(agent_name)s::text[], %(contact_id)s::bigint[],
    %(phone_number)s::text[], %(caller_id)s::text[], %(runtime)s::text[], %(sip_uri)s::text[], %(currency)s::text[],
    %(prefix)s::text[], %(per_minute_micros)s::bigint[], %(increment_s)s::bigint[], %(minimum_s)s::bigint[],
    %(hold_micros)s::bigint[], %(max_duration_s)s::bigint[], %(created_at)s::bigint[],
    %(expires_at)s::bigint[], %(idempotency_key)s::text[], %(request_digest)s::bytea[], %(trace_parent)s::text[], %(state)s::text[], %(status)s::text[],
    %(worker_id)s::text[], %(fence)s::bigint[], %(attempt)s::bigint[], %(dialed_at)s::bigint[], %(answered_at)s::bigint[],
    %(ended_at)s::bigint[], %(disposition)s::text[], %(cause_code)s::bigint[], %(cause_words)s::text[],
    %(cause_provisional)s::text[], %(talk_s)s::bigint[], %(charge_micros)s::bigint[],
    %(not_before)s::bigint[], %(deadline_at)s::bigint[], %(version)s::bigint[])

-- name: add_scripts
-- What is said in the calls that were accepted just now (of any account)
insert into scripts (call_id, greeting, instructions, variables)
select * from unnest(%(id)s::bigint[], %(greeting)s::text[], %(instructions)s::text[], %(variables)s::text[])

-- name: add_entries
-- The holds, numbered and sealed.
insert into ledger (account_id, number, kind, micros, call_id, at, seal)
select * from unnest(%(account_id)s::bigint[], %(entries)s::bigint[], %(kind)s::text[], %(micros)s::bigint[],
    %(call_id)s::bigint[], %(at)s::bigint[], %(seal)s::bytea[])

-- name: add_records
-- That the calls are queued, in the order of acceptance.
insert into call_records (call_id, account_id, state, disposition, at)
select call_id, account_id, state, disposition, at
from unnest(%(id)s::bigint[], %(account_id)s::bigint[], %(state)s::text[], %(disposition)s::text[], %(created_at)s::bigint[])
    with ordinality as record (call_id, account_id, state, disposition, at, place) order by place

-- name: update_wallets
-- Each account's wallet after all its holds.
update wallets set balance_micros = after.balance_micros, held_micros = after.held_micros, entries = after.entries,
    seal = after.seal
from unnest(%(account_id)s::bigint[], %(balance_micros)s::bigint[], %(held_micros)s::bigint[], %(entries)s::bigint[],
    %(seal)s::bytea[]) as after (account_id, balance_micros, held_micros, entries, seal)
where wallets.account_id = after.account_id

-- name: notify
-- Wake the workers, when the transaction commits.
notify outdial_queue

-- name: add_call_decisions
-- What the acceptances rested on.
insert into call_decisions (call_id, account_id, policy_version, facts, facts_digest)
select * from unnest(%(call_id)s::bigint[], %(account_id)s::bigint[], %(policy_version)s::text[], %(facts)s::text[],
    %(facts_digest)s::bytea[])

-- name: add_refusals
-- What was refused, in order of arrival.
insert into refusals (account_id, key_id, at, reason, problems, phone_number, agent_id, policy_version, facts,
    facts_digest)
select account_id, key_id, at, reason, problems, phone_number, agent_id, policy_version, facts, facts_digest
from unnest(%(account_id)s::bigint[], %(key_id)s::bigint[], %(at)s::bigint[], %(reason)s::text[],
    %(problems)s::text[], %(phone_number)s::text[], %(agent_id)s::bigint[], %(policy_version)s::text[],
    %(facts)s::text[], %(facts_digest)s::bytea[]) with ordinality as refusal (account_id, key_id, at, reason,
    problems, phone_number, agent_id, policy_version, facts, facts_digest, place) order by place
