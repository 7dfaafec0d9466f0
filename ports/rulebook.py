"""
What calls cost, in storage.
"""

from typing import Protocol

from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.rate import Rate


class RulebookReader(Protocol):
    """
    Prices.
    """

    def rates_for(self, currency: str, number: PhoneNumber) -> tuple[Rate, ...]:
        """
        Return the rates of a currency whose prefix begins a number, in any order.
        """


class Rulebook(RulebookReader, Protocol):
    """
    The same, with writes.
    """

    def set_rate(self, rate: Rate) -> None:
        """
        Store the rate of a currency and prefix, or replace it.
        """
