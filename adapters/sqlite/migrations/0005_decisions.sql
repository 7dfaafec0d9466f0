create table call_decisions (
    call_id integer primary key references calls (id),
    account_id integer not null,
    policy_version text not null,
    facts text not null,
    facts_digest blob not null
) strict;

-- No number is given twice, even when all that were stored are forgotten.
create table refusals (
    number integer primary key autoincrement,
    account_id integer not null references accounts (id),
    key_id integer,
    at integer not null,
    reason text not null,
    problems text not null,
    phone_number text,
    agent_id integer,
    policy_version text not null,
    facts text not null,
    facts_digest blob not null
) strict;

-- The reason is in it so that a page of one reason is found without reading the others' facts.
create index refusals_of_account on refusals (account_id, number, reason);
