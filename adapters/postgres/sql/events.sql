-- name: newest
-- The last record before which none can come any more: all transactions up to its own have ended (of any account)
select transaction_id, number from call_records
where transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
order by transaction_id desc, number desc limit 1

-- name: position
-- Where a record of an account stands.
select transaction_id, number from call_records
where call_id = %(call_id)s and number = %(number)s and account_id = %(account_id)s

-- name: place
-- Whether a record stands at a place, whoever it belongs to (of any account)
select from call_records where transaction_id = %(transaction_id)s and number = %(number)s

-- name: following
-- A bounded number of records behind a position; part of the two below (of any account)
select * from call_records
where (transaction_id, number) > (%(transaction_id)s, %(number)s)
    and transaction_id < pg_snapshot_xmin(pg_current_snapshot())::text::bigint
order by transaction_id, number limit %(passed_max)s

-- name: passed
-- The last of them, and how many they are (of any account)
select transaction_id, number, count(*) over () from ({following}) as following
order by transaction_id desc, number desc limit 1

-- name: page
-- An account's among them.
select transaction_id, number, call_id, account_id, state, disposition, at from ({following}) as following
where account_id = %(account_id)s order by transaction_id, number limit %(limit)s
