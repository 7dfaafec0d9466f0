create table webhooks (
    id integer primary key,
    account_id integer not null references accounts (id),
    url text not null,
    events text not null,
    description text not null,
    secret text not null,
    previous_secret text,
    previous_secret_expires_at integer,
    disabled_reason text,
    created_at integer not null
) strict;

create index webhooks_of_account on webhooks (account_id);

create table webhook_messages (
    number integer primary key,
    id text not null unique,
    account_id integer not null,
    call_id integer not null references calls (id),
    event_type text not null,
    at integer not null,
    body text
) strict;

create table webhook_deliveries (
    webhook_id integer not null references webhooks (id),
    message_number integer not null references webhook_messages (number),
    account_id integer not null,
    call_id integer not null,
    state text not null,
    tries integer not null,
    tries_before integer not null,
    next_at integer,
    last_status integer,
    last_problem text,
    delivered_at integer,
    primary key (webhook_id, message_number)
) strict, without rowid;

-- What is to be sent, by webhook: one that takes nothing holds up nobody else.
create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_at) where next_at is not null;

-- The messages of a call that go one after the other.
create index webhook_deliveries_open on webhook_deliveries (webhook_id, call_id, message_number)
where state in ('pending', 'sending');

create index webhook_deliveries_by_state on webhook_deliveries (webhook_id, state, message_number);

create table webhook_tries (
    webhook_id integer not null references webhooks (id),
    message_number integer not null,
    number integer not null,
    account_id integer not null,
    at integer not null,
    duration_ms integer not null,
    status integer,
    problem text,
    primary key (webhook_id, message_number, number)
) strict, without rowid;
