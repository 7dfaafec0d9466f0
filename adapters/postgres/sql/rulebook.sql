-- name: rates
-- The rates of a currency under any of the given prefixes.
select currency, prefix, per_minute_micros, increment_s, minimum_s
from rates where currency = %(currency)s and prefix = any(%(prefixes)s::text[])

-- name: set_rate
-- Store the rate of a currency and prefix, or replace it.
insert into rates (currency, prefix, per_minute_micros, increment_s, minimum_s)
values (%(currency)s, %(prefix)s, %(per_minute_micros)s, %(increment_s)s, %(minimum_s)s)
on conflict (currency, prefix) do update set per_minute_micros = excluded.per_minute_micros,
    increment_s = excluded.increment_s, minimum_s = excluded.minimum_s
