-- name: here
-- The cluster, its timeline (a promotion and a restore to a moment begin a new one), the database, the table of calls.
select concat_ws(' ', (select system_identifier from pg_control_system()),
    left(pg_walfile_name(pg_current_wal_lsn()), 8), (select oid from pg_database where datname = current_database()),
    'calls'::regclass::oid)

-- name: current_place
-- Where the database was dialled from last, and whether it is there.
select epoch, place, place = ({here}) from dialling where id = 1

-- name: leave_place
-- Have the database know that it is not where it was dialled from.
update dialling set place = '' where id = 1

-- name: begin_epoch
-- Take where the database is for its place, in a new epoch.
insert into dialling (id, epoch, place) values (1, 1, ({here}))
on conflict (id) do update set epoch = dialling.epoch + 1, place = excluded.place
