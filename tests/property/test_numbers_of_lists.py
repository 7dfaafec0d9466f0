"""
Numbers of long lists are folded to what would be dialled, whichever way they are read.
"""

import phonenumbers
from hypothesis import event, given
from hypothesis import strategies as st
from phonenumbers import PhoneNumberFormat, PhoneNumberType
from phonenumbers.phonenumberutil import COUNTRY_CODE_TO_REGION_CODE

from outdial.domain.model.canonical_number import is_canonical
from outdial.domain.model.look_alike import LENGTH_MAX, read_look_alike
from outdial.domain.model.phone_number import PhoneNumber, parse_phone_number

PREFIXES = ("", "0", "00", "1", "8", "9", "15", "01", "0115", "1115", "90", "06", "044", "17", "010", "221", "220215")
"""What is, or looks like, a national prefix somewhere, or a code before one."""

REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
EXAMPLES = [
    PhoneNumber(phonenumbers.format_number(example, PhoneNumberFormat.E164))
    for region in REGIONS
    for kind in (PhoneNumberType.FIXED_LINE, PhoneNumberType.MOBILE)
    if (example := phonenumbers.example_number_for_type(region, kind)) is not None
]
"""Two numbers of each region, as libphonenumber knows them."""

codes = st.sampled_from(sorted(COUNTRY_CODE_TO_REGION_CODE))
digits = st.text("0123456789", min_size=1, max_size=14)
written = st.builds("+{}{}{}".format, codes, st.sampled_from(PREFIXES), digits) | st.builds(
    lambda number, prefix: number.e164[:3] + prefix + number.e164[3:],
    st.sampled_from(EXAMPLES),
    st.sampled_from(PREFIXES),
)
regions = st.none() | st.sampled_from(REGIONS)
numbers = st.sampled_from(EXAMPLES)


@given(text=written, region=regions)
def test_what_is_canonical_is_read_as_itself_or_not_at_all(text: str, region: str | None) -> None:
    """
    No number of any country passes unread that would be dialled as another.
    """
    passes = is_canonical(text)
    read = parse_phone_number(text, default_region=region)

    event(f"canonical: {passes}, a number: {read is not None}")
    assert not passes or read is None or text == read.e164


def test_numbers_as_they_are_dialled_are_canonical() -> None:
    """
    Of every region's numbers nearly all pass at once, so that lists of millions are read fast.
    """
    passed = [number for number in EXAMPLES if is_canonical(number.e164)]

    assert len(EXAMPLES) > 450
    assert len(passed) >= 0.99 * len(EXAMPLES)


@given(text=st.text(max_size=20) | st.text("+0123456789 -()", max_size=20))
def test_only_plus_and_digits_are_canonical(text: str) -> None:
    """
    Everything else has to be read.
    """
    passes = is_canonical(text)

    assert not passes or PhoneNumber(text).e164 == text


@given(text=written | st.text("+0123456789 .-()", max_size=24), region=regions)
def test_reading_look_alikes_agrees_with_reading_numbers(text: str, region: str | None) -> None:
    """
    Whatever can be asked for as a callee is listed as the same number.
    """
    read = parse_phone_number(text, default_region=region)

    assert read is None or read == read_look_alike(text, default_region=region)


FORMS = (
    lambda text: text,
    lambda text: f"tel:{text}",
    lambda text: f" {text}\u202c",
    lambda text: f"\u202a{text}\u200e",
    lambda text: text.replace(" ", "\u00a0").replace("-", "\u2011"),
    lambda text: text.replace(" ", "/").replace("-", "\u2013"),
    lambda text: text.replace("-", "."),
    lambda text: text.translate({ord("0") + digit: 0xFF10 + digit for digit in range(10)}).replace("+", "\uff0b"),
    lambda text: text.translate({ord("0") + digit: 0x0660 + digit for digit in range(10)}),
    lambda text: f"{text} ext. 12",
    lambda text: f"{text};ext=3",
    lambda text: f"{text}x4567",
)


@given(number=numbers, form=st.sampled_from(FORMS))
def test_every_form_of_a_number_is_that_number(number: PhoneNumber, form: object) -> None:
    """
    As written abroad: any dashes, spaces, digits, marks, `tel:` and extensions.
    """
    parsed = phonenumbers.parse(number.e164)
    international = phonenumbers.format_number(parsed, PhoneNumberFormat.INTERNATIONAL)

    read = read_look_alike(form(international))  # type: ignore[operator]

    assert number == read


@given(number=numbers)
def test_the_national_form_is_read_with_its_region(number: PhoneNumber) -> None:
    """
    As written at home, when the region is known.
    """
    parsed = phonenumbers.parse(number.e164)
    national = phonenumbers.format_number(parsed, PhoneNumberFormat.NATIONAL)

    read = read_look_alike(national, default_region=number.region)

    assert read in {number, None} or phonenumbers.is_number_match(number.e164, str(read)) > 1


@given(text=st.text(min_size=LENGTH_MAX + 1, max_size=LENGTH_MAX + 20))
def test_texts_that_are_too_long_are_no_numbers(text: str) -> None:
    """
    Nothing is looked for in them.
    """
    assert read_look_alike(text, default_region="US") is None
