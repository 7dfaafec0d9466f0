-- The operator's list has row 0 and no account.
create table dnc_lists (
    id integer primary key,
    account_id integer references accounts (id),
    name text not null,
    source text not null,
    created_at integer not null,
    unique (account_id, name),
    check ((account_id is null) = (id = 0))
) strict;

create table dnc (
    list_id integer not null references dnc_lists (id),
    phone_number text not null,
    reason text not null,
    listed_at integer not null,
    expires_at integer,
    primary key (list_id, phone_number)
) strict, without rowid;
