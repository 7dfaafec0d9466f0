"""
Telling at once that a text is a number as it is stored, for lists of millions.

Reading any text as a number takes libphonenumber some 20 us. Nearly all of a list's are stored as they are written, and
a pattern for each country code tells which: those from whose digits no national prefix can be taken away.
"""

import re
from functools import lru_cache
from typing import Final

import phonenumbers
from phonenumbers import PhoneMetadata
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

_HEAD_LENGTH: Final = 4
"""`+` and the longest country code; a shorter one is known by as many digits."""

_DIGITS_MIN: Final = 7
_DIGITS_MAX: Final = 15
_NOTHING: Final = re.compile(r"(?!)")


def is_canonical(text: str) -> bool:
    """
    Tell whether `parse_phone_number` makes of a text the same text or nothing, whatever the default region.

    `False` means that it must be asked. What passes is `+` and 7 to 15 digits with an existing country code; it may be
    a number that nobody has.
    """
    return _pattern_of(text[:_HEAD_LENGTH]).fullmatch(text) is not None


@lru_cache(maxsize=1024)
def _pattern_of(head: str) -> re.Pattern[str]:
    """
    Return what matches all canonical numbers that begin so.
    """
    lengths = range(2, len(head) + 1) if re.fullmatch(r"\+[1-9][0-9]*", head) else ()
    codes = (int(head[1:length]) for length in lengths)
    known = next((code for code in codes if code in COUNTRY_CODE_TO_REGION_CODE), None)
    return _NOTHING if known is None else re.compile(_pattern_text(known))


def _pattern_text(country_code: int) -> str:
    """
    Write the pattern: what `phonenumbers.parse` would take for a national prefix either is not there, or has to stay.

    It stays when the digits are one of the country's numbers with it and none without; where the prefix may be replaced
    by something else, too, that is not looked into.
    """
    code = str(country_code)
    digits = f"[0-9]{{{_DIGITS_MIN - len(code)},{_DIGITS_MAX - len(code)}}}"
    region = phonenumbers.region_code_for_country_code(country_code)
    metadata = PhoneMetadata.metadata_for_region_or_calling_code(country_code, region)
    prefix = metadata.national_prefix_for_parsing if metadata is not None else None
    if metadata is None or not prefix:
        return rf"\+{code}{digits}"
    without = rf"(?!(?:{prefix})(?<!\+{code}))"  # a prefix of no digits, as Argentina's may be, takes nothing away
    number = metadata.general_desc.national_number_pattern if metadata.general_desc is not None else None
    if metadata.national_prefix_transform_rule or not number:
        return rf"\+{code}{without}{digits}"
    stays = rf"(?=(?:{number})$)(?!(?:{prefix})(?:{number})$)"
    return rf"\+{code}(?:{without}|{stays}){digits}"
