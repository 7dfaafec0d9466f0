"""
A wallet's life under any order of deposits, holds, captures and releases.
"""

import pytest
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, consumes, invariant, rule

from outdial.domain.model.money import MICROS_MAX
from outdial.domain.model.wallet import EntryKind, OverdrawnError
from tests import builders

amounts = st.one_of(st.integers(0, 100), st.integers(0, 10_000))


class WalletLife(RuleBasedStateMachine):
    """
    Keeps its own books beside the wallet and compares after each step.
    """

    holds: Bundle[tuple[int, int]] = Bundle("holds")

    def __init__(self) -> None:
        """
        Begin with an empty wallet and empty books.
        """
        super().__init__()
        self.wallet = builders.wallet(balance_micros=0, held_micros=0)
        self.deposited = 0
        self.captured = 0
        self.open_holds: dict[int, int] = {}
        self.calls = 0

    @rule(micros=amounts)
    def deposit(self, micros: int) -> None:
        """
        Pay in.
        """
        self.wallet = self.wallet.post(builders.entry(EntryKind.DEPOSIT, micros))
        self.deposited += micros

    @rule(target=holds, share=st.integers(0, 100))
    def hold(self, share: int) -> tuple[int, int]:
        """
        Set a share of what is available aside for a new call.
        """
        self.calls += 1
        micros = self.wallet.available_micros * share // 100
        self.wallet = self.wallet.post(builders.entry(EntryKind.HOLD, micros, call_id=self.calls))
        self.open_holds[self.calls] = micros
        return self.calls, micros

    @rule(hold=consumes(holds), share=st.integers(0, 100))
    def settle(self, hold: tuple[int, int], share: int) -> None:
        """
        Capture a share of a hold and release the rest: together they are the hold.
        """
        call_id, micros = hold
        charge = micros * share // 100
        before = self.wallet

        after_capture = before.post(builders.entry(EntryKind.CAPTURE, charge, call_id=call_id))
        self.wallet = after_capture.post(builders.entry(EntryKind.RELEASE, micros - charge, call_id=call_id))

        assert before.held_micros - micros == self.wallet.held_micros
        assert before.available_micros + micros - charge == self.wallet.available_micros
        self.captured += charge
        del self.open_holds[call_id]

    @rule(hold=consumes(holds))
    def release(self, hold: tuple[int, int]) -> None:
        """
        Give a whole hold back, as for a call that nobody answered.
        """
        call_id, micros = hold
        self.wallet = self.wallet.post(builders.entry(EntryKind.RELEASE, micros, call_id=call_id))
        del self.open_holds[call_id]

    @rule(kind=st.sampled_from((EntryKind.HOLD, EntryKind.CAPTURE, EntryKind.RELEASE)), excess=st.integers(1, 1000))
    def overdraw(self, kind: EntryKind, excess: int) -> None:
        """
        Try to take more than there is; the wallet stays as it was.
        """
        limit = self.wallet.available_micros if kind is EntryKind.HOLD else self.wallet.held_micros

        with pytest.raises(OverdrawnError):
            self.wallet.post(builders.entry(kind, limit + excess))

    @invariant()
    def never_negative(self) -> None:
        """
        No part of the wallet is ever below zero or beyond its column.
        """
        assert 0 <= self.wallet.held_micros <= self.wallet.balance_micros <= MICROS_MAX
        assert self.wallet.available_micros >= 0

    @invariant()
    def held_is_the_sum_of_open_holds(self) -> None:
        """
        What is promised is what open calls were promised.
        """
        assert sum(self.open_holds.values()) == self.wallet.held_micros

    @invariant()
    def money_is_conserved(self) -> None:
        """
        All that was paid in is available, held or captured.
        """
        assert self.deposited == self.wallet.available_micros + self.wallet.held_micros + self.captured


TestWalletLife = WalletLife.TestCase
