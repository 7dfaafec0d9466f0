-- name: grounds
-- What the acceptance of an account's call rested on.
select policy_version, facts, facts_digest from call_decisions where call_id = %(call_id)s and account_id = %(account_id)s

-- name: refusal_columns
-- Part of the statements below, in the order of `read_refusal` (of any account)
select number, account_id, key_id, at, reason, problems, phone_number, agent_id, policy_version, facts, facts_digest
from refusals

-- name: refusal
-- One of an account's refusals.
{refusal_columns} where number = %(number)s and account_id = %(account_id)s

-- name: refusals
-- An account's refusals before a number, newest first.
{refusal_columns} where account_id = %(account_id)s and number < %(before)s order by number desc limit %(limit)s

-- name: refusals_for
-- The same, for one reason.
{refusal_columns} where account_id = %(account_id)s and number < %(before)s and reason = %(reason)s
order by number desc limit %(limit)s

-- name: oldest_refusals
-- The oldest ones, to be forgotten if they are old enough (of any account)
select number, at from refusals order by number limit %(limit)s

-- name: forget_refusals
-- Forget some (of any account)
delete from refusals where number = any(%(numbers)s::bigint[])
