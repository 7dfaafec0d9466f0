create index contacts_of_account on contacts (account_id);

create table contact_numbers (
    id integer primary key,
    contact_id integer not null references contacts (id),
    account_id integer not null,
    phone_number text not null,
    phone_type text not null,
    is_primary integer not null check (is_primary in (0, 1)),
    unique (contact_id, phone_number)
) strict;

create unique index contact_numbers_primary on contact_numbers (contact_id) where is_primary = 1;
