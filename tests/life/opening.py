"""
Databases for calls to live in, and what nobody does to them but by hand.
"""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import attrs

from outdial.adapters.memory.storage import MemoryStorage
from outdial.domain.model.agent import Agent
from outdial.domain.model.phone_number import PhoneNumber
from outdial.entrypoints.settings import Settings
from outdial.ports.storage import Transaction
from tests.contract.storage.database import FILE_NAME, OPENERS, Database
from tests.postgres import databases

RENUMBER: Final = "update agents set phone_number = {} where id = {}"


@contextmanager
def opened(kind: str) -> Iterator[tuple[Database, Settings | None]]:
    """
    Open an empty database, with settings that name it where it is no process's own.
    """
    with tempfile.TemporaryDirectory(prefix="outdial-life-") as name:
        folder = Path(name)
        database = Database(OPENERS[kind](folder))
        urls = {"sqlite": f"sqlite:///{folder / FILE_NAME}", "postgres": databases.url_of(folder)}
        try:
            yield database, Settings(database=urls[kind]) if kind in urls else None
        finally:
            database.close()


def renumber(database: Database, agent_id: int, number: PhoneNumber) -> None:
    """
    Give an agent another number, as an operator does with the database's own tools.
    """
    if isinstance(database.storage, MemoryStorage):
        agents: Any = database.storage._committed.records[Agent]  # noqa: SLF001 - it has no other tools
        agents[agent_id] = attrs.evolve(agents[agent_id], phone_number=number)
        return

    def work(transaction: Transaction) -> None:
        sql: Any = transaction.directory._sql  # type: ignore[attr-defined]  # noqa: SLF001 - the same
        if "postgres" in type(sql).__module__:
            sql.write(RENUMBER.format("%(number)s", "%(id)s"), {"number": number.e164, "id": agent_id})
        else:
            sql.write(RENUMBER.format("?", "?"), number.e164, agent_id)

    database.transact(work)
