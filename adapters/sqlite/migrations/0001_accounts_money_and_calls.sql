create table row_numbers (
    table_name text primary key,
    last integer not null
) strict, without rowid;

create table accounts (
    id integer primary key,
    name text not null,
    currency text not null,
    created_at integer not null,
    default_region text,
    allowed_regions text not null,
    price_caps_micros text not null
) strict;

create table api_keys (
    id integer primary key,
    account_id integer not null references accounts (id),
    permissions text not null,
    secret_hash blob not null,
    created_at integer not null,
    expires_at integer,
    revoked_at integer,
    calls_per_day integer not null check (calls_per_day >= 0),
    requests_per_minute integer not null check (requests_per_minute >= 1)
) strict;

create table agents (
    id integer primary key,
    account_id integer not null references accounts (id),
    assistant_id text not null unique,
    name text not null,
    phone_number text,
    greeting text not null,
    instructions text not null,
    runtime text not null,
    sip_uri text,
    model text,
    voice_id text,
    team_id integer
) strict;

create index agents_of_account on agents (account_id);

-- Counted when calls are accepted and settled: nobody could count millions of calls for each list of agents.
create table agent_totals (
    agent_id integer primary key,
    account_id integer not null references accounts (id),
    calls integer not null,
    talk_s integer not null
) strict;

create table contacts (
    id integer primary key,
    account_id integer not null references accounts (id),
    first_name text not null,
    last_name text,
    email text,
    company text,
    timezone text,
    custom_context text not null
) strict;

create table rates (
    currency text not null,
    prefix text not null,
    per_minute_micros integer not null,
    increment_s integer not null,
    minimum_s integer not null,
    primary key (currency, prefix)
) strict, without rowid;

create table wallets (
    account_id integer primary key references accounts (id),
    balance_micros integer not null check (balance_micros >= 0),
    held_micros integer not null check (held_micros >= 0),
    entries integer not null check (entries >= 0),
    seal blob not null check (length(seal) = 32),
    check (held_micros <= balance_micros)
) strict;

create table calls (
    id integer primary key,
    token text not null,
    account_id integer not null references accounts (id),
    key_id integer,
    agent_id integer not null,
    assistant_id text not null,
    agent_name text not null,
    contact_id integer,
    phone_number text not null,
    caller_id text not null,
    runtime text not null,
    sip_uri text,
    currency text not null,
    prefix text not null,
    per_minute_micros integer not null,
    increment_s integer not null,
    minimum_s integer not null,
    hold_micros integer not null,
    max_duration_s integer not null,
    created_at integer not null,
    expires_at integer not null,
    idempotency_key text,
    request_digest blob,
    trace_parent text,
    state text not null,
    status text not null,
    worker_id text,
    fence integer not null,
    attempt integer not null,
    dialed_at integer,
    answered_at integer,
    ended_at integer,
    disposition text,
    cause_code integer,
    cause_words text,
    cause_provisional text,
    talk_s integer not null,
    charge_micros integer not null,
    not_before integer,
    deadline_at integer,
    version integer not null,
    hang_up_at integer
) strict;

-- Whoever looks for work asks by state; the calls that are over for good would only make this index large.
create index calls_live on calls (state) where state not in ('settled', 'revealed', 'canceled', 'blocked');

-- Lists of calls, newest first. With the status in them, any status and every status are found without a detour.
create index calls_of_account on calls (account_id, status, id);

create index calls_of_agent on calls (account_id, agent_id, status, id);

create index calls_of_contact on calls (account_id, contact_id, id) where contact_id is not null;

create table scripts (
    call_id integer primary key references calls (id),
    greeting text not null,
    instructions text not null,
    variables text not null
) strict;

create table call_records (
    number integer primary key,
    call_id integer not null references calls (id),
    account_id integer not null,
    state text not null,
    disposition text,
    at integer not null
) strict;

create unique index calls_idempotency on calls (account_id, idempotency_key) where idempotency_key is not null;

create table key_days (
    key_id integer not null,
    day integer not null,
    calls integer not null,
    primary key (key_id, day)
) strict, without rowid;

create table workers (
    id text primary key,
    seen_at_micros integer not null
) strict, without rowid;

create table pace (
    trunk text primary key,
    next_at_micros integer not null
) strict, without rowid;

create index call_records_of_call on call_records (call_id);

create table ledger (
    account_id integer not null references wallets (account_id),
    number integer not null,
    kind text not null check (kind in ('deposit', 'hold', 'capture', 'release', 'house_loss')),
    micros integer not null check (micros >= 0),
    call_id integer references calls (id),
    at integer not null,
    seal blob not null check (length(seal) = 32),
    primary key (account_id, number),
    unique (call_id, kind),
    check ((call_id is null) = (kind = 'deposit'))
) strict, without rowid;

create trigger ledger_keeps_its_rows before update on ledger begin select raise(abort, 'a ledger is only added to'); end;

create trigger ledger_loses_no_rows before delete on ledger begin select raise(abort, 'a ledger is only added to'); end;
