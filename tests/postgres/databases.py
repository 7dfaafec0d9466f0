"""
Databases for tests: one server, one migrated template, and empty databases that are used again.
"""

import atexit
import functools
import itertools
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psycopg
from psycopg import sql

from outdial.adapters.postgres.queries import read_queries
from outdial.adapters.postgres.schema import migrate
from outdial.adapters.postgres.storage import PostgresStorage
from outdial.ports.storage import Storage
from tests.postgres.server import OUTSIDE, server_url

EMPTY: Final = b"""
    set session_replication_role = replica;
    delete from incidents; delete from refusals; delete from call_decisions;
    delete from webhook_tries; delete from webhook_deliveries; delete from webhook_messages; delete from webhooks;
    delete from ledger; delete from call_records; delete from scripts; delete from calls; delete from wallets;
    delete from rates; delete from dnc; delete from dnc_lists; delete from contact_numbers; delete from contacts;
    delete from agents;
    delete from agent_totals; delete from api_keys;
    delete from key_days; delete from accounts; delete from row_numbers; delete from workers; delete from pace;
    select setval('call_numbers', 1, false), setval('call_records_number_seq', 1, false),
        setval('refusals_number_seq', 1, false), setval('incidents_number_seq', 1, false),
        setval('webhook_messages_number_seq', 1, false);
"""
"""Empties a database in less time than it takes to make one."""

AT_HOME: Final = b"delete from dialling; " + read_queries("places.sql")["begin_epoch"].text.encode()
"""Takes a copy of the template for a database of its own, from which one may dial."""

_NUMBERS: Final = itertools.count(1)
_IN_USE: Final[dict[Path, str]] = {}
"""Which folder's test has which database: it is free again when the folder is gone."""

_FREE: Final[list[str]] = []


@functools.cache
def administrator() -> "psycopg.Connection[Any]":
    """
    Return a connection on which databases are made and dropped.
    """
    connection = psycopg.connect(server_url(), autocommit=True)
    atexit.register(connection.close)
    return connection


def make_database(template: str = "template0", encoding: str = "UTF8") -> str:
    """
    Make a database that is gone when the tests end, with its server or alone, and return its address.
    """
    name = f"outdial_test_{os.getpid()}_{next(_NUMBERS)}"
    administrator().execute(
        sql.SQL("create database {} template {} encoding {} locale 'C'").format(
            sql.Identifier(name), sql.Identifier(template), sql.Literal(encoding)
        )
    )
    if OUTSIDE:
        atexit.register(_drop, name)
    return address_of(name)


def address_of(database: str) -> str:
    """
    Return the address of a database on the tests' server, as a URL.
    """
    before, question, options = server_url().partition("?")
    return f"{before.rpartition('/')[0]}/{database}{question}{options}"


def as_user(url: str, user: str, password: str) -> str:
    """
    Return an address with another user; the tests' server may ask for the password or not.
    """
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{user}:{password}@{rest.rpartition('@')[2]}"


@functools.cache
def template() -> str:
    """
    Return the name of a migrated, empty database to copy.
    """
    url = make_database()
    migrate(url)
    return name_of(url)


def name_of(url: str) -> str:
    """
    Return the database's name in an address.
    """
    return url.partition("?")[0].rpartition("/")[2]


def new_database() -> str:
    """
    Return the address of a migrated, empty database that no other test will see.
    """
    url = make_database(template())
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(AT_HOME)
    return url


def open_postgres(folder: Path) -> Callable[[], Storage]:
    """
    Each handle connects to an empty database, which goes to another test once `folder` is gone.
    """
    for gone in [known for known in _IN_USE if not known.exists()]:
        _FREE.append(_IN_USE.pop(gone))
    if _FREE:
        url = _FREE.pop()
        _cleaner(url).execute(EMPTY + AT_HOME)
    else:
        url = new_database()
    _IN_USE[folder] = url
    return functools.partial(PostgresStorage, url)


def url_of(folder: Path) -> str:
    """
    Return the address of the database that `open_postgres` gave a folder; empty when it gave none.
    """
    return _IN_USE.get(folder, "")


@functools.cache
def _cleaner(url: str) -> "psycopg.Connection[Any]":
    connection = psycopg.connect(url, autocommit=True)
    atexit.register(connection.close)
    return connection


def _drop(name: str) -> None:
    administrator().execute(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))
