-- name: wallet
-- An account's wallet.
select wallets.account_id, currency, balance_micros, held_micros, entries, seal
from wallets join accounts on accounts.id = wallets.account_id where wallets.account_id = %(account_id)s

-- name: wallet_to_change
-- The same, locked until the transaction ends: what is read of it stays true.
{wallet} for no key update of wallets

-- name: entries
-- An account's ledger, oldest first.
select account_id, kind, micros, call_id, at from ledger where account_id = %(account_id)s order by number

-- name: has_hold
-- Whether a call's hold is still whole.
select count(*) filter (where kind = 'hold') = 1 and count(*) filter (where kind in ('capture', 'release')) = 0
from ledger where account_id = %(account_id)s and call_id = %(call_id)s

-- name: post
-- An entry and the wallet after it; nothing when the call has one of its kind, or there is no such call.
with entry as (
    insert into ledger (account_id, number, kind, micros, call_id, at, seal)
    select %(account_id)s, %(entries)s, %(kind)s, %(micros)s, %(call_id)s::bigint, %(at)s, %(seal)s
    where %(call_id)s::bigint is null
        or exists (select from calls where calls.id = %(call_id)s::bigint and calls.account_id = %(account_id)s)
    on conflict (call_id, kind) do nothing returning account_id
)
update wallets set balance_micros = %(balance_micros)s, held_micros = %(held_micros)s, entries = %(entries)s,
    seal = %(seal)s
from entry where wallets.account_id = entry.account_id
