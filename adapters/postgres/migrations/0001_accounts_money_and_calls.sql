-- Row numbers are the public order. Rows of `calls` change, all others of a call are only ever added.
-- Times are microseconds since 1970 in UTC; sets, maps and variables are JSON texts, kept as they were written.
-- Texts in indexes are compared by their bytes, so that no update of the system's languages reorders an index.

create table row_numbers (
    table_name text collate "C" primary key,
    last bigint not null
);

create table accounts (
    id bigint primary key,
    name text not null,
    currency text not null,
    created_at bigint not null,
    default_region text,
    allowed_regions text not null,
    price_caps_micros text not null
);

create table api_keys (
    id bigint primary key,
    account_id bigint not null references accounts (id),
    permissions text not null,
    secret_hash bytea not null,
    created_at bigint not null,
    expires_at bigint,
    revoked_at bigint,
    calls_per_day bigint not null check (calls_per_day >= 0),
    requests_per_minute bigint not null check (requests_per_minute >= 1)
);

create table agents (
    id bigint primary key,
    account_id bigint not null references accounts (id),
    assistant_id text collate "C" not null unique,
    name text not null,
    phone_number text,
    greeting text not null,
    instructions text not null,
    runtime text not null,
    sip_uri text,
    model text,
    voice_id text,
    team_id bigint
);

create index agents_of_account on agents (account_id, id);

-- Counted when calls are accepted and settled: nobody could count millions of calls for each list of agents.
create table agent_totals (
    agent_id bigint primary key,
    account_id bigint not null references accounts (id),
    calls bigint not null,
    talk_s bigint not null
);

create table contacts (
    id bigint primary key,
    account_id bigint not null references accounts (id),
    first_name text not null,
    last_name text,
    email text,
    company text,
    timezone text,
    custom_context text not null
);

create table rates (
    currency text collate "C" not null,
    prefix text collate "C" not null,
    per_minute_micros bigint not null,
    increment_s bigint not null,
    minimum_s bigint not null,
    primary key (currency, prefix)
);

create table wallets (
    account_id bigint primary key references accounts (id),
    balance_micros bigint not null check (balance_micros >= 0),
    held_micros bigint not null check (held_micros >= 0),
    entries bigint not null check (entries >= 0),
    seal bytea not null check (length(seal) = 32),
    check (held_micros <= balance_micros)
);

-- Asked for before a decision; what was not used up by an accepted call leaves a gap.
create sequence call_numbers as bigint;

create table calls (
    id bigint primary key,
    token text not null,
    account_id bigint not null references accounts (id),
    key_id bigint,
    agent_id bigint not null,
    assistant_id text not null,
    agent_name text not null,
    contact_id bigint,
    phone_number text not null,
    caller_id text not null,
    runtime text not null,
    sip_uri text,
    currency text not null,
    prefix text not null,
    per_minute_micros bigint not null,
    increment_s bigint not null,
    minimum_s bigint not null,
    hold_micros bigint not null,
    max_duration_s bigint not null,
    created_at bigint not null,
    expires_at bigint not null,
    idempotency_key text collate "C",
    request_digest bytea,
    trace_parent text,
    state text collate "C" not null,
    status text collate "C" not null,
    worker_id text collate "C",
    fence bigint not null,
    attempt bigint not null,
    dialed_at bigint,
    answered_at bigint,
    ended_at bigint,
    disposition text,
    cause_code bigint,
    cause_words text,
    cause_provisional text,
    talk_s bigint not null,
    charge_micros bigint not null,
    not_before bigint,
    deadline_at bigint,
    version bigint not null,
    hang_up_at bigint
);

-- Whoever looks for work asks by state, oldest first; calls that are over for good would only make this index large.
create index calls_live on calls (state, id) where state not in ('settled', 'revealed', 'canceled', 'blocked');

-- Lists of calls, newest first. With the status in them, any status and every status are found without a detour.
create index calls_of_account on calls (account_id, status, id);

create index calls_of_agent on calls (account_id, agent_id, status, id);

create index calls_of_contact on calls (account_id, contact_id, id) where contact_id is not null;

create unique index calls_idempotency on calls (account_id, idempotency_key) where idempotency_key is not null;

-- Calls accepted with a key on a day of UTC, for its limit.
create table key_days (
    key_id bigint not null,
    day bigint not null,
    calls bigint not null,
    primary key (key_id, day)
);

create table workers (
    id text collate "C" primary key,
    seen_at timestamptz not null
);

create table pace (
    trunk text collate "C" primary key,
    next_at_micros bigint not null
);

-- Apart from `calls`, whose rows PostgreSQL writes anew at each change.
create table scripts (
    call_id bigint primary key references calls (id),
    greeting text not null,
    instructions text not null,
    variables text not null
);

-- Numbers are given before others commit, who may have got lower ones. Whoever reads on in the log goes by transactions
-- and reads no further than all have ended. A record's is its own; or that of the call's record before, if that is
-- higher, since a transaction that waited for the call may have begun first.
create table call_records (
    transaction_id bigint not null default pg_current_xact_id()::text::bigint,
    number bigint generated always as identity,
    call_id bigint not null references calls (id),
    account_id bigint not null,
    state text not null,
    disposition text,
    at bigint not null,
    primary key (transaction_id, number)
);

create index call_records_of_call on call_records (call_id, number);

-- Numbers follow each other within an account, and each row is sealed with the one before it.
create table ledger (
    account_id bigint not null references wallets (account_id),
    number bigint not null,
    kind text collate "C" not null check (kind in ('deposit', 'hold', 'capture', 'release', 'house_loss')),
    micros bigint not null check (micros >= 0),
    call_id bigint references calls (id),
    at bigint not null,
    seal bytea not null check (length(seal) = 32),
    primary key (account_id, number),
    unique (call_id, kind),
    check ((call_id is null) = (kind = 'deposit'))
);

create function refuse_change() returns trigger language plpgsql
    as $$ begin raise exception 'a ledger is only added to' using errcode = 'integrity_constraint_violation'; end $$;

create trigger ledger_keeps_its_rows before update or delete or truncate on ledger execute function refuse_change();
