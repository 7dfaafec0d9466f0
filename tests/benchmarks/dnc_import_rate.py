"""
Print how many numbers one core imports in a second into a Do-Not-Call list in SQLite, against reading them one by one.

Run it with `python -m tests.benchmarks.dnc_import_rate [folder]`; the folder says which disk is measured.
"""

import asyncio
import random
import sys
import tempfile
from pathlib import Path
from time import process_time

from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.adapters.system.clock import SystemClock
from outdial.domain.model.phone_number import parse_phone_number
from outdial.entrypoints.do_not_call import DncAdministration
from outdial.entrypoints.number_files.reading import read_numbers

NUMBERS = 1_000_000
READ_ONE_BY_ONE = 20_000


def write_numbers(path: Path) -> list[str]:
    """
    Write plain E.164 lines of several countries in no order, and return some of them.
    """
    shuffled = random.Random(1)  # noqa: S311 - no secret
    codes = ("+1212555", "+4420794", "+4930123", "+5511912", "+9198765", "+7495123", "+8613912")
    lines = [f"{shuffled.choice(codes)}{shuffled.randrange(10**6):06}" for _ in range(NUMBERS)]
    path.write_text("\n".join(lines), encoding="ascii")
    return lines[:READ_ONE_BY_ONE]


def one_by_one(lines: list[str]) -> float:
    """
    Return how many numbers libphonenumber reads in a second of computing.
    """
    start = process_time()
    for line in lines:
        parse_phone_number(line)
    return len(lines) / (process_time() - start)


def read(path: Path) -> float:
    """
    Return how many numbers of a file are read in a second of computing.
    """
    start = process_time()
    with path.open("rb") as opened:
        count = sum(len(batch.numbers) for batch in read_numbers(opened, columns=(), region=None))
    return count / (process_time() - start)


async def imported(folder: Path, path: Path, *, is_partial: bool) -> float:
    """
    Return how many numbers of a file are read and listed in a second of computing.
    """
    database = folder / f"import-{is_partial}.db"
    migrate(database)
    storage = SqliteStorage(database)
    await storage.start()
    start = process_time()
    with path.open("rb") as opened:
        done = await DncAdministration(storage, SystemClock()).import_numbers(None, opened, is_partial=is_partial)
    rate = done.read / (process_time() - start)
    await storage.stop()
    return rate


def main(parent: str | None) -> None:
    """
    Measure and print.
    """
    with tempfile.TemporaryDirectory(dir=parent) as name:
        folder = Path(name)
        path = folder / "numbers.txt"
        base = one_by_one(write_numbers(path))
        sys.stdout.write(f"one by one: {base:.0f} numbers a second of a core\n")
        for what, rate in (
            ("read", read(path)),
            ("imported at once", asyncio.run(imported(folder, path, is_partial=False))),
            ("imported in parts", asyncio.run(imported(folder, path, is_partial=True))),
        ):
            sys.stdout.write(f"{what}: {rate:.0f} numbers a second of a core, {rate / base:.1f} of one by one\n")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else None)
