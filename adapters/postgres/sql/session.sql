-- name: settle_session
-- What every connection keeps to: commits survive a power cut, and nothing waits for ever.
select
    set_config('synchronous_commit', case current_setting('synchronous_commit') when 'remote_apply' then 'remote_apply' else 'on' end, false),
    set_config('timezone', 'UTC', false),
    set_config('lock_timeout', %(lock_timeout_ms)s, false),
    set_config('statement_timeout', %(statement_timeout_ms)s, false),
    set_config('idle_in_transaction_session_timeout', %(idle_timeout_ms)s, false)

-- name: server
-- Whether this server takes writes, and whether it keeps texts as UTF-8.
select current_setting('transaction_read_only') = 'on', current_setting('server_encoding') = 'UTF8'

-- name: begin_writing
-- Each statement sees what was committed before it; what a decision rests on is locked first.
begin isolation level read committed

-- name: begin_reading
-- All statements see one snapshot.
begin isolation level repeatable read read only

-- name: commit
-- Durable once it has answered.
commit

-- name: roll_back
-- Undo everything since the transaction began.
rollback

-- name: has_migrations
-- Whether the database was ever migrated.
select to_regclass('outdial_migrations') is not null

-- name: make_migrations
-- Where the names of the migrations that were applied are kept.
create table if not exists outdial_migrations (name text collate "C" primary key, applied_at timestamptz not null default now())

-- name: applied_migrations
-- The migrations that this database has.
select name from outdial_migrations

-- name: add_migration
-- Note that a migration was applied.
insert into outdial_migrations (name) values (%(name)s)

-- name: lock_migrations
-- One process migrates at a time.
select pg_advisory_xact_lock(%(key)s)

-- name: listen
-- Hear of calls that were queued.
listen outdial_queue
