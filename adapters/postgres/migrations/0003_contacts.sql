create index contacts_of_account on contacts (account_id, id);

create table contact_numbers (
    id bigint primary key,
    contact_id bigint not null references contacts (id),
    account_id bigint not null,
    phone_number text collate "C" not null,
    phone_type text not null,
    is_primary bigint not null check (is_primary in (0, 1)),
    unique (contact_id, phone_number)
);

create unique index contact_numbers_primary on contact_numbers (contact_id) where is_primary = 1;
