"""
Print how many calls a second SQLite accepts in batches of 1, 16 and 64, against bare commits of one row.

Run it with `python -m tests.benchmarks.accept_rate [folder]`; the folder says which disk is measured.
"""

import asyncio
import sqlite3
import sys
import tempfile
from pathlib import Path
from time import perf_counter

from outdial.adapters.sqlite.connection import open_writer
from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.policy import Policy
from outdial.domain.model.wallet import EntryKind
from outdial.domain.rules.ladder import decide_all
from outdial.ports.storage import Transaction
from tests import builders

SECONDS = 2.0
BATCH_SIZES = (1, 16, 64)


def bare_commits(folder: Path) -> float:
    """
    Return how many durable commits of one small row the disk makes in a second.
    """
    path = folder / "bare.db"
    sqlite3.connect(path).close()
    connection = open_writer(path, busy_timeout_s=1)
    connection.execute("create table rows (id integer primary key, value text)")
    count, start = 0, perf_counter()
    while perf_counter() - start < SECONDS:
        connection.execute("begin immediate")
        connection.execute("insert into rows (value) values ('x')")
        connection.execute("commit")
        count += 1
    rate = count / (perf_counter() - start)
    connection.close()
    return rate


async def accepted_calls(folder: Path, batch_size: int) -> float:
    """
    Return how many calls are accepted in a second, one batch after the other.
    """
    path = folder / f"accept-{batch_size}.db"
    migrate(path)
    storage = SqliteStorage(path)
    await storage.start()
    await storage.transact(_furnish)
    batch = [builders.request() for _ in range(batch_size)]
    policy = Policy(max_call_duration_s=60)
    count, start = 0, perf_counter()
    while perf_counter() - start < SECONDS:
        count += len(await storage.accept(batch, policy, decide_all))
    rate = count / (perf_counter() - start)
    await storage.stop()
    return rate


def _furnish(transaction: Transaction) -> None:
    for record in (builders.account(), builders.api_key(), builders.agent()):
        transaction.directory.add(record)
    transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, MICROS_MAX))


def main(parent: str | None) -> None:
    """
    Measure and print.
    """
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        bare = bare_commits(folder)
        sys.stdout.write(f"bare commits: {bare:.0f} a second\n")
        for batch_size in BATCH_SIZES:
            rate = asyncio.run(accepted_calls(folder, batch_size))
            sys.stdout.write(f"batches of {batch_size}: {rate:.0f} calls a second, {rate / bare:.2f} of bare commits\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
