"""
What a destination costs: price per minute, billing increment, minimum; found by the longest prefix.
"""

import re
from collections.abc import Iterable
from typing import Final

import attrs

from outdial.domain.model.money import MICROS_MAX, check_currency
from outdial.domain.model.phone_number import PhoneNumber

INCREMENT_S_MAX: Final = 3600
_PREFIX: Final = re.compile(r"[0-9]{0,15}")
SECONDS_PER_MINUTE: Final = 60


def _check_prefix(_instance: object, _attribute: object, value: str) -> None:
    if _PREFIX.fullmatch(value) is None:
        raise ValueError(f"{value!r} is not a prefix of at most 15 digits, without +")


@attrs.frozen(kw_only=True)
class Rate:
    """
    The price of talking to numbers that begin with a prefix.

    Attributes:
        currency: ISO 4217 code; a rate serves the accounts of its currency.

        prefix: Leading digits of the number in E.164 without `+`; empty for the default rate.

        per_minute_micros: Price of 60 s; 0 for free.

        increment_s: Talk time is rounded up to a multiple of this; 1 to 3,600.

        minimum_s: An answered call is billed at least this long; 0 to 3,600.
    """

    currency: str = attrs.field(converter=check_currency)
    prefix: str = attrs.field(validator=_check_prefix)
    per_minute_micros: int = attrs.field(validator=[attrs.validators.ge(0), attrs.validators.le(MICROS_MAX)])
    increment_s: int = attrs.field(default=60, validator=[attrs.validators.ge(1), attrs.validators.le(INCREMENT_S_MAX)])
    minimum_s: int = attrs.field(default=0, validator=[attrs.validators.ge(0), attrs.validators.le(INCREMENT_S_MAX)])

    def price(self, talk_s: int) -> int:
        """
        Return the micros that an answered call of `talk_s` seconds costs, rounded up to a whole micro.

        An answered call is billed one increment at least.
        """
        billed_s = self._billed_s(talk_s)
        return -(-self.per_minute_micros * billed_s // SECONDS_PER_MINUTE)

    def affordable_s(self, micros: int, *, limit_s: int) -> int:
        """
        Return the longest talk time of at most `limit_s` seconds whose price `micros` covers; 0 for none.
        """
        if self.price(limit_s) <= micros:
            return limit_s
        increments = micros * SECONDS_PER_MINUTE // (self.per_minute_micros * self.increment_s)
        talk_s = increments * self.increment_s
        return talk_s if talk_s > 0 and self.price(talk_s) <= micros else 0

    def _billed_s(self, talk_s: int) -> int:
        wanted_s = max(talk_s, self.minimum_s, 1)
        return -(-wanted_s // self.increment_s) * self.increment_s


def rate_for(number: PhoneNumber, rates: Iterable[Rate], default: Rate) -> Rate:
    """
    Return the rate with the longest prefix of `number`, or `default` when none fits.
    """
    fitting = (rate for rate in rates if number.digits.startswith(rate.prefix))
    return max(fitting, key=lambda rate: len(rate.prefix), default=default)
