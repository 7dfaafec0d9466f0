"""
Lists that rules read, in storage.
"""

from typing import Protocol

from outdial.domain.model.do_not_call import DncEntry
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.rate import Rate


class RulebookReader(Protocol):
    """
    Lists that rules read: Do-Not-Call and prices.
    """

    def dnc_entry(self, account_id: int, number: PhoneNumber) -> DncEntry | None:
        """
        Return a number's entry on an account's Do-Not-Call list.
        """

    def rates_for(self, currency: str, number: PhoneNumber) -> tuple[Rate, ...]:
        """
        Return the rates of a currency whose prefix begins a number, in any order.
        """


class Rulebook(RulebookReader, Protocol):
    """
    The same, with writes.
    """

    def list_number(self, entry: DncEntry) -> None:
        """
        Put a number on an account's Do-Not-Call list, or replace its entry.
        """

    def delist_number(self, account_id: int, number: PhoneNumber) -> bool:
        """
        Take a number off an account's list; `False` when it was not on it.
        """

    def set_rate(self, rate: Rate) -> None:
        """
        Store the rate of a currency and prefix, or replace it.
        """
