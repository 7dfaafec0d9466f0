-- name: beat
-- That a worker lives, by the server's clock.
insert into workers (id, seen_at) values (%(worker_id)s, clock_timestamp())
on conflict (id) do update set seen_at = excluded.seen_at

-- name: leave
-- That a worker is gone.
delete from workers where id = %(worker_id)s

-- name: forget
-- Workers that have been silent for long and that no begun call is left of (of any account)
delete from workers where seen_at <= clock_timestamp() - make_interval(secs => %(silent_s)s) and not exists (
    select from calls where calls.worker_id = workers.id
        and state not in ('settled', 'revealed', 'canceled', 'blocked') and state not in ('queued', 'unknown'))

-- name: take_turn
-- One worker at a time counts live calls and keeps the pace, until its transaction ends.
select pg_advisory_xact_lock(%(key)s)

-- name: now_micros
-- The server's clock.
select (extract(epoch from clock_timestamp()) * 1000000)::bigint

-- name: next_start
-- When the next call on a trunk may start.
select next_at_micros from pace where trunk = %(trunk)s

-- name: set_next_start
-- Store when the next call on a trunk may start.
insert into pace (trunk, next_at_micros) values (%(trunk)s, %(next_at_micros)s)
on conflict (trunk) do update set next_at_micros = excluded.next_at_micros
