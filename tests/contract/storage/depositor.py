"""
A process that deposits 1, 2, 3 ... micros, and prints each amount once it was told that it is durable.
"""

import asyncio
import sys
from pathlib import Path

from outdial.adapters.sqlite.storage import SqliteStorage
from tests.contract.storage.database import deposit


async def main(path: Path) -> None:
    """
    Deposit until killed.
    """
    storage = SqliteStorage(path)
    await storage.start()
    micros = 0
    while True:
        micros += 1
        await storage.transact(deposit(micros))
        sys.stdout.write(f"{micros}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
