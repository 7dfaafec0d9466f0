-- name: webhook_columns
-- Part of the statements below, in the order of `read_webhook` (of any account)
select webhooks.id, webhooks.account_id, url, events, description, secret, previous_secret, previous_secret_expires_at,
    disabled_reason, created_at

-- name: webhook
-- An account's webhook.
{webhook_columns} from webhooks where id = %(id)s and account_id = %(account_id)s

-- name: webhook_to_change
-- The same, locked until the transaction ends; calls may be saved for it meanwhile.
{webhook} for no key update

-- name: webhooks
-- All of an account's webhooks.
{webhook_columns} from webhooks where account_id = %(account_id)s order by id

-- name: webhooks_to_keep
-- The same, none of which may be removed until the transaction ends.
{webhooks} for key share

-- name: next_webhook
-- The next row number of webhooks (of any account)
insert into row_numbers (table_name, last) values ('webhooks', 1)
on conflict (table_name) do update set last = row_numbers.last + 1 returning last

-- name: add_webhook
-- A new webhook; nothing when its row is taken or its account is missing.
with numbered as (
    insert into row_numbers (table_name, last) values ('webhooks', %(id)s)
    on conflict (table_name) do update set last = greatest(row_numbers.last, excluded.last)
)
insert into webhooks (id, account_id, url, events, description, secret, previous_secret, previous_secret_expires_at,
    disabled_reason, created_at)
select %(id)s, id, %(url)s, %(events)s, %(description)s, %(secret)s, %(previous_secret)s,
    %(previous_secret_expires_at)s::bigint, %(disabled_reason)s, %(created_at)s
from accounts where id = %(account_id)s
on conflict do nothing

-- name: update_webhook
-- What may change of a webhook.
update webhooks set url = %(url)s, events = %(events)s, description = %(description)s, secret = %(secret)s,
    previous_secret = %(previous_secret)s, previous_secret_expires_at = %(previous_secret_expires_at)s::bigint,
    disabled_reason = %(disabled_reason)s
where id = %(id)s and account_id = %(account_id)s

-- name: lock_webhook
-- Wait for calls that are being saved for a webhook, and let none be saved for it until the transaction ends.
select id from webhooks where id = %(webhook_id)s and account_id = %(account_id)s for update

-- name: remove_tries
-- Forget a webhook's history.
delete from webhook_tries where webhook_id = %(webhook_id)s and account_id = %(account_id)s

-- name: remove_deliveries
-- Forget what was on its way to a webhook.
delete from webhook_deliveries where webhook_id = %(webhook_id)s and account_id = %(account_id)s

-- name: remove_webhook
-- Forget a webhook.
delete from webhooks where id = %(webhook_id)s and account_id = %(account_id)s

-- name: due_webhooks
-- Webhooks that something is to be sent to, found along the index without reading what that is (of any account)
with recursive busy (webhook_id) as (
    (select webhook_id from webhook_deliveries where next_at is not null order by webhook_id limit 1)
    union all
    select (select webhook_id from webhook_deliveries
        where next_at is not null and webhook_id > busy.webhook_id order by webhook_id limit 1)
    from busy where busy.webhook_id is not null
)
{webhook_columns} from busy
cross join lateral (
    select next_at from webhook_deliveries
    where webhook_id = busy.webhook_id and next_at is not null order by next_at limit 1) as first
cross join lateral (
    select count(*) as sends from webhook_deliveries
    where webhook_id = busy.webhook_id and state = 'sending' and next_at > %(now)s) as now
cross join lateral (select * from webhooks where id = busy.webhook_id limit 1) as webhooks
where first.next_at <= %(now)s and sends < %(sends_max)s
order by sends, first.next_at limit %(limit)s

-- name: deliveries
-- Part of the statements below, in the order of `read_delivery`.
select webhook_messages.number, webhook_messages.id, webhook_messages.account_id, webhook_messages.call_id, event_type,
    at, body, webhook_id, state, tries, tries_before, next_at, last_status, last_problem, delivered_at
from webhook_deliveries join webhook_messages on webhook_messages.number = webhook_deliveries.message_number
where webhook_id = %(webhook_id)s and webhook_deliveries.account_id = %(account_id)s

-- name: delivery_lock
-- Part of the statements below: nobody else changes what is read until the transaction ends.
for no key update of webhook_deliveries

-- name: delivery
-- What became of a message.
{deliveries} and webhook_messages.id = %(message_id)s

-- name: delivery_to_change
-- The same, locked.
{delivery} {delivery_lock}

-- name: newest
-- Deliveries to a webhook, newest first.
{deliveries} and message_number < %(before)s order by message_number desc limit %(limit)s

-- name: newest_in_state
-- The same, of one state.
{deliveries} and state = %(state)s and message_number < %(before)s order by message_number desc limit %(limit)s

-- name: line
-- What is open of a call, in order of occurrence.
{deliveries} and webhook_deliveries.call_id = %(call_id)s and state in ('pending', 'sending') order by message_number

-- name: line_to_change
-- The same, locked: whoever ends one of them meanwhile is waited for.
{line} {delivery_lock}

-- name: sending
-- How many deliveries are being sent.
select count(*) from webhook_deliveries
where webhook_id = %(webhook_id)s and account_id = %(account_id)s and state = 'sending' and next_at > %(now)s

-- name: due
-- What is to be sent to a webhook, oldest first.
{deliveries} and next_at <= %(now)s order by next_at, message_number limit %(limit)s

-- name: due_to_change
-- The same, locked; what others hold is passed over.
{due} {delivery_lock} skip locked

-- name: parked
-- What was given up, oldest first.
{deliveries} and state = 'parked' and at >= %(since)s order by message_number limit %(limit)s

-- name: parked_to_change
-- The same, locked.
{parked} {delivery_lock}

-- name: tries
-- The history of some deliveries.
select webhook_messages.id, webhook_tries.number, webhook_tries.at, duration_ms, status, problem
from webhook_tries join webhook_messages on webhook_messages.number = message_number
where webhook_id = %(webhook_id)s and webhook_tries.account_id = %(account_id)s
    and message_number = any(%(numbers)s::bigint[])
order by message_number, webhook_tries.number

-- name: add_message
-- A message; nothing when it is there already.
insert into webhook_messages (id, account_id, call_id, event_type, at, body)
values (%(id)s, %(account_id)s, %(call_id)s, %(event_type)s, %(at)s, %(body)s)
on conflict (id) do nothing

-- name: add_deliveries
-- A delivery of a message to each of some webhooks; nothing where it is there already.
insert into webhook_deliveries (webhook_id, message_number, account_id, call_id, state, tries, tries_before)
select wanting, number, account_id, call_id, 'pending', 0, 0
from webhook_messages, unnest(%(webhook_ids)s::bigint[]) as wanting
where id = %(id)s and account_id = %(account_id)s
on conflict (webhook_id, message_number) do nothing

-- name: save_delivery
-- How far a delivery came.
update webhook_deliveries set state = %(state)s, tries = %(tries)s, tries_before = %(tries_before)s,
    next_at = %(next_at)s::bigint, last_status = %(last_status)s::bigint, last_problem = %(last_problem)s,
    delivered_at = %(delivered_at)s::bigint
where webhook_id = %(webhook_id)s and message_number = %(message_number)s and account_id = %(account_id)s

-- name: add_try
-- A try of a delivery; one with its number is replaced.
insert into webhook_tries (webhook_id, message_number, number, account_id, at, duration_ms, status, problem)
values (%(webhook_id)s, %(message_number)s, %(number)s, %(account_id)s, %(at)s, %(duration_ms)s, %(status)s::bigint,
    %(problem)s)
on conflict (webhook_id, message_number, number) do update set at = excluded.at, duration_ms = excluded.duration_ms,
    status = excluded.status, problem = excluded.problem

-- name: forget_tries
-- Tries that are too old to be kept.
delete from webhook_tries where webhook_id = %(webhook_id)s and message_number = %(message_number)s
    and account_id = %(account_id)s and number <= %(last)s

-- name: park_open
-- Give up all that is open.
update webhook_deliveries set state = 'parked', next_at = null, last_problem = %(problem)s
where webhook_id = %(webhook_id)s and account_id = %(account_id)s and state in ('pending', 'sending')

-- name: keep_body
-- What a message says, unless it says something already; and what it says then.
update webhook_messages set body = coalesce(body, %(body)s)
where number = %(number)s and account_id = %(account_id)s returning body
