-- name: of_account
-- Row numbers of an account's calls, newest first: a status at a time out of the index, merged as far as is needed.
select id from unnest(%(statuses)s::text[]) as wanted (wanted_status) cross join lateral (
    select id from calls where account_id = %(account_id)s and status = wanted_status and id < %(before)s
    order by id desc limit %(skip)s::bigint + %(limit)s::bigint) as found

-- name: of_agent
-- The same of one agent.
select id from unnest(%(statuses)s::text[]) as wanted (wanted_status) cross join lateral (
    select id from calls where account_id = %(account_id)s and agent_id = %(agent_id)s and status = wanted_status
        and id < %(before)s
    order by id desc limit %(skip)s::bigint + %(limit)s::bigint) as found

-- name: of_contact
-- The same of one contact, which has few.
select id from calls where account_id = %(account_id)s and contact_id = %(contact_id)s
    and agent_id = coalesce(%(agent_id)s, agent_id) and status = any(%(statuses)s::text[]) and id < %(before)s

-- name: page_of_account
-- A page of them.
{of_account} order by id desc limit %(limit)s offset %(skip)s

-- name: page_of_agent
-- A page of them.
{of_agent} order by id desc limit %(limit)s offset %(skip)s

-- name: page_of_contact
-- A page of them.
{of_contact} order by id desc limit %(limit)s offset %(skip)s

-- name: count_of_account
-- How many there are, up to a limit.
select count(*) from ({of_account} limit %(limit)s) as counted

-- name: count_of_agent
-- How many there are, up to a limit.
select count(*) from ({of_agent} limit %(limit)s) as counted

-- name: count_of_contact
-- How many there are, up to a limit.
select count(*) from ({of_contact} limit %(limit)s) as counted
