"""
Money, in storage.
"""

from typing import Protocol

from outdial.domain.model.wallet import LedgerEntry, Wallet


class WalletsReader(Protocol):
    """
    Money.
    """

    def wallet(self, account_id: int) -> Wallet | None:
        """
        Return an account's wallet.
        """

    def entries(self, account_id: int) -> tuple[LedgerEntry, ...]:
        """
        Return an account's ledger, oldest first.
        """


class Wallets(WalletsReader, Protocol):
    """
    The same, with writes.
    """

    def post(self, entry: LedgerEntry) -> Wallet:
        """
        Add an entry to a ledger and return the wallet after it.

        Raises:
            OverdrawnError: The wallet can't cover it.

            StorageConflictError: The call already has an entry of this kind, or there is no such wallet.
        """
