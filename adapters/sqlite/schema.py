"""
The tables of an outdial database, and how a file gets them.

Row numbers are the public order. Rows of `calls` change, all others of a call are only ever added.
"""

import contextlib
import os
import sqlite3
from pathlib import Path
from typing import Final

from sqlite_utils import Database, Migrations

from outdial.adapters.sqlite.statements import storage_error
from outdial.ports.errors import StorageError

MIGRATIONS: Final = Migrations("outdial")

_FILE_MODE: Final = 0o600
"""The file holds phone numbers and what is said to people; SQLite gives its companions the same mode."""

_TABLES: Final = (
    """
    create table row_numbers (
        table_name text primary key,
        last integer not null
    ) strict, without rowid
    """,
    """
    create table accounts (
        id integer primary key,
        name text not null,
        currency text not null,
        created_at integer not null,
        default_region text,
        allowed_regions text not null,
        price_caps_micros text not null
    ) strict
    """,
    """
    create table api_keys (
        id integer primary key,
        account_id integer not null references accounts (id),
        permissions text not null,
        secret_hash blob not null,
        created_at integer not null,
        expires_at integer,
        revoked_at integer,
        calls_per_day integer not null check (calls_per_day >= 0)
    ) strict
    """,
    """
    create table agents (
        id integer primary key,
        account_id integer not null references accounts (id),
        assistant_id text not null unique,
        name text not null,
        phone_number text,
        greeting text not null,
        instructions text not null,
        runtime text not null,
        sip_uri text
    ) strict
    """,
    """
    create table contacts (
        id integer primary key,
        account_id integer not null references accounts (id),
        first_name text not null,
        last_name text,
        email text,
        company text,
        phone_number text
    ) strict
    """,
    """
    create table dnc (
        account_id integer not null references accounts (id),
        phone_number text not null,
        reason text not null,
        listed_at integer not null,
        primary key (account_id, phone_number)
    ) strict, without rowid
    """,
    """
    create table rates (
        currency text not null,
        prefix text not null,
        per_minute_micros integer not null,
        increment_s integer not null,
        minimum_s integer not null,
        primary key (currency, prefix)
    ) strict, without rowid
    """,
    """
    create table wallets (
        account_id integer primary key references accounts (id),
        balance_micros integer not null check (balance_micros >= 0),
        held_micros integer not null check (held_micros >= 0),
        check (held_micros <= balance_micros)
    ) strict
    """,
    """
    create table calls (
        id integer primary key,
        token text not null,
        account_id integer not null references accounts (id),
        key_id integer,
        agent_id integer not null,
        assistant_id text not null,
        agent_name text not null,
        contact_id integer,
        phone_number text not null,
        caller_id text not null,
        runtime text not null,
        sip_uri text,
        currency text not null,
        prefix text not null,
        per_minute_micros integer not null,
        increment_s integer not null,
        minimum_s integer not null,
        hold_micros integer not null,
        max_duration_s integer not null,
        created_at integer not null,
        idempotency_key text,
        request_digest blob,
        state text not null,
        worker_id text,
        fence integer not null,
        attempt integer not null,
        dialed_at integer,
        answered_at integer,
        ended_at integer,
        disposition text,
        cause_code integer,
        cause_words text,
        cause_provisional text,
        talk_s integer not null,
        charge_micros integer not null,
        version integer not null
    ) strict
    """,
    # Whoever looks for work asks by state; the calls that are over for good would only make this index large.
    "create index calls_live on calls (state) where state not in ('settled', 'canceled', 'blocked')",
    """
    create table scripts (
        call_id integer primary key references calls (id),
        greeting text not null,
        instructions text not null,
        variables text not null
    ) strict
    """,
    """
    create table call_records (
        number integer primary key,
        call_id integer not null references calls (id),
        account_id integer not null,
        state text not null,
        disposition text,
        at integer not null
    ) strict
    """,
    "create unique index calls_idempotency on calls (account_id, idempotency_key) where idempotency_key is not null",
    """
    create table key_days (
        key_id integer not null,
        day integer not null,
        calls integer not null,
        primary key (key_id, day)
    ) strict, without rowid
    """,
    """
    create table workers (
        id text primary key,
        seen_at_micros integer not null
    ) strict, without rowid
    """,
    """
    create table pace (
        trunk text primary key,
        next_at_micros integer not null
    ) strict, without rowid
    """,
    "create index call_records_of_call on call_records (call_id)",
    """
    create table ledger (
        account_id integer not null references wallets (account_id),
        number integer not null,
        kind text not null,
        micros integer not null check (micros >= 0),
        call_id integer references calls (id),
        at integer not null,
        primary key (account_id, number),
        unique (call_id, kind)
    ) strict, without rowid
    """,
)


@MIGRATIONS(name="0001_accounts_money_and_calls")
def _accounts_money_and_calls(database: Database) -> None:
    for statement in _TABLES:
        database.execute(statement)


def migrate(path: Path) -> list[str]:
    """
    Bring a database file to the newest schema, all steps or none, and return the names of the steps taken.

    A missing file is created, readable by its owner alone.

    Raises:
        StorageError: The file can't be written, is no database, or was written by a newer outdial.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, _FILE_MODE))
    except OSError as error:
        raise StorageError(f"{path} can't be written: {error.strerror}.") from error
    try:
        with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as connection:
            connection.execute("pragma journal_mode = wal")
            connection.execute("pragma synchronous = full")
            connection.execute("begin immediate")
            return _apply_pending(connection, path)
    except sqlite3.Error as error:
        raise storage_error(error) from error


def check_schema(connection: sqlite3.Connection, path: Path) -> None:
    """
    Let only a database of exactly this schema pass.

    Raises:
        StorageError: It is older or newer; the message says what to do.
    """
    database = _open_database(connection)
    _refuse_newer(database, path)
    if MIGRATIONS.pending(database):
        raise StorageError(f"{path} has an older schema or none. Run `outdial migrate` first.")


def _apply_pending(connection: sqlite3.Connection, path: Path) -> list[str]:
    database = _open_database(connection)
    _refuse_newer(database, path)
    names = [migration.name for migration in MIGRATIONS.pending(database)]
    MIGRATIONS.apply(database)
    connection.execute("commit")
    return names


def _refuse_newer(database: Database, path: Path) -> None:
    with Database(memory=True, execute_plugins=False) as empty:
        known = {migration.name for migration in MIGRATIONS.pending(empty)}
    if {migration.name for migration in MIGRATIONS.applied(database)} - known:
        raise StorageError(f"{path} was written by a newer outdial. Install that version, or use another file.")


def _open_database(connection: sqlite3.Connection) -> Database:
    return Database(connection, recursive_triggers=False, execute_plugins=False)
