"""
The SQL files: each statement says what it is for, names the account, and finds its rows by an index.
"""

import functools
import json
import re
from collections.abc import Iterable, Iterator
from importlib.resources import files
from typing import Any

import psycopg
import pytest
from psycopg.rows import TupleRow

from outdial.adapters.postgres.queries import FOLDER, Query, read_queries
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.postgres.storage import PostgresStorage
from tests.contract.storage.database import Database
from tests.contract.storage.test_sqlite_plans import use_everything

FILES = sorted(file.name for file in (files(FOLDER) / "sql").iterdir())
QUERIES = [(file, query) for file in FILES for query in read_queries(file).values()]
OWNED = (
    *("accounts", "api_keys", "agents", "agent_totals", "contacts", "contact_numbers", "dnc_lists", "dnc", "wallets"),
    *("ledger", "calls", "scripts", "call_records", "call_decisions", "refusals", "incidents"),
    *("webhooks", "webhook_messages", "webhook_deliveries", "webhook_tries"),
)
"""Tables whose rows belong to an account."""

OF_ANY_ACCOUNT = {
    "acceptance.sql": {"keys", "add_scripts"},
    "calls.sql": {
        *("call_columns", "call_of_any_account", "call_of_any_account_to_change", "records"),
        *(
            "live",
            "live_to_change",
            "over",
            "over_to_change",
            "queued",
            "open",
            "unattended",
            "to_hang_up",
            "live_counts",
            "overdue",
            "overdue_to_change",
        ),
    },
    "decisions.sql": {"refusal_columns", "oldest_refusals", "forget_refusals"},
    "directory.sql": {
        *("key", "update_key", "agent_columns", "agent_of_any_account_by_row", "agent_of_any_account_by_name"),
        *("next_account", "next_key", "next_agent", "next_contact", "next_contact_number"),
    },
    "do_not_call.sql": {"next_list"},
    "incidents.sql": {"incident_columns", "of_any_account"},
    "events.sql": {"newest", "place", "following", "passed"},
    "webhooks.sql": {"webhook_columns", "next_webhook", "due_webhooks"},
    "contacts.sql": {"contact_columns"},
    "workers.sql": {"forget"},
}
"""Statements for the operator, the workers and the proof of a key; a new one is added here on purpose."""

FEW_ROWS = {"dialling", "pg_database"}
"""Tables of one page, for which an index would be a detour."""

LARGE = """
    insert into accounts select n, 'Account', 'USD', 0, null, '[]', '{}' from generate_series(1000, 6000) n;
    insert into wallets select id, 1000, 0, 0, decode(repeat('00', 32), 'hex') from accounts where id >= 1000;
    insert into api_keys select id, id, '[]', '', 0, null, null, 100, 60 from accounts where id >= 1000;
    insert into agents select id, id, 'assistant_' || id, 'Agent', null, 'Hi', '', 'announce', null,
        null, null, null from accounts where id >= 1000;
    insert into agent_totals select id, account_id, 1, 1 from agents where id >= 1000;
    insert into contacts select id, id, 'Ann', null, null, null, null, '{}' from accounts where id >= 1000;
    insert into contact_numbers select id, id, account_id, '+15551234567', 'home', 1 from contacts where id >= 1000;
    insert into dnc_lists select id, id, 'default', '', 0 from accounts where id >= 1000;
    insert into dnc select id, '+' || 15550000000 + id, '', 0, null from accounts where id >= 1000;
    insert into rates select 'USD', n::text, 0, 1, 0 from generate_series(1000, 6000) n;
    insert into calls select n, 'token', n, null, n, 'assistant_' || n, 'Agent', null, '+15551234567', '+15551234568',
        'announce', null, 'USD', '', 0, 1, 0, 0, 60, 0, 0, null, null, null,
        case when n % 100 = 0 then 'queued' else 'settled' end,
        case when n % 100 = 0 then 'queued' else 'failed' end, null, 0, 0,
        null, null, null, null, null, null, null, 0, 0, null, null, 0 from generate_series(1000, 6000) n;
    insert into key_days select n, 1, 1 from generate_series(1000, 6000) n;
    insert into scripts select id, '', '', '{}' from calls where id >= 1000;
    insert into call_records (call_id, account_id, state, at)
        select id, id, 'queued', 0 from calls, generate_series(1, 3) where id >= 1000;
    insert into call_decisions select id, id, '', '{}', '' from calls where id >= 1000;
    insert into refusals (account_id, at, reason, problems, policy_version, facts, facts_digest)
        select n, 0, 'do_not_call', '[]', '', '{}', '' from generate_series(1000, 6000) n;
    insert into incidents (account_id, call_id, attempt, kind, objection, at)
        select account_id, id, 1, 'line_cut', 'over', 0 from calls where id >= 1000;
    insert into ledger select id, 1, 'hold', 0, id, 0, decode(repeat('00', 32), 'hex') from calls where id >= 1000;
    insert into webhooks select id, id, '', '[]', '', '', null, null, null, 0 from accounts where id >= 1000;
    insert into webhook_messages overriding system value select id, 'msg_' || id, account_id, id, '', 0, null
        from calls where id >= 1000;
    insert into webhook_deliveries select account_id, number, account_id, call_id,
        case when number % 10 = 0 then 'pending' else 'delivered' end, 1, 0, case when number % 10 = 0 then 0 end
        from webhook_messages where number >= 1000;
    insert into webhook_tries select webhook_id, message_number, 1, account_id, 0, 0 from webhook_deliveries
        where webhook_id >= 1000;
    analyze;
"""


@pytest.mark.parametrize(("file", "query"), QUERIES, ids=[f"{file}-{query.name}" for file, query in QUERIES])
def test_every_statement_says_what_it_is_for(file: str, query: Query) -> None:
    """
    A name, one line that ends like a sentence or a mark, and something to run.
    """
    assert query.purpose.endswith((".", "(of any account)"))
    assert query.text
    assert "--" not in query.text, file
    assert not query.text.endswith(";")


@pytest.mark.parametrize(("file", "query"), QUERIES, ids=[f"{file}-{query.name}" for file, query in QUERIES])
def test_every_statement_on_an_accounts_table_names_the_account(file: str, query: Query) -> None:
    """
    Those that don't are marked, and known to this test.
    """
    touched = {table for table in OWNED if re.search(rf"\b(from|into|update|join)\s+{table}\b", query.text)}
    is_known = query.name in OF_ANY_ACCOUNT.get(file, set())

    assert is_known == query.is_of_any_account
    assert not touched or is_known or "%(account_id" in query.text


def test_the_check_of_accounts_sees_a_statement_that_forgot() -> None:
    """
    A negative control: without its condition a statement is caught.
    """
    forgetful = read_queries("calls.sql")["call"].text.replace("%(account_id)s", "account_id")

    with pytest.raises(AssertionError):
        test_every_statement_on_an_accounts_table_names_the_account(
            "calls.sql", Query(name="call", purpose="An account's call.", text=forgetful)
        )


Used = dict[str, Any]


@pytest.fixture
def used(monkeypatch: pytest.MonkeyPatch) -> dict[str, Used]:
    """
    Each statement that is run from now on, with its last values.
    """
    seen: dict[str, Used] = {}
    run_all, run_together, write = Statements.all, Statements.together, Statements.write

    def noted_all(self: Statements, sql: str, **values: Any) -> Any:
        seen[sql] = values
        return run_all(self, sql, **values)

    def noted_together(self: Statements, steps: Any) -> Any:
        seen.update(steps)
        return run_together(self, steps)

    def noted_write(self: Statements, sql: str, values: Any) -> int:
        seen[sql] = values
        return write(self, sql, values)

    monkeypatch.setattr(Statements, "all", noted_all)
    monkeypatch.setattr(Statements, "together", noted_together)
    monkeypatch.setattr(Statements, "write", noted_write)
    return seen


def _plan(planner: "psycopg.ClientCursor[TupleRow]", text: str, values: Used, mode: str) -> Iterator[dict[str, Any]]:
    """
    Yield the nodes of a statement's plan, as for a statement that was prepared.
    """
    names = list(dict.fromkeys(re.findall(r"%\((\w+)\)s", text)))
    numbered = re.sub(r"%\((\w+)\)s", lambda match: f"${names.index(match[1]) + 1}", text)
    given = ", ".join(["%s"] * len(names))
    planner.execute(f"set plan_cache_mode = {mode}".encode())
    planner.execute(f"prepare examined as {numbered}".encode())
    planner.execute(
        f"explain (format json) execute examined{f'({given})' if names else ''}".encode(),
        [values[name] for name in names],
    )
    ((plans,),) = planner.fetchall()
    planner.execute(b"deallocate examined")
    (top,) = plans if isinstance(plans, list) else json.loads(plans)
    yield from _nodes(top["Plan"])


def _nodes(node: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield node
    for below in node.get("Plans", []):
        yield from _nodes(below)


def scans_of(url: str, used: dict[str, Used]) -> set[tuple[str, str]]:
    """
    Return the tables that are read whole, with the statements that do; whatever the planner takes for granted.
    """
    with psycopg.connect(url, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
        planner = connection.cursor()
        return {
            (text, node["Relation Name"])
            for text, values in used.items()
            if re.match(r"select|insert|update|delete|with", text)
            for mode in ("force_custom_plan", "force_generic_plan")
            for node in _plan(planner, text, values, mode)  # type: ignore[arg-type]
            if node["Node Type"] == "Seq Scan" and node["Relation Name"] not in FEW_ROWS
        }


def _enlarge(url: str) -> None:
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute(LARGE.encode())


def test_no_statement_reads_a_whole_table(url: str, used: dict[str, Used]) -> None:
    """
    In a large database, everything that is on the way of a call finds its rows by an index.
    """
    database = Database(functools.partial(PostgresStorage, url))
    use_everything(database)
    database.close()
    _enlarge(url)

    assert len(used) > 35
    assert set() == scans_of(url, used)


def test_without_its_index_a_log_is_read_whole(url: str, used: dict[str, Used]) -> None:
    """
    A negative control: the check above sees a missing index.
    """
    database = Database(functools.partial(PostgresStorage, url))
    use_everything(database)
    database.close()
    _enlarge(url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("drop index call_records_of_call")

    scanned = scans_of(url, used)

    assert {"call_records"} == {table for _text, table in scanned}


def test_every_statement_is_used() -> None:
    """
    Nothing is kept that neither the code nor another statement names.
    """
    sources = _sources()

    unused = {query.name for _file, query in QUERIES if not _is_named(query, sources)}

    assert set() == unused


def _sources() -> str:
    folder = files(FOLDER)
    texts: Iterable[str] = (file.read_text(encoding="utf-8") for file in folder.iterdir() if file.name.endswith(".py"))
    sql = ((folder / "sql" / file).read_text(encoding="utf-8") for file in FILES)
    return "\n".join([*texts, *sql])


def _is_named(query: Query, sources: str) -> bool:
    name = query.name.removesuffix("_to_change") or query.name
    return f'"{name}"' in sources or f"{{{query.name}}}" in sources
