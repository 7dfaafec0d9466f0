"""
What is wrong with an address is said in one sentence, and its password never.
"""

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from outdial.adapters.postgres.connection import Limits, connect
from outdial.entrypoints import composition
from outdial.entrypoints.setting_texts import PostgresUrl
from outdial.entrypoints.settings import Settings, SettingsError, read_settings
from outdial.ports.errors import StorageError
from tests.postgres.server import Server

PASSWORD = "sesame"
CLERK = "clerk:sesame@127.0.0.1"


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """
    A server that asks for passwords, with users and databases that can't be used.
    """
    server = Server()
    for statement in (
        "create role clerk login password 'sesame'",
        "create role locked nologin password 'sesame'",
        "create database closed allow_connections false",
    ):
        server.run(statement)
    yield server
    server.remove()


def _sentence(url: str) -> str:
    with pytest.raises(StorageError) as caught:
        connect(url, Limits(connect_s=2)).close()
    assert caught.value.__cause__ is None
    assert PASSWORD not in str(caught.value)
    return str(caught.value)


def test_the_right_password_is_let_in(server: Server) -> None:
    """
    The address that the others below are made of works.
    """
    connect(server.tcp_url, Limits()).close()


@pytest.mark.parametrize(
    ("right", "wrong", "meaning"),
    [
        (CLERK, "clerk:other@127.0.0.1", "the password of user clerk is wrong"),
        (CLERK, "clerk@127.0.0.1", "user clerk needs a password"),
        (CLERK, "locked:sesame@127.0.0.1", "there is no user locked, or it may not log in"),
        ("/postgres", "/nowhere", "there is no database nowhere, or user clerk may not use it"),
        ("/postgres", "/closed", "there is no database closed, or user clerk may not use it"),
        ("/postgres", "/postgres?sslmode=require", "the two could not agree on TLS"),
        ("/postgres", "/postgres?options=-c%20nonsense%3D1", "the connection failed"),
    ],
)
def test_a_server_that_lets_nobody_in_is_understood(server: Server, right: str, wrong: str, meaning: str) -> None:
    """
    Where it is, and what to change.
    """
    url = server.tcp_url.replace(right, wrong)

    assert f"PostgreSQL at 127.0.0.1:{server.port} can't be used: {meaning}. Nothing was written." == _sentence(url)


@pytest.mark.parametrize(
    ("url", "sentence"),
    [
        (f"postgresql://{CLERK}:1/x", "PostgreSQL at 127.0.0.1:1 can't be used: nobody listens there."),
        (
            "postgresql://clerk:sesame@no-such-host.invalid/x",
            "PostgreSQL at no-such-host.invalid can't be used: there is no such host.",
        ),
        (
            "postgresql://clerk:sesame@/x?host=/nonexistent",
            "PostgreSQL at /nonexistent can't be used: nobody listens there.",
        ),
        ("postgresql://clerk:sesame@h/x?nonsense=1", "The address of the database can't be read"),
        ("postgresql://clerk:%zzsesame@h/x", "The address of the database can't be read"),
    ],
)
def test_an_address_that_leads_nowhere_is_understood(url: str, sentence: str) -> None:
    """
    The sentence names the host, and for what can't be read how it should look.
    """
    assert _sentence(url).startswith(sentence)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("postgresql:///x", "postgresql:///x"),
        ("postgresql://db.example/x", "postgresql://db.example/x"),
        ("postgresql://clerk@db.example:5433/x", "postgresql://clerk@db.example:5433/x"),
        ("postgresql://clerk:sesame@db.example/x", "postgresql://clerk:***@db.example/x"),
        ("postgresql://clerk:sesame@[::1]:5432/x", "postgresql://clerk:***@[::1]:5432/x"),
        (
            "postgresql://clerk:sesame@a:1,b:2/x?target_session_attrs=any",
            "postgresql://clerk:***@a:1,b:2/x?target_session_attrs=any",
        ),
        ("postgresql://h/x?password=sesame&sslpassword=sesame", "postgresql://h/x?password=***&sslpassword=***"),
        ("postgresql://h/x?password=a@sesame", "postgresql://h/x?password=***"),
    ],
)
def test_a_postgresql_address_is_taken_and_shown_without_its_password(url: str, shown: str) -> None:
    """
    In texts, in the settings and in whatever is printed; only the database is told it whole.
    """
    settings = read_settings({"OUTDIAL_DATABASE": url})

    assert shown == settings.database == str(settings.database) == f"{settings.database}"
    assert repr(shown) in repr(settings)
    assert url == composition.database_url(settings)
    assert composition.database_path(settings) is None
    assert settings == Settings(database=url) == Settings(database=settings.database)
    assert url == composition.database_url(Settings(database=PostgresUrl(settings.database)))


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://",
        "postgres://clerk:sesame@h/x",
        "postgresql://clerk:sesame@h:port/x",
        "postgresql://clerk:ses/sesame@h/x",
        "postgresql://clerk:ses@sesame@h/x",
        "postgresql://clerk:ses sesame@h/x",
        "postgresql:/clerk:sesame@h/x",
        "postgresql://h/x y?password=sesame",
    ],
)
def test_an_address_that_is_not_allowed_is_told_without_its_password(url: str) -> None:
    """
    However wrong it is, the password is not repeated.
    """
    with pytest.raises(SettingsError) as caught:
        read_settings({"OUTDIAL_DATABASE": url})

    assert "OUTDIAL_DATABASE: " in str(caught.value)
    assert PASSWORD not in str(caught.value)


@pytest.mark.parametrize(
    ("missing", "words"), [("psycopg", ["migrate"]), ("psycopg", ["key", "revoke", "1"]), ("psycopg_pool", ["serve"])]
)
def test_a_missing_extra_is_told_with_what_to_install(missing: str, words: list[str], tmp_path: Path) -> None:
    """
    One sentence and exit code 2, as for every database that can't be used; nothing else needs the extra.
    """
    program = f"import sys; sys.modules[{missing!r}] = None; from outdial.entrypoints.cli import main; main()"

    def run(words: list[str], database: str) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(
            [sys.executable, "-c", program, *words],
            env={**os.environ, "OUTDIAL_DATABASE": database},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    ran = run(words, "postgresql://clerk:sesame@127.0.0.1:1/x")

    assert 2 == ran.returncode
    assert "needs the extra `postgres`: pip install 'outdial[postgres]'." in " ".join(ran.stderr.split())
    assert "Traceback" not in ran.stderr
    assert PASSWORD not in ran.stdout + ran.stderr
    assert 0 == run(["migrate"], "memory:").returncode
