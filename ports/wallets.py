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

    def has_hold(self, account_id: int, call_id: int) -> bool:
        """
        Tell whether the ledger has a call's hold, and nothing yet that resolves it.
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
