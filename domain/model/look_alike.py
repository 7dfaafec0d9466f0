"""
Numbers as they stand in other people's lists: digits of other scripts, odd spaces and dashes, extensions.
"""

import re
import unicodedata
from typing import Final

from outdial.domain.model.phone_number import PhoneNumber, parse_phone_number

LENGTH_MAX: Final = 200
"""Longer texts are no number, whatever is left out of them."""

_EXTENSION: Final = re.compile(r"\s*(?:;ext=|\bext(?:ension)?[.:]?|x)\s*[0-9]{1,7}\s*$", re.IGNORECASE)
_SCHEME: Final = re.compile(r"^\s*tel:", re.IGNORECASE)
_FOLDED: Final = {"Pd": "-", "Zs": " ", "Cf": "", "Cc": ""}
"""What stands for the characters of some Unicode categories: dashes, spaces, marks that nobody sees."""

_OTHERS: Final = {"\t": " ", "/": "-", "\u2212": "-"}


def read_look_alike(text: str, *, default_region: str | None = None) -> PhoneNumber | None:
    """
    Read what looks like a number to people; `None` when it looks like none that may ever be dialled.

    Of the forms of one number, each comes out as that number: it is read as `parse_phone_number` does after all digits
    were made ASCII, dashes and spaces of all kinds plain, and `tel:` and an extension left out.

    Args:
        text: Any text is safe.

        default_region: ISO 3166 code of the country that national numbers belong to.
    """
    if len(text) > LENGTH_MAX:
        return None
    plain = "".join(map(_folded, unicodedata.normalize("NFKC", text)))
    bare = _EXTENSION.sub("", _SCHEME.sub("", plain))
    return parse_phone_number(bare.strip(), default_region=default_region)


def _folded(character: str) -> str:
    if character.isdecimal():
        return str(unicodedata.decimal(character))
    return _OTHERS.get(character, _FOLDED.get(unicodedata.category(character), character))
