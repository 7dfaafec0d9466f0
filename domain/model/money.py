"""
Money as whole micro-units of a currency: 1.00 is 1,000,000 micros; floats never take part.
"""

import re
from decimal import Decimal
from typing import Final

MICROS_PER_UNIT: Final = 1_000_000
MICROS_MAX: Final = 10**18
"""A trillion units: far above any wallet, and sums of it still fit a signed 64-bit column."""

NO_CURRENCY: Final = "XXX"
"""What ISO 4217 writes where no currency is involved: the currency of an account that is not there."""

_CURRENCY: Final = re.compile(r"[A-Z]{3}")
_AMOUNT: Final = re.compile(r"[0-9]{1,12}(?:\.[0-9]{1,6})?")


def parse_amount(text: str) -> int:
    """
    Read an amount such as `25`, `25.00` or `0.005` as micros, exactly.

    Raises:
        ValueError: Not a plain decimal number of at most 12 digits before and 6 after the point.
    """
    if _AMOUNT.fullmatch(text) is None:
        raise ValueError(f"{text!r} is not an amount such as 25.00 (at most 6 decimals, not negative)")
    return int(Decimal(text) * MICROS_PER_UNIT)


def as_number(micros: int) -> float:
    """
    Show micros as a JSON number of currency units; for answers only, never for reckoning.
    """
    return micros / MICROS_PER_UNIT


def as_text(micros: int) -> str:
    """
    Show micros with two decimals, or as many more as the amount has.
    """
    units = Decimal(micros) / MICROS_PER_UNIT
    digits = f"{units:f}"
    whole, _, fraction = digits.partition(".")
    return f"{whole}.{fraction.ljust(2, '0')}"


def check_currency(code: str) -> str:
    """
    Return an ISO 4217 style code unchanged.

    Raises:
        ValueError: Not three capital letters A-Z.
    """
    if _CURRENCY.fullmatch(code) is None:
        raise ValueError(f"{code!r} is not a currency code of three capital letters such as USD")
    return code
