-- Who was reached by a call that was not to go on: one row for an attempt, whoever writes it and however often.
create table incidents (
    number bigint generated always as identity primary key,
    account_id bigint not null references accounts (id),
    call_id bigint not null references calls (id),
    attempt bigint not null,
    kind text not null,
    objection text not null,
    at bigint not null,
    unique (call_id, attempt)
);

create index incidents_of_account on incidents (account_id, number);

create function refuse_change_of_incidents() returns trigger language plpgsql
    as $$ begin raise exception 'incidents are only added to' using errcode = 'integrity_constraint_violation'; end $$;

create trigger incidents_stay before update or delete or truncate on incidents
    execute function refuse_change_of_incidents();
