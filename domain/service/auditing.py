"""
Reckoning again everything that was written of money and calls, from the rows alone, to name the first that is wrong.

Rows come table by table in the order of `AUDITED`. Some forty bytes are kept of each call, however much it holds.
"""

from array import array
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import attrs

from outdial.domain.model.lifecycle import TERMINAL, TRANSITIONS, State
from outdial.domain.model.wallet import EntryKind, LedgerEntry, OverdrawnError, Wallet
from outdial.ports.archive import TABLES, Row, Table

AUDITED: Final = tuple(
    table for table in TABLES if table.name in {"accounts", "wallets", "calls", "call_records", "ledger"}
)
"""What is looked at; each table rests on those before it."""

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
STATES: Final = tuple(State)
NO_STATE: Final = len(STATES)
NEVER_HELD: Final = -1


@attrs.frozen(kw_only=True)
class Finding:
    """
    A row that is wrong.

    Attributes:
        key: What names it in its table, in words.

        problem: What is wrong with it, a sentence.
    """

    table: str
    key: str
    problem: str


@attrs.define
class _Calls:
    """
    What is known of each call, by its row number; nothing for rows that don't exist.

    Attributes:
        open_micros: What is left of its hold; -1 before there is one.

        owed_micros: What is to be captured of it.

        recorded: The last state that its records tell of.
    """

    account_id: "array[int]" = attrs.field(factory=lambda: array("q"))
    hold_micros: "array[int]" = attrs.field(factory=lambda: array("q"))
    open_micros: "array[int]" = attrs.field(factory=lambda: array("q"))
    owed_micros: "array[int]" = attrs.field(factory=lambda: array("q"))
    state: "array[int]" = attrs.field(factory=lambda: array("B"))
    recorded: "array[int]" = attrs.field(factory=lambda: array("B"))

    def add(self, number: int, fields: Mapping[str, Any]) -> None:
        """
        Note a call, whose number is the highest so far.
        """
        missing = [0] * (number + 1 - len(self.state))
        for numbers in (self.account_id, self.hold_micros, self.open_micros, self.owed_micros):
            numbers.extend(missing)
        for states in (self.state, self.recorded):
            states.extend(NO_STATE for _ in missing)
        self.account_id[number] = fields["account_id"]
        self.hold_micros[number], self.open_micros[number] = fields["hold_micros"], NEVER_HELD
        self.owed_micros[number] = fields["charge_micros"]
        self.state[number] = STATES.index(State(fields["state"]))

    def has(self, number: int, account_id: int) -> bool:
        """
        Tell whether an account has such a call.
        """
        return number < len(self.state) and self.state[number] != NO_STATE and self.account_id[number] == account_id


class Audit:
    """
    Takes rows and says what is wrong with them.
    """

    def __init__(self) -> None:
        self._calls = _Calls()
        self._reckoned: dict[int, Wallet] = {}
        self._stored: dict[int, Mapping[str, Any]] = {}
        self._judges = {
            "accounts": self._judge_account,
            "wallets": self._judge_wallet,
            "calls": self._judge_call,
            "call_records": self._judge_record,
            "ledger": self._judge_entry,
        }

    def take(self, table: Table, rows: Sequence[Row]) -> Finding | None:
        """
        Take further rows of a table, in the order of their keys; return the first that is wrong.
        """
        for row in rows:
            fields = dict(zip(table.columns, row, strict=True))
            try:
                problem = self._judges[table.name](fields)
            except (ValueError, TypeError, OverflowError):
                problem = "It holds a value that there can't be."
            if problem is not None:
                return Finding(table=table.name, key=_key(table, fields), problem=problem)
        return None

    def finish(self) -> Finding | None:
        """
        Hold the sums against what is stored, once all rows were taken.
        """
        for account_id, wallet in self._reckoned.items():
            problem = self._compare(wallet, self._stored.get(account_id))
            if problem is not None:
                return Finding(table="wallets", key=f"account_id {account_id}", problem=problem)
        for number, state in enumerate(self._calls.state):
            problem = self._settled(number, STATES[state]) if state != NO_STATE else None
            if problem is not None:
                return Finding(table="calls", key=f"id {number}", problem=problem)
        return None

    def _judge_account(self, fields: Mapping[str, Any]) -> str | None:
        self._reckoned[fields["id"]] = Wallet(
            account_id=fields["id"], currency=fields["currency"], balance_micros=0, held_micros=0
        )
        return None

    def _judge_wallet(self, fields: Mapping[str, Any]) -> str | None:
        self._stored[fields["account_id"]] = fields
        return None if fields["account_id"] in self._reckoned else "There is no such account."

    def _judge_call(self, fields: Mapping[str, Any]) -> str | None:
        self._calls.add(fields["id"], fields)
        charge_micros, is_over = fields["charge_micros"], State(fields["state"]) in TERMINAL
        if not 0 <= charge_micros <= fields["hold_micros"]:
            return f"Its charge of {charge_micros} micros is not within its hold of {fields['hold_micros']}."
        return None if is_over or charge_micros == 0 else "It has a charge, and is not over."

    def _judge_record(self, fields: Mapping[str, Any]) -> str | None:
        number, reached = fields["call_id"], State(fields["state"])
        if not self._calls.has(number, fields["account_id"]):
            return f"The account has no call {number}."
        before = self._calls.recorded[number]
        possible = {State.QUEUED} if before == NO_STATE else set(TRANSITIONS[STATES[before]].values())
        self._calls.recorded[number] = STATES.index(reached)
        if reached in possible:
            return None
        last = "nothing" if before == NO_STATE else STATES[before].value
        return f"Call {number} can't reach {reached.value} after {last}."

    def _judge_entry(self, fields: Mapping[str, Any]) -> str | None:
        wallet = self._reckoned.get(fields["account_id"])
        if wallet is None:
            return "There is no such account."
        if fields["number"] != wallet.entries + 1:
            return f"Row {wallet.entries + 1} of the ledger is missing."
        entry = LedgerEntry(
            account_id=fields["account_id"],
            kind=EntryKind(fields["kind"]),
            micros=fields["micros"],
            call_id=fields["call_id"],
            at=EPOCH + timedelta(microseconds=fields["at"]),
        )
        try:
            after = self._reckoned[entry.account_id] = wallet.post(entry)
        except OverdrawnError as error:
            return str(error)
        if after.seal != bytes(fields["seal"]):
            return "Its seal does not fit it and the rows before it: one was changed."
        return self._judge_movement(entry) if entry.call_id is not None else None

    def _judge_movement(self, entry: LedgerEntry) -> str | None:
        """
        Follow one call's money.
        """
        calls, number, micros = self._calls, entry.call_id or 0, entry.micros
        if not calls.has(number, entry.account_id):
            return f"The account has no call {number}."
        if entry.kind is EntryKind.HOLD:
            is_first = calls.open_micros[number] == NEVER_HELD
            calls.open_micros[number] = micros
            return None if is_first and micros == calls.hold_micros[number] else f"Call {number} has another hold."
        if entry.kind is EntryKind.HOUSE_LOSS:
            is_revealed = calls.state[number] == STATES.index(State.REVEALED)
            is_right = is_revealed and micros <= calls.hold_micros[number]
            return None if is_right else f"Call {number} is no loss of {micros} micros."
        if entry.kind is EntryKind.CAPTURE:
            calls.owed_micros[number] -= micros
        if micros > calls.open_micros[number]:
            return f"Call {number} has less than {micros} micros left of its hold."
        calls.open_micros[number] -= micros
        return None

    def _settled(self, number: int, state: State) -> str | None:
        calls = self._calls
        if calls.recorded[number] != STATES.index(state):
            return f"It is {state.value}, which its last record does not say."
        if calls.owed_micros[number] != 0:
            return "The ledger has another charge for it."
        expected = 0 if state in TERMINAL else calls.hold_micros[number]
        if calls.open_micros[number] != expected:
            return f"It is {state.value}, and the ledger has {calls.open_micros[number]} micros of its hold open."
        return None

    @staticmethod
    def _compare(wallet: Wallet, stored: Mapping[str, Any] | None) -> str | None:
        if stored is None:
            return "It is missing."
        for name in ("balance_micros", "held_micros", "entries"):
            if stored[name] != getattr(wallet, name):
                return f"Its {name} is {stored[name]}, and its ledger comes to {getattr(wallet, name)}."
        return None if bytes(stored["seal"]) == wallet.seal else "Its seal is not that of its ledger's last row."


def _key(table: Table, fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {fields[name]}" for name in table.columns[: table.key])
