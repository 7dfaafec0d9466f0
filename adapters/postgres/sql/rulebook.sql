-- name: share_guards
-- Keep numbers from being listed until the transaction ends; the guards come sorted, each once.
select pg_advisory_xact_lock_shared(guard) from unnest(%(guards)s::bigint[]) as guard

-- name: hold_guard
-- Wait for whoever rests on a number's not being listed, and let nobody begin to until the transaction ends.
select pg_advisory_xact_lock(%(guard)s)

-- name: dnc_entry
-- A number's entry on an account's Do-Not-Call list.
select account_id, phone_number, reason, listed_at
from dnc where account_id = %(account_id)s and phone_number = %(phone_number)s

-- name: list_number
-- Put a number on an account's list or replace its entry; nothing when the account is missing.
insert into dnc (account_id, phone_number, reason, listed_at)
select id, %(phone_number)s, %(reason)s, %(listed_at)s from accounts where id = %(account_id)s
on conflict (account_id, phone_number) do update set reason = excluded.reason, listed_at = excluded.listed_at

-- name: delist_number
-- Take a number off an account's list.
delete from dnc where account_id = %(account_id)s and phone_number = %(phone_number)s

-- name: rates
-- The rates of a currency under any of the given prefixes.
select currency, prefix, per_minute_micros, increment_s, minimum_s
from rates where currency = %(currency)s and prefix = any(%(prefixes)s::text[])

-- name: set_rate
-- Store the rate of a currency and prefix, or replace it.
insert into rates (currency, prefix, per_minute_micros, increment_s, minimum_s)
values (%(currency)s, %(prefix)s, %(per_minute_micros)s, %(increment_s)s, %(minimum_s)s)
on conflict (currency, prefix) do update set per_minute_micros = excluded.per_minute_micros,
    increment_s = excluded.increment_s, minimum_s = excluded.minimum_s
