create table call_decisions (
    call_id bigint primary key references calls (id),
    account_id bigint not null,
    policy_version text not null,
    facts text not null,
    facts_digest bytea not null
);

-- Numbers grow with time, as near as transactions that run side by side allow.
create table refusals (
    number bigint generated always as identity primary key,
    account_id bigint not null references accounts (id),
    key_id bigint,
    at bigint not null,
    reason text not null,
    problems text not null,
    phone_number text,
    agent_id bigint,
    policy_version text not null,
    facts text not null,
    facts_digest bytea not null
);

-- The reason is in it so that a page of one reason is found without reading the others' facts.
create index refusals_of_account on refusals (account_id, number, reason);
