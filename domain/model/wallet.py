"""
A prepaid wallet: money is held before a call and settled after it, in whole micros.
"""

import hashlib
from collections.abc import Iterable, Mapping
from datetime import datetime
from enum import StrEnum
from typing import Final, assert_never

import attrs

from outdial.domain.model.money import MICROS_MAX

UNSEALED: Final = bytes(32)
"""The seal of a ledger without entries."""


class EntryKind(StrEnum):
    """
    What a ledger row did to a wallet.
    """

    DEPOSIT = "deposit"
    HOLD = "hold"
    CAPTURE = "capture"
    RELEASE = "release"

    HOUSE_LOSS = "house_loss"
    """What a call would have cost whose outcome came too late: the operator's loss, which moves no account's money."""


@attrs.frozen(kw_only=True)
class LedgerEntry:
    """
    One immutable row of an account's ledger.

    Attributes:
        micros: The amount moved; at least 0 (a release of nothing closes a hold that was captured whole).

        call_id: The call the money belongs to; `None` for deposits. At most one entry of a kind a call.

        at: When, in UTC.
    """

    account_id: int
    kind: EntryKind
    micros: int = attrs.field(validator=[attrs.validators.ge(0), attrs.validators.le(MICROS_MAX)])
    call_id: int | None
    at: datetime


class OverdrawnError(ValueError):
    """
    The wallet can't cover the entry; nothing was changed.
    """


@attrs.frozen(kw_only=True)
class Wallet:
    """
    What an account owns and what of it is promised to open calls.

    Attributes:
        balance_micros: Money owned, holds included.

        held_micros: Sum of the open holds; at most the balance.

        entries: How many rows its ledger has; the number of the last one.

        seal: SHA-256 over that row and the seal before it, 32 bytes: no row changes unnoticed.

    Wallets of the same money are equal, however they came to it.
    """

    account_id: int
    currency: str
    balance_micros: int = attrs.field(validator=attrs.validators.ge(0))
    held_micros: int = attrs.field(validator=attrs.validators.ge(0))
    entries: int = attrs.field(default=0, validator=attrs.validators.ge(0), eq=False)
    seal: bytes = attrs.field(default=UNSEALED, repr=False, eq=False)

    def __attrs_post_init__(self) -> None:
        if self.held_micros > self.balance_micros:
            raise OverdrawnError("More is held than the wallet owns.")
        if self.balance_micros > MICROS_MAX:
            raise OverdrawnError(f"A wallet holds at most {MICROS_MAX} micros.")

    @property
    def available_micros(self) -> int:
        """
        Money that a new hold may take.
        """
        return self.balance_micros - self.held_micros

    def post(self, entry: LedgerEntry) -> "Wallet":
        """
        Return the wallet after one ledger entry.

        Raises:
            OverdrawnError: The entry takes more than there is.
        """
        if entry.micros > self._limit(entry.kind):
            raise OverdrawnError(f"A {entry.kind} of {entry.micros} micros is more than the wallet can cover.")
        number = self.entries + 1
        return attrs.evolve(self._after(entry), entries=number, seal=_seal(self.seal, number, entry))

    def _after(self, entry: LedgerEntry) -> "Wallet":
        match entry.kind:
            case EntryKind.DEPOSIT:
                return attrs.evolve(self, balance_micros=self.balance_micros + entry.micros)
            case EntryKind.HOLD:
                return attrs.evolve(self, held_micros=self.held_micros + entry.micros)
            case EntryKind.CAPTURE:
                return attrs.evolve(
                    self,
                    balance_micros=self.balance_micros - entry.micros,
                    held_micros=self.held_micros - entry.micros,
                )
            case EntryKind.RELEASE:
                return attrs.evolve(self, held_micros=self.held_micros - entry.micros)
            case EntryKind.HOUSE_LOSS:
                return self
            case unknown:
                assert_never(unknown)

    def _limit(self, kind: EntryKind) -> int:
        match kind:
            case EntryKind.DEPOSIT:
                return MICROS_MAX - self.balance_micros
            case EntryKind.HOLD:
                return self.available_micros
            case EntryKind.CAPTURE | EntryKind.RELEASE:
                return self.held_micros
            case EntryKind.HOUSE_LOSS:
                return MICROS_MAX
            case unknown:
                assert_never(unknown)


def wallets_after(entries: Iterable[LedgerEntry], wallets: Mapping[int, Wallet]) -> list[Wallet]:
    """
    Post entries one after the other, and return for each its account's wallet after it.

    Args:
        wallets: Those of all accounts before, by account.

    Raises:
        OverdrawnError: One takes more than there is.
    """
    last = dict(wallets)
    after: list[Wallet] = []
    for entry in entries:
        last[entry.account_id] = last[entry.account_id].post(entry)
        after.append(last[entry.account_id])
    return after


def _seal(before: bytes, number: int, entry: LedgerEntry) -> bytes:
    """
    Return what ties a ledger's row to all rows before it.
    """
    row = (entry.account_id, number, entry.kind.value, entry.micros, entry.call_id, entry.at.isoformat())
    return hashlib.sha256(before + repr(row).encode()).digest()
