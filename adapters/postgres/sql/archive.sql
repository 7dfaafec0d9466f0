-- name: lock_tables
-- Nobody else writes until the transaction ends; reading, and looking for work, goes on.
lock table accounts, api_keys, agents, agent_totals, contacts, contact_numbers, dnc_lists, dnc, rates, wallets, calls, scripts, call_records, call_decisions,
    refusals, incidents, ledger, webhooks, webhook_messages, webhook_deliveries, webhook_tries, row_numbers
in share row exclusive mode

-- name: last_call_number
-- The highest call number that was asked for, if any was.
select last_value from call_numbers where is_called

-- name: number_calls
-- Give numbers after this one; from 1 when none was given.
select setval('call_numbers', coalesce(%(last)s::bigint, 1), %(last)s::bigint is not null)

-- name: number_rows
-- Give a table's own numbers after this one.
select setval(pg_get_serial_sequence(%(table)s, 'number'), %(last)s::bigint)

-- name: workers
-- How many workers were heard of lately.
select count(*) from workers where seen_at > clock_timestamp() - make_interval(secs => %(heard_within_s)s)
