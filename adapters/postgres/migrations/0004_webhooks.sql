-- Messages are numbered in the order in which their transactions began to write; those of one call never overtake each
-- other, as each locks the call first.

create table webhooks (
    id bigint primary key,
    account_id bigint not null references accounts (id),
    url text not null,
    events text not null,
    description text not null,
    secret text not null,
    previous_secret text,
    previous_secret_expires_at bigint,
    disabled_reason text,
    created_at bigint not null
);

create index webhooks_of_account on webhooks (account_id);

create table webhook_messages (
    number bigint generated always as identity primary key,
    id text collate "C" not null unique,
    account_id bigint not null,
    call_id bigint not null references calls (id),
    event_type text not null,
    at bigint not null,
    body text
);

create table webhook_deliveries (
    webhook_id bigint not null references webhooks (id),
    message_number bigint not null references webhook_messages (number),
    account_id bigint not null,
    call_id bigint not null,
    state text collate "C" not null,
    tries bigint not null,
    tries_before bigint not null,
    next_at bigint,
    last_status bigint,
    last_problem text,
    delivered_at bigint,
    primary key (webhook_id, message_number)
);

-- What is to be sent, by webhook: one that takes nothing holds up nobody else.
create index webhook_deliveries_due on webhook_deliveries (webhook_id, next_at) where next_at is not null;

-- The messages of a call that go one after the other.
create index webhook_deliveries_open on webhook_deliveries (webhook_id, call_id, message_number)
where state in ('pending', 'sending');

create index webhook_deliveries_by_state on webhook_deliveries (webhook_id, state, message_number);

create table webhook_tries (
    webhook_id bigint not null references webhooks (id),
    message_number bigint not null,
    number bigint not null,
    account_id bigint not null,
    at bigint not null,
    duration_ms bigint not null,
    status bigint,
    problem text,
    primary key (webhook_id, message_number, number)
);
