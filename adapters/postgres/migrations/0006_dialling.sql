-- Where the database is dialled from: marks of the server that its copies and replicas do not share.
create table dialling (
    id integer primary key check (id = 1),
    epoch integer not null check (epoch >= 1),
    place text not null
);

insert into dialling (id, epoch, place) values (1, 1, concat_ws(' ', (select system_identifier from pg_control_system()),
    left(pg_walfile_name(pg_current_wal_lsn()), 8), (select oid from pg_database where datname = current_database()),
    'calls'::regclass::oid));
