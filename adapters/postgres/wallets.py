"""
Wallets and their ledgers in PostgreSQL.
"""

from typing import Final

import attrs

from outdial.adapters.postgres.call_rows import entry_columns, wallet_columns
from outdial.adapters.postgres.queries import load
from outdial.adapters.postgres.statements import Statements
from outdial.adapters.relational.values import read_entry, read_wallet
from outdial.domain.model.wallet import LedgerEntry, Wallet
from outdial.ports.errors import StorageConflictError

SQL: Final = load("wallets.sql")


@attrs.frozen
class PostgresWallets:
    """
    Money. A wallet that a transaction has read is its own until it ends.
    """

    _sql: Statements

    def wallet(self, account_id: int) -> Wallet | None:
        """
        Return an account's wallet.
        """
        statement = SQL["wallet_to_change" if self._sql.is_writing else "wallet"]
        row = self._sql.one(statement, account_id=account_id)
        return None if row is None else read_wallet(row)

    def entries(self, account_id: int) -> tuple[LedgerEntry, ...]:
        """
        Return an account's ledger, oldest first.
        """
        return tuple(read_entry(row) for row in self._sql.all(SQL["entries"], account_id=account_id))

    def has_hold(self, account_id: int, call_id: int) -> bool:
        """
        Tell whether the ledger has a call's hold, and nothing yet that resolves it.
        """
        row = self._sql.one(SQL["has_hold"], account_id=account_id, call_id=call_id)
        return row is not None and bool(row[0])

    def post(self, entry: LedgerEntry) -> Wallet:
        """
        Add an entry to a ledger and return the wallet after it.
        """
        before = self.wallet(entry.account_id)
        if before is None:
            raise StorageConflictError(f"Account {entry.account_id} has no wallet; nothing was written.")
        wallet = before.post(entry)
        if not self._sql.write(SQL["post"], {**entry_columns(entry), **wallet_columns(wallet)}):
            raise StorageConflictError(f"Call {entry.call_id} can't have this {entry.kind}; nothing was written.")
        return wallet
