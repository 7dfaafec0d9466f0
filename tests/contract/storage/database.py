"""
A storage under test, with an event loop of its own.

To bind one more adapter to this suite, add how it is opened to `OPENERS`.
"""

import asyncio
import functools
import shutil
import tempfile
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from outdial.adapters.memory.storage import MemoryStorage
from outdial.adapters.sqlite.schema import migrate
from outdial.adapters.sqlite.storage import SqliteStorage
from outdial.domain.model.call_request import CallRequest
from outdial.domain.model.decision import Accepted, Decision
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.policy import Policy
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet
from outdial.domain.rules.ladder import decide_all
from outdial.ports.storage import DecideAll, Reader, Storage, Transaction
from tests import builders
from tests.listing import list_callee
from tests.postgres.databases import open_postgres

T = TypeVar("T")

EVERY_STATE: Final = frozenset(State)
FILE_NAME: Final = "outdial.db"


class Database:
    """
    One handle on the data; a rival is another one, as another process would have, for use in another thread.
    """

    def __init__(self, open_storage: Callable[[], Storage], loops: Callable[[], Any] | None = None) -> None:
        self.storage = open_storage()
        self._open_storage = open_storage
        self._runner = asyncio.Runner(loop_factory=loops)
        self._rivals: list[Database] = []
        try:
            self.run(self.storage.start())
        except BaseException:
            self._runner.close()
            raise

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """
        Wait for something that is done on this handle's loop.
        """
        return self._runner.run(coroutine)

    def transact(self, work: Callable[[Transaction], T]) -> T:
        """
        Do a transaction.
        """
        return self.run(self.storage.transact(work))

    def read(self, work: Callable[[Reader], T]) -> T:
        """
        Read a snapshot.
        """
        return self.run(self.storage.read(work))

    def accept(
        self, *batch: CallRequest, policy: Policy | None = None, decide: DecideAll = decide_all
    ) -> Sequence[Decision]:
        """
        Decide a batch.
        """
        return self.run(self.storage.accept(batch, policy if policy is not None else Policy(), decide))

    def rival(self) -> "Database":
        """
        Open another handle on the same data; it is closed with this one.
        """
        rival = Database(self._open_storage)
        self._rivals.append(rival)
        return rival

    def restart(self) -> None:
        """
        Stop the storage and start it again.
        """
        self.run(self.storage.stop())
        self.run(self.storage.start())

    def close(self) -> None:
        """
        Stop everything.
        """
        for rival in self._rivals:
            rival.close()
        self.run(self.storage.stop())
        self._runner.close()


def open_memory(_folder: Path) -> Callable[[], Storage]:
    """
    All handles share the one storage.
    """
    storage = MemoryStorage()
    return lambda: storage


def open_sqlite(folder: Path) -> Callable[[], Storage]:
    """
    Each handle opens the file for itself.
    """
    path = folder / FILE_NAME
    shutil.copyfile(_migrated_file(), path)
    return functools.partial(SqliteStorage, path)


OPENERS: Final[dict[str, Callable[[Path], Callable[[], Storage]]]] = {
    "memory": open_memory,
    "sqlite": open_sqlite,
    "postgres": open_postgres,
}


@functools.cache
def _migrated_file() -> Path:
    """
    Return an empty database to copy, which takes less time than the schema does.
    """
    path = Path(tempfile.mkdtemp(prefix="outdial-contract-")) / FILE_NAME
    migrate(path)
    return path


@contextmanager
def fresh(kind: str) -> Iterator[Database]:
    """
    Open an empty database, and close and forget it in the end.
    """
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="outdial-contract-")))
        database = Database(OPENERS[kind](folder))
        stack.callback(database.close)
        yield database


def furnish(transaction: Transaction, *, deposit_micros: int = 25_000_000) -> None:
    """
    Store the builders' account with its key, agent, contact and some money.
    """
    for record in (builders.account(), builders.api_key(), builders.agent()):
        transaction.directory.add(record)
    transaction.contacts.add(builders.contact())
    transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, deposit_micros, at=builders.CREATED_AT))


def furnish_other(transaction: Transaction) -> None:
    """
    Store another account, with an agent, a contact and a listed number, numbered 2, 22, 222 and 2222.
    """
    transaction.directory.add(builders.account(id=2, name="Other"))
    transaction.directory.add(builders.api_key(id=22, account_id=2))
    transaction.directory.add(builders.agent(id=222, account_id=2, assistant_id="assistant_other"))
    transaction.contacts.add(builders.contact(id=2222, account_id=2))
    list_callee(transaction, 2)


def accepted_of(decisions: Sequence[Decision]) -> list[Accepted]:
    """
    Return the acceptances among decisions.
    """
    return [decision for decision in decisions if isinstance(decision, Accepted)]


def everything(reader: Reader) -> dict[str, object]:
    """
    Return what can be read of the accounts 1 and 2, with all calls.
    """
    calls = reader.calls.in_states(EVERY_STATE, 1000)
    return {
        "calls": calls,
        "records": [reader.calls.records(call.id) for call in calls],
        "accounts": [_account(reader, account_id) for account_id in (1, 2)],
        "keys": [reader.directory.key(key_id) for key_id in (builders.KEY_ID, 22)],
        "agents": [reader.directory.agent_of_any_account(agent_id) for agent_id in (builders.AGENT_ID, 222)],
        "rates": reader.rulebook.rates_for("USD", builders.CALLEE),
    }


def _account(reader: Reader, account_id: int) -> list[object]:
    return [
        reader.directory.account(account_id),
        reader.wallets.wallet(account_id),
        reader.wallets.entries(account_id),
        reader.dnc.entries_of(account_id, builders.CALLEE),
        [reader.contacts.contact(account_id, contact_id) for contact_id in (builders.CONTACT_ID, 2222)],
    ]


def balance_micros(reader: Reader) -> int:
    """
    Return what the builders' account owns.
    """
    wallet = reader.wallets.wallet(builders.ACCOUNT_ID)
    assert wallet is not None
    return wallet.balance_micros


def deposit(micros: int) -> Callable[[Transaction], int]:
    """
    Return a work that adds money and returns the balance after it.
    """

    def work(transaction: Transaction) -> int:
        return transaction.wallets.post(builders.entry(EntryKind.DEPOSIT, micros)).balance_micros

    return work


def post(entry: LedgerEntry) -> Callable[[Transaction], Wallet]:
    """
    Return a work that posts an entry.
    """
    return lambda transaction: transaction.wallets.post(entry)


def first_call(number: int = 1) -> CallReference:
    """
    Return the reference of a row.
    """
    return CallReference(number=number)


class Undo(Exception):  # noqa: N818 - it is no error but a wish
    """
    Raised by a work to undo what it did.
    """
