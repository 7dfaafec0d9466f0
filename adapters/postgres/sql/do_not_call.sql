-- name: share_guards
-- Keep numbers from being listed until the transaction ends; the guards come sorted, each once.
select pg_advisory_xact_lock_shared(guard) from unnest(%(guards)s::bigint[]) as guard

-- name: hold_guards
-- Wait for whoever rests on numbers' not being listed, and let nobody begin to; the guards come sorted, each once.
select pg_advisory_xact_lock(guard) from unnest(%(guards)s::bigint[]) as guard

-- name: lists
-- The lists that bind an account, the operator's first.
select id, account_id, name, source, created_at from dnc_lists where id = 0
union all
select id, account_id, name, source, created_at from dnc_lists where account_id = %(account_id)s
order by id

-- name: entries_of
-- A number's entries on the lists that bind an account, the operator's first.
select list_id, phone_number, reason, listed_at, expires_at
from (select id from dnc_lists where account_id = %(account_id)s union all select 0) as binding (id)
    join dnc on list_id = binding.id
where phone_number = %(phone_number)s order by list_id

-- name: entries_of_each
-- Several numbers' entries on the lists that bind an account.
select list_id, phone_number, reason, listed_at, expires_at
from (select id from dnc_lists where account_id = %(account_id)s union all select 0) as binding (id)
    join dnc on list_id = binding.id
where phone_number = any(%(phone_numbers)s::text[])

-- name: page
-- Entries of an account's or the operator's list, from a number on.
select list_id, phone_number, reason, listed_at, expires_at
from dnc join dnc_lists on id = list_id
where list_id = %(list_id)s and account_id is not distinct from %(account_id)s::bigint and phone_number > %(after)s
order by phone_number limit %(limit)s

-- name: next_list
-- The next list's row, above all that are stored and all that were given (of any account)
insert into row_numbers (table_name, last) select 'dnc_lists', coalesce(max(id), 0) + 1 from dnc_lists
on conflict (table_name) do update set last = greatest(row_numbers.last + 1, excluded.last) returning last

-- name: add_list
-- A new list; nothing when the account has one of its name or is missing.
insert into dnc_lists (id, account_id, name, source, created_at)
select %(id)s, %(account_id)s::bigint, %(name)s, %(source)s, %(created_at)s
where %(account_id)s::bigint is null or exists (select from accounts where accounts.id = %(account_id)s)
on conflict do nothing

-- name: put
-- Put numbers, each once, on an account's or the operator's list or replace their entries.
insert into dnc (list_id, phone_number, reason, listed_at, expires_at)
select id, number, %(reason)s, %(listed_at)s, %(expires_at)s::bigint
from dnc_lists cross join unnest(%(numbers)s::text[]) as number
where id = %(list_id)s and account_id is not distinct from %(account_id)s::bigint
on conflict (list_id, phone_number) do update
set reason = excluded.reason, listed_at = excluded.listed_at, expires_at = excluded.expires_at

-- name: remove
-- Take a number off an account's or the operator's list.
delete from dnc using dnc_lists
where id = list_id and list_id = %(list_id)s and account_id is not distinct from %(account_id)s::bigint
    and phone_number = %(phone_number)s

-- name: remove_entries
-- Take all numbers off an account's or the operator's list.
delete from dnc using dnc_lists
where id = list_id and list_id = %(list_id)s and account_id is not distinct from %(account_id)s::bigint

-- name: remove_list
-- Remove an account's or the operator's list, which has no numbers any more.
delete from dnc_lists where id = %(list_id)s and account_id is not distinct from %(account_id)s::bigint
