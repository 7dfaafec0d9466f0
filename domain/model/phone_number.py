"""
Telephone numbers as ITU-T E.164 writes them, and which texts are taken for one.
"""

import re
from enum import StrEnum
from functools import cache, cached_property
from typing import Final

import attrs
import phonenumbers
from phonenumbers import PhoneMetadata, PhoneNumberType, ValidationResult
from phonenumbers.shortnumberinfo import is_emergency_number, is_valid_short_number_for_region

TEXT_LENGTH_MAX: Final = 64
"""Longer texts are no number, however much punctuation they have."""

_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_WRITTEN: Final = re.compile(r"(?:(?P<plus>\+)[ .()-]*|\(?)[0-9](?:[ .()-]*[0-9])*\)?")
_PUNCTUATION: Final = str.maketrans("", "", " .()-")


class NumberCheck(StrEnum):
    """
    How closely a number is looked at before it is dialled.
    """

    POSSIBLE = "possible"
    """The length and country code exist (libphonenumber's IS_POSSIBLE, not IS_POSSIBLE_LOCAL_ONLY)."""

    VALID = "valid"
    """The number also lies in an assigned range; new ranges lag in libphonenumber's data."""


class NumberKind(StrEnum):
    """
    What a call to a number costs or reaches; all but `ORDINARY` need the account's consent.
    """

    ORDINARY = "ordinary"
    PREMIUM_RATE = "premium_rate"
    SHARED_COST = "shared_cost"
    PERSONAL_NUMBER = "personal_number"
    PAGER = "pager"
    VOICEMAIL = "voicemail"
    UAN = "uan"
    GLOBAL_NETWORK = "global_network"


_KINDS: Final = {
    PhoneNumberType.PREMIUM_RATE: NumberKind.PREMIUM_RATE,
    PhoneNumberType.SHARED_COST: NumberKind.SHARED_COST,
    PhoneNumberType.PERSONAL_NUMBER: NumberKind.PERSONAL_NUMBER,
    PhoneNumberType.PAGER: NumberKind.PAGER,
    PhoneNumberType.VOICEMAIL: NumberKind.VOICEMAIL,
    PhoneNumberType.UAN: NumberKind.UAN,
}

_GLOBAL_NETWORK_CODES: Final = frozenset({808, 870, 878, 881, 882, 883, 888, 979})
"""Shared-cost, satellite and other codes of no country, which libphonenumber types as MOBILE or VOIP."""


def _check_e164(_instance: object, _attribute: object, value: str) -> None:
    if _E164.fullmatch(value) is None:
        raise ValueError("A phone number is written as + and 7 to 15 digits, the first of them not 0.")


@attrs.frozen
class PhoneNumber:
    """
    A number as it is stored, answered and dialled.

    Attributes:
        e164: `+` and 7 to 15 ASCII digits (ITU-T E.164, 6.1).
    """

    e164: str = attrs.field(validator=_check_e164)

    @property
    def digits(self) -> str:
        """
        The number without its `+`.
        """
        return self.e164[1:]

    @cached_property
    def kind(self) -> NumberKind:
        """
        What kind of destination this is, by libphonenumber's data and the codes of no country.

        It is found once: that takes as long as all the rules together.
        """
        parsed = _parse(self.e164)
        if _country_code(parsed) in _GLOBAL_NETWORK_CODES:
            return NumberKind.GLOBAL_NETWORK
        return _KINDS.get(phonenumbers.number_type(parsed), NumberKind.ORDINARY)

    @property
    def region(self) -> str:
        """
        The ISO 3166 region it belongs to, as near as can be told; `001` for codes of no country, `ZZ` for none.
        """
        parsed = _parse(self.e164)
        main_region = phonenumbers.region_code_for_country_code(_country_code(parsed))
        return phonenumbers.region_code_for_number(parsed) or main_region

    def __str__(self) -> str:
        return self.e164


def parse_phone_number(
    text: str, *, default_region: str | None = None, check: NumberCheck = NumberCheck.POSSIBLE
) -> PhoneNumber | None:
    """
    Read a number as people write it; `None` when it is no number that may ever be dialled.

    A leading `+` and ASCII digits, with spaces, dashes, dots and parentheses between them. Without `+` only
    when there is a default region. Emergency and short numbers are never read.

    Args:
        text: What a client sent; any text is safe.

        default_region: ISO 3166 code of the country that national numbers belong to.

        check: How closely to look.
    """
    if len(text) > TEXT_LENGTH_MAX:
        return None
    written = _WRITTEN.fullmatch(text)
    if written is None or not (written["plus"] or default_region):
        return None
    digits = text.translate(_PUNCTUATION)
    parsed = _parse(digits, default_region)
    if not _is_proper(parsed, check) or _is_short(parsed):
        return None
    e164 = _format(parsed)
    # +49 00 30 123456 loses one 0 at each reading; were it let through, it would pass a DNC entry for +49 30 123456.
    is_settled = e164 == digits or e164 == _format(_parse(e164))
    return PhoneNumber(e164) if is_settled and _E164.fullmatch(e164) else None


def is_region(code: str) -> bool:
    """
    Tell whether numbers of this ISO 3166 region can be read.
    """
    return code in phonenumbers.SUPPORTED_REGIONS


def _parse(text: str, default_region: str | None = None) -> phonenumbers.PhoneNumber:
    """
    Return what libphonenumber makes of a text; country code 0 when it makes nothing of it.
    """
    try:
        return phonenumbers.parse(text, default_region)
    except phonenumbers.NumberParseException:
        return phonenumbers.PhoneNumber(country_code=0, national_number=0)


def _format(parsed: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _country_code(parsed: phonenumbers.PhoneNumber) -> int:
    return parsed.country_code or 0


def _is_proper(parsed: phonenumbers.PhoneNumber, check: NumberCheck) -> bool:
    is_possible = phonenumbers.is_possible_number_with_reason(parsed) == ValidationResult.IS_POSSIBLE
    return is_possible and (check is NumberCheck.POSSIBLE or phonenumbers.is_valid_number(parsed))


def _is_short(parsed: phonenumbers.PhoneNumber) -> bool:
    """
    Tell whether the national form is an emergency or short number of any region of its country code.

    Zeros before it don't make it another number: a switch that drops them would ring the emergency service.
    """
    country_code = _country_code(parsed)
    bare = phonenumbers.PhoneNumber(country_code=country_code, national_number=parsed.national_number)
    length = len(phonenumbers.national_significant_number(bare))
    if length > _short_length_max(country_code) or phonenumbers.is_valid_number(parsed):
        return False
    regions = phonenumbers.region_codes_for_country_code(country_code)
    return any(_is_short_in(region, form) for region in regions for form in (parsed, bare))


def _is_short_in(region: str, parsed: phonenumbers.PhoneNumber) -> bool:
    national = phonenumbers.national_significant_number(parsed)
    return is_emergency_number(national, region) or is_valid_short_number_for_region(parsed, region)


@cache
def _short_length_max(country_code: int) -> int:
    """
    Return how many digits the longest short number of a country code has; most numbers are longer and done with.
    """
    regions = phonenumbers.region_codes_for_country_code(country_code)
    known = [PhoneMetadata.short_metadata_for_region(region) for region in regions]
    described = [metadata.general_desc for metadata in known if metadata is not None]
    return max((length for short in described if short is not None for length in short.possible_length), default=0)
