-- name: account
-- An account.
select id, name, currency, created_at, default_region, allowed_regions, price_caps_micros
from accounts where id = %(account_id)s

-- name: key
-- A key, which tells whose it is (of any account)
select id, account_id, permissions, secret_hash, created_at, expires_at, revoked_at, calls_per_day,
    requests_per_minute
from api_keys where id = %(id)s

-- name: agent_columns
-- Part of the statements below, in the order of `read_agent` (of any account)
select id, account_id, assistant_id, name, phone_number, greeting, instructions, runtime, sip_uri, model, voice_id,
    team_id
from agents

-- name: agent_by_row
-- An account's agent by its row.
{agent_columns} where id = %(agent_id)s and account_id = %(account_id)s

-- name: agent_by_name
-- An account's agent by its public id.
{agent_columns} where assistant_id = %(agent_id)s and account_id = %(account_id)s

-- name: agent_of_any_account_by_row
-- An agent for the operator (of any account)
{agent_columns} where id = %(agent_id)s

-- name: agent_of_any_account_by_name
-- An agent for the operator (of any account)
{agent_columns} where assistant_id = %(agent_id)s

-- name: agents
-- An account's agents after a row.
{agent_columns} where account_id = %(account_id)s and id > %(after)s order by id limit %(limit)s

-- name: agent_totals
-- What the calls of an account's agents came to.
select agent_id, calls, talk_s
from agent_totals where account_id = %(account_id)s and agent_id = any(%(agent_ids)s::bigint[])

-- name: add_talk
-- An agent's talk time; the account's wallet is locked, so nobody else counts for it.
insert into agent_totals (agent_id, account_id, calls, talk_s)
values (%(agent_id)s, %(account_id)s, 0, %(talk_s)s)
on conflict (agent_id) do update set talk_s = agent_totals.talk_s + excluded.talk_s

-- name: next_number
-- A row number above all that are stored and all that were given; part of the five below.
on conflict (table_name) do update set last = greatest(row_numbers.last + 1, excluded.last) returning last

-- name: next_account
-- The next account's row (of any account)
insert into row_numbers (table_name, last) select 'accounts', coalesce(max(id), 0) + 1 from accounts {next_number}

-- name: next_key
-- The next key's row (of any account)
insert into row_numbers (table_name, last) select 'api_keys', coalesce(max(id), 0) + 1 from api_keys {next_number}

-- name: next_agent
-- The next agent's row (of any account)
insert into row_numbers (table_name, last) select 'agents', coalesce(max(id), 0) + 1 from agents {next_number}

-- name: next_contact
-- The next contact's row (of any account)
insert into row_numbers (table_name, last) select 'contacts', coalesce(max(id), 0) + 1 from contacts {next_number}

-- name: next_contact_number
-- The next row of a contact's number (of any account)
insert into row_numbers (table_name, last)
select 'contact_numbers', coalesce(max(id), 0) + 1 from contact_numbers {next_number}

-- name: add_account
-- A new account and its empty wallet; nothing when its row is taken.
with added as (
    insert into accounts (id, name, currency, created_at, default_region, allowed_regions, price_caps_micros)
    values (%(account_id)s, %(name)s, %(currency)s, %(created_at)s, %(default_region)s, %(allowed_regions)s,
        %(price_caps_micros)s)
    on conflict do nothing returning id
)
insert into wallets (account_id, balance_micros, held_micros, entries, seal)
select id, 0, 0, 0, decode(repeat('00', 32), 'hex') from added

-- name: add_key
-- A new key; nothing when its row is taken or its account is missing.
insert into api_keys (id, account_id, permissions, secret_hash, created_at, expires_at, revoked_at, calls_per_day,
    requests_per_minute)
select %(id)s, id, %(permissions)s, %(secret_hash)s, %(created_at)s, %(expires_at)s::bigint, %(revoked_at)s::bigint,
    %(calls_per_day)s, %(requests_per_minute)s
from accounts where id = %(account_id)s
on conflict do nothing

-- name: add_agent
-- A new agent; nothing when its row or its public id is taken or its account is missing.
insert into agents (id, account_id, assistant_id, name, phone_number, greeting, instructions, runtime, sip_uri, model,
    voice_id, team_id)
select %(id)s, id, %(assistant_id)s, %(name)s, %(phone_number)s, %(greeting)s, %(instructions)s, %(runtime)s,
    %(sip_uri)s, %(model)s, %(voice_id)s, %(team_id)s::bigint
from accounts where id = %(account_id)s
on conflict do nothing

-- name: update_key
-- What may change of a key, for the operator (of any account)
update api_keys
set permissions = %(permissions)s, expires_at = %(expires_at)s::bigint, revoked_at = %(revoked_at)s::bigint
where id = %(id)s
