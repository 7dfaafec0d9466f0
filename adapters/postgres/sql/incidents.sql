-- name: incident_columns
-- Part of the statements below, in the order of `read_incident` (of any account)
select number, account_id, call_id, attempt, kind, objection, at from incidents

-- name: incidents
-- An account's incidents before a number, newest first.
{incident_columns} where account_id = %(account_id)s and number < %(before)s order by number desc limit %(limit)s

-- name: of_any_account
-- The same, of all accounts (of any account)
{incident_columns} where number < %(before)s order by number desc limit %(limit)s

-- name: add
-- Keep an incident; the first of an attempt stays.
insert into incidents (account_id, call_id, attempt, kind, objection, at)
values (%(account_id)s, %(call_id)s, %(attempt)s, %(kind)s, %(objection)s, %(at)s)
on conflict (call_id, attempt) do nothing
