-- Who was reached by a call that was not to go on: one row for an attempt, whoever writes it and however often.
create table incidents (
    number integer primary key,
    account_id integer not null references accounts (id),
    call_id integer not null references calls (id),
    attempt integer not null,
    kind text not null,
    objection text not null,
    at integer not null,
    unique (call_id, attempt)
) strict;

create index incidents_of_account on incidents (account_id, number);

create trigger incidents_keep before update on incidents begin select raise(abort, 'incidents are only added to'); end;

create trigger incidents_stay before delete on incidents begin select raise(abort, 'incidents are only added to'); end;
