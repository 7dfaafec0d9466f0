-- The operator's list has row 0 and no account.
create table dnc_lists (
    id bigint primary key,
    account_id bigint references accounts (id),
    name text collate "C" not null,
    source text not null,
    created_at bigint not null,
    unique (account_id, name),
    check ((account_id is null) = (id = 0))
);

create table dnc (
    list_id bigint not null references dnc_lists (id),
    phone_number text collate "C" not null,
    reason text not null,
    listed_at bigint not null,
    expires_at bigint,
    primary key (list_id, phone_number)
);
