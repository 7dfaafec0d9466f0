"""
Print how long a page of calls takes among many calls, as a multiple of what it takes among a thousand.

Run it with `python -m tests.benchmarks.list_rate [calls] [folder]`; ten million calls take some minutes and 5 GB.
"""

import asyncio
import sqlite3
import statistics
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from time import perf_counter
from typing import Final

from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.domain.model.call import Status
from outdial.domain.model.listing import COUNT_MAX, SKIP_MAX, CallFilter, PageRange
from outdial.domain.model.policy import Policy
from outdial.domain.rules.ladder import decide_all
from outdial.ports.archive import TABLES
from outdial.ports.storage import Reader
from tests import builders
from tests.contract.storage.database import furnish

FEW: Final = 1_000
MANY: Final = 1_000_000
ROUNDS: Final = 50

CALLS: Final = next(table for table in TABLES if table.name == "calls")
SCRIPTS: Final = next(table for table in TABLES if table.name == "scripts")
CHANGED: Final = {
    "id": "n",
    "call_id": "n",
    "agent_id": "case when n % 1000 = 0 then 7 else agent_id end",
    "idempotency_key": "null",
    "state": "'settled'",
    "status": "case when n % 100000 = 5 then 'ringing' when n % 3 = 0 then 'failed' else 'completed' end",
}
"""What differs between the calls: one in a thousand is a rare agent's, one in a hundred thousand rings."""

PAGES: Final[Mapping[str, tuple[CallFilter, PageRange]]] = {
    "newest": (CallFilter(), PageRange(limit=10)),
    "from the middle on": (CallFilter(), PageRange(limit=10, before=0)),
    "the last page that has a number": (CallFilter(), PageRange(limit=10, skip=SKIP_MAX)),
    "failed": (CallFilter(status=Status.FAILED), PageRange(limit=10)),
    "a rare agent's": (CallFilter(agent_id=7), PageRange(limit=10)),
    "a rare agent's ringing ones": (CallFilter(agent_id=7, status=Status.RINGING), PageRange(limit=10)),
    "of another account": (CallFilter(), PageRange(limit=10)),
}


async def make(path: Path, count: int) -> SqliteStorage:
    """
    Make a database with so many calls and open it.
    """
    migrate(path)
    storage = SqliteStorage(path)
    await storage.start()
    await storage.transact(furnish)
    await storage.accept([builders.request()], Policy(), decide_all)
    with sqlite3.connect(path, isolation_level=None) as opened:
        opened.execute("pragma synchronous = off")
        counted = "with recursive counted (n) as (select 2 union all select n + 1 from counted where n < ?)"
        for table in (CALLS, SCRIPTS):
            values = ", ".join(CHANGED.get(column, column) for column in table.columns)
            opened.execute(
                f"{counted} insert into {table.name} ({', '.join(table.columns)})"
                f" select {values} from counted cross join (select * from {table.name} where {table.columns[0]} = 1)",
                (count,),
            )
    opened.close()
    return storage


async def median_s(storage: SqliteStorage, name: str, count: int) -> float:
    """
    Return how long a page and its count take.
    """
    wanted, page = PAGES[name]
    if page.before is not None:
        page = PageRange(limit=page.limit, before=count // 2)
    account_id = 2 if name == "of another account" else builders.ACCOUNT_ID

    def work(reader: Reader) -> None:
        reader.history.page(account_id, wanted, page)
        reader.history.count(account_id, wanted, at_most=COUNT_MAX)

    times = []
    for _ in range(ROUNDS):
        start = perf_counter()
        await storage.read(work)
        times.append(perf_counter() - start)
    return statistics.median(times)


async def measure(folder: Path, many: int) -> None:
    """
    Measure and print.
    """
    few_storage = await make(folder / "few.db", FEW)
    many_storage = await make(folder / "many.db", many)
    for name in PAGES:
        few_s = await median_s(few_storage, name, FEW)
        many_s = await median_s(many_storage, name, many)
        sys.stdout.write(f"{name}: {many_s * 1000:.2f} ms among {many:,} calls, {many_s / few_s:.1f} times {FEW:,}\n")
    await few_storage.stop()
    await many_storage.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(dir=sys.argv[2] if len(sys.argv) > 2 else None) as folder_name:
        asyncio.run(measure(Path(folder_name), int(sys.argv[1]) if len(sys.argv) > 1 else MANY))
