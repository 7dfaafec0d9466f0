"""
Moving everything into another database: what both sides must agree on.
"""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final

import attrs

from outdial.domain.model.lifecycle import TERMINAL
from outdial.domain.model.wallet import EntryKind
from outdial.ports.archive import TABLES, ArchiveReader, Row, Table


@attrs.define(kw_only=True)
class Money:
    """
    What is written of one account's money.

    Attributes:
        entries: The sum of its ledger by kind.

        open_calls: Its calls that are not over.

        open_micros: What they hold, by their own word.
    """

    currency: str = ""
    balance_micros: int = 0
    held_micros: int = 0
    entries: Counter[str] = attrs.field(factory=Counter)
    open_calls: int = 0
    open_micros: int = 0


@attrs.define
class Books:
    """
    What two databases of the same content have in common: taken down from their rows in order, in little memory.

    Attributes:
        rows: How many rows each table has.

        money: By account.
    """

    rows: Counter[str] = attrs.field(init=False, factory=Counter)
    money: dict[int, Money] = attrs.field(init=False, factory=dict)
    _digests: dict[str, Any] = attrs.field(init=False, factory=dict)

    def take_down(self, table: Table, rows: Sequence[Row]) -> None:
        """
        Take down further rows of a table.
        """
        self.rows[table.name] += len(rows)
        digest = self._digests.setdefault(table.name, hashlib.blake2b(digest_size=16))
        for row in rows:
            digest.update(repr(row).encode())
            self._reckon(table, row)

    @property
    def open_calls(self) -> int:
        """
        How many calls are not over.
        """
        return sum(money.open_calls for money in self.money.values())

    @property
    def balances_micros(self) -> Mapping[str, int]:
        """
        What all accounts own, by currency.
        """
        balances: Counter[str] = Counter()
        for money in self.money.values():
            balances[money.currency] += money.balance_micros
        return balances

    def difference(self, other: "Books") -> str | None:
        """
        Return the first difference from another database in a few words; `None` when every row is equal.
        """
        for table in TABLES:
            if self.rows[table.name] != other.rows[table.name]:
                return f"{table.name} has {other.rows[table.name]} rows instead of {self.rows[table.name]}"
        for account_id, money in self.money.items():
            if (found := other.money.get(account_id)) != money:
                return f"the money of account {account_id} is {_words(found)} instead of {_words(money)}"
        for table in TABLES:
            if self.rows[table.name] and self.digest(table) != other.digest(table):
                return f"a row of {table.name} has another content"
        return None

    def digest(self, table: Table) -> bytes:
        """
        Return what tells a table's rows from all others; the table has some.
        """
        digest: bytes = self._digests[table.name].digest()
        return digest

    def _reckon(self, table: Table, row: Row) -> None:
        """
        Reckon with what a row says of money.
        """
        if table.name not in _OWNER:
            return
        fields: dict[str, Any] = dict(zip(table.columns, row, strict=True))
        money = self.money.setdefault(fields[_OWNER[table.name]], Money())
        match table.name:
            case "accounts":
                money.currency = fields["currency"]
            case "wallets":
                money.balance_micros, money.held_micros = fields["balance_micros"], fields["held_micros"]
            case "ledger":
                money.entries[fields["kind"]] += fields["micros"]
            case "calls" if fields["state"] not in TERMINAL:
                money.open_calls += 1
                money.open_micros += fields["hold_micros"]


_OWNER: Final = {"accounts": "id", "wallets": "account_id", "ledger": "account_id", "calls": "account_id"}


def is_empty(reader: ArchiveReader) -> bool:
    """
    Tell whether nobody has an account in a database; all other rows follow from accounts, but for rates.
    """
    return not any(reader.count(table) for table in TABLES if table.name in {"accounts", "rates"})


def _words(money: Money | None) -> str:
    if money is None:
        return "missing"
    sums = {"balance": money.balance_micros, "held": money.held_micros}
    sums |= {kind.value: money.entries[kind] for kind in EntryKind}
    sums |= {"open calls": money.open_calls, "of open calls": money.open_micros}
    return ", ".join(f"{name} {micros}" for name, micros in sums.items())
