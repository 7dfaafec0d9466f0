"""
Wallets and their ledgers in SQLite.
"""

from typing import Final

import attrs

from outdial.adapters.relational.values import read_entry, read_wallet
from outdial.adapters.sqlite.call_rows import entry_row, wallet_row
from outdial.adapters.sqlite.statements import Statements
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet
from outdial.ports.errors import StorageConflictError

WALLET: Final = (
    "select wallets.account_id, currency, balance_micros, held_micros, entries, seal"
    " from wallets join accounts on accounts.id = wallets.account_id where wallets.account_id = ?"
)
ENTRIES: Final = "select account_id, kind, micros, call_id, at from ledger where account_id = ? order by number"
KINDS_OF_CALL: Final = "select kind from ledger where call_id = ? and account_id = ?"
ADD_ENTRY: Final = (
    "insert into ledger (account_id, number, kind, micros, call_id, at, seal) values (?, ?, ?, ?, ?, ?, ?)"
)
UPDATE_WALLET: Final = (
    "update wallets set balance_micros = ?, held_micros = ?, entries = ?, seal = ? where account_id = ?"
)


@attrs.frozen
class SqliteWallets:
    """
    Money.
    """

    _sql: Statements

    def wallet(self, account_id: int) -> Wallet | None:
        """
        Return an account's wallet.
        """
        row = self._sql.one(WALLET, account_id)
        return None if row is None else read_wallet(row)

    def entries(self, account_id: int) -> tuple[LedgerEntry, ...]:
        """
        Return an account's ledger, oldest first.
        """
        return tuple(read_entry(row) for row in self._sql.all(ENTRIES, account_id))

    def has_hold(self, account_id: int, call_id: int) -> bool:
        """
        Tell whether the ledger has a call's hold, and nothing yet that resolves it.
        """
        return [(EntryKind.HOLD.value,)] == self._sql.all(KINDS_OF_CALL, call_id, account_id)

    def post(self, entry: LedgerEntry) -> Wallet:
        """
        Add an entry to a ledger and return the wallet after it.
        """
        before = self.wallet(entry.account_id)
        if before is None:
            raise StorageConflictError(f"Account {entry.account_id} has no wallet; nothing was written.")
        wallet = before.post(entry)
        self._sql.write(ADD_ENTRY, *entry_row(entry, wallet))
        self._sql.write(UPDATE_WALLET, *wallet_row(wallet))
        return wallet
