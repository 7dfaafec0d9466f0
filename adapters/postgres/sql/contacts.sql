-- name: contact_columns
-- Part of the statements below, in the order of `read_person` (of any account)
select id, account_id, first_name, last_name, email, company, timezone, custom_context from contacts

-- name: contact
-- An account's contact.
{contact_columns} where id = %(contact_id)s and account_id = %(account_id)s

-- name: contact_to_change
-- The same, locked until the transaction ends, which keeps its numbers as they are, too.
{contact} for update

-- name: people
-- An account's contacts by their rows.
{contact_columns} where id = any(%(contact_ids)s::bigint[]) and account_id = %(account_id)s

-- name: contacts
-- An account's contacts before a row, the newest first.
{contact_columns} where account_id = %(account_id)s and id < coalesce(%(before)s::bigint, 9223372036854775807)
order by id desc limit %(limit)s offset %(skip)s

-- name: count_contacts
-- How many contacts an account has, up to a limit.
select count(*) from (select from contacts where account_id = %(account_id)s limit %(at_most)s) as counted

-- name: numbers
-- The numbers of an account's contacts.
select contact_id, id, phone_number, phone_type, is_primary from contact_numbers
where account_id = %(account_id)s and contact_id = any(%(contact_ids)s::bigint[])

-- name: add_contact
-- A new contact; nothing when its row is taken or its account is missing.
insert into contacts (id, account_id, first_name, last_name, email, company, timezone, custom_context)
select %(id)s, id, %(first_name)s, %(last_name)s, %(email)s, %(company)s, %(timezone)s, %(custom_context)s
from accounts where id = %(account_id)s
on conflict do nothing

-- name: update_contact
-- A contact's fields.
update contacts set first_name = %(first_name)s, last_name = %(last_name)s, email = %(email)s, company = %(company)s,
    timezone = %(timezone)s, custom_context = %(custom_context)s
where id = %(id)s and account_id = %(account_id)s

-- name: add_numbers
-- A contact's numbers; fewer when one of their rows is taken.
insert into contact_numbers (id, contact_id, account_id, phone_number, phone_type, is_primary)
select id, %(contact_id)s, %(account_id)s, phone_number, phone_type, is_primary
from unnest(%(ids)s::bigint[], %(phone_numbers)s::text[], %(phone_types)s::text[], %(are_primary)s::bigint[])
    as number (id, phone_number, phone_type, is_primary)
on conflict do nothing

-- name: delete_numbers
-- All numbers of a contact.
delete from contact_numbers where contact_id = %(contact_id)s and account_id = %(account_id)s

-- name: delete_contact
-- A contact without numbers.
delete from contacts where id = %(contact_id)s and account_id = %(account_id)s
