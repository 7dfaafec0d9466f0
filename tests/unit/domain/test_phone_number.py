"""
Which texts are taken for a number that may be dialled.
"""

from collections.abc import Iterator

import phonenumbers
import pytest
from phonenumbers import PhoneMetadata, PhoneNumberFormat, PhoneNumberType

from outdial.domain.model.phone_number import (
    NumberCheck,
    NumberKind,
    PhoneNumber,
    is_region,
    parse_phone_number,
)

NUMBER = PhoneNumber("+15551234567")
REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)


def examples(region: str) -> Iterator[tuple[str, phonenumbers.PhoneNumber]]:
    """
    Yield libphonenumber's example of each type of number of a region that E.164 and IS_POSSIBLE allow.
    """
    for number_type in PhoneNumberType.values():
        example = phonenumbers.example_number_for_type(region, number_type)
        if example is None:
            continue
        e164 = phonenumbers.format_number(example, PhoneNumberFormat.E164)
        if len(e164) > 7 and e164 != "+13101234":
            yield e164, example


def short_examples(name: str) -> list[tuple[str, str]]:
    """
    Return each region with libphonenumber's example of an `emergency` or any other `short_code` number.
    """
    described = {region: getattr(PhoneMetadata.short_metadata_for_region(region), name, None) for region in REGIONS}
    return [(region, short.example_number) for region, short in described.items() if short and short.example_number]


@pytest.mark.parametrize("check", NumberCheck)
@pytest.mark.parametrize("region", REGIONS)
def test_example_numbers_of_each_region_keep_their_e164_form(region: str, check: NumberCheck) -> None:
    """
    An example of each type is read from its international and its national form.
    """
    for e164, example in examples(region):
        national = phonenumbers.format_number(example, PhoneNumberFormat.NATIONAL)

        assert PhoneNumber(e164) == parse_phone_number(e164, check=check)
        assert PhoneNumber(e164) == parse_phone_number(national, default_region=region, check=check)


@pytest.mark.parametrize("check", NumberCheck)
@pytest.mark.parametrize(("region", "short"), short_examples("emergency"))
def test_emergency_numbers_of_each_region_are_never_read(region: str, short: str, check: NumberCheck) -> None:
    """
    Neither the country code nor zeros before it make an emergency number one that may be dialled.
    """
    country_code = phonenumbers.country_code_for_region(region)

    for text in (short, f"0{short}", f"+{country_code}{short}", f"+{country_code} 0{short}"):
        assert None is parse_phone_number(text, default_region=region, check=check), text


@pytest.mark.parametrize("check", NumberCheck)
@pytest.mark.parametrize(("region", "short"), short_examples("short_code"))
def test_short_numbers_of_each_region_are_never_read(region: str, short: str, check: NumberCheck) -> None:
    """
    A short number is none that may be dialled, with its country code or without.
    """
    country_code = phonenumbers.country_code_for_region(region)

    for text in (short, f"+{country_code}{short}"):
        assert None is parse_phone_number(text, default_region=region, check=check), text


def test_emergency_numbers_of_nearly_all_regions_are_known() -> None:
    """
    The rows above don't vanish with the data they come from.
    """
    assert len(short_examples("emergency")) > 0.95 * len(REGIONS)


@pytest.mark.parametrize(
    "text",
    ["+1911", "+1 911", "+1112", "+49110", "+49112", "+44999", "+44112", "+61000", "+3520112", "+46090000", "+5980911"],
)
def test_known_emergency_numbers_are_never_read(text: str) -> None:
    """
    An emergency number behind a country code is one still.
    """
    assert None is parse_phone_number(text)


@pytest.mark.parametrize("text", ["+49116117", "+49 118 33", "+43116123", "+46 118 118", "+82 112"])
def test_known_short_numbers_are_never_read(text: str) -> None:
    """
    Services that answer within a country only are no callees, though their length is possible.
    """
    assert None is parse_phone_number(text)


@pytest.mark.parametrize(
    "text",
    [
        "+15551234567",
        "+1 555 123 4567",
        "+1-555-123-4567",
        "+1.555.123.4567",
        "+1 (555) 123-4567",
        "+1(555)1234567",
        "+ 1 555 123 4567",
        "+1 -.() 5551234567",
        "+1 555 123 (4567)",
    ],
)
def test_punctuation_between_digits_is_dropped(text: str) -> None:
    """
    Spaces, dashes, dots and parentheses between the digits don't count.
    """
    assert NUMBER == parse_phone_number(text)


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="empty"),
        pytest.param("+", id="plus alone"),
        pytest.param("+()", id="plus and punctuation"),
        pytest.param(" ", id="blank"),
        pytest.param("0", id="zero"),
        pytest.param("15551234567", id="no plus and no default region"),
        pytest.param("0015551234567", id="dialling prefix and no default region"),
        pytest.param("+1555CALLNOW", id="letters"),
        pytest.param("+1555123456O", id="letter O"),
        pytest.param("call +15551234567", id="words before"),
        pytest.param("+15551234567 now", id="words after"),
        pytest.param("+1555123456\u0667", id="Arabic digit"),
        pytest.param("+1555123456\u096d", id="Devanagari digit"),
        pytest.param("+1555123456\uff17", id="full-width digit"),
        pytest.param("+1555123456\u2077", id="superscript digit"),
        pytest.param("\uff0b15551234567", id="full-width plus"),
        pytest.param("+1\u200b5551234567", id="zero-width space"),
        pytest.param("+1\u20605551234567", id="word joiner"),
        pytest.param("\u202a+15551234567", id="bidirectional mark"),
        pytest.param("\ufeff+15551234567", id="byte order mark"),
        pytest.param("+1\u00a05551234567", id="no-break space"),
        pytest.param("+1\u20115551234567", id="no-break hyphen"),
        pytest.param("+1\t5551234567", id="tab"),
        pytest.param("+1555123\n4567", id="line end within"),
        pytest.param("+15551234567\n", id="line feed after"),
        pytest.param("+15551234567\r\n", id="line end after"),
        pytest.param("\n+15551234567", id="line end before"),
        pytest.param("+15551234567\x00", id="NUL"),
        pytest.param(" +15551234567", id="leading blank"),
        pytest.param("+15551234567 ", id="trailing blank"),
        pytest.param("++15551234567", id="two pluses"),
        pytest.param("+1+5551234567", id="plus within"),
        pytest.param("15551234567+", id="plus after"),
        pytest.param("(+1)5551234567", id="parenthesis before the plus"),
        pytest.param("-+15551234567", id="dash before the plus"),
        pytest.param("+15551234567-", id="trailing dash"),
        pytest.param("+15551234567x89", id="extension x"),
        pytest.param("+15551234567 ext. 89", id="extension ext."),
        pytest.param("+15551234567;ext=89", id="extension of a tel URI"),
        pytest.param("+15551234567#89", id="extension #"),
        pytest.param("+15551234567;phone-context=example.com", id="phone context"),
        pytest.param("+15551234567,,1", id="pauses"),
        pytest.param("+15551234567w1", id="wait"),
        pytest.param("+15551234567&+15551234568", id="two numbers by &"),
        pytest.param("+15551234567|+15551234568", id="two numbers by |"),
        pytest.param("+15551234567/8", id="two numbers by /"),
        pytest.param("*67+15551234567", id="service code"),
        pytest.param("sip:+15551234567@example.com", id="SIP URI"),
        pytest.param("tel:+15551234567", id="tel URI"),
        pytest.param("+15551234567@example.com", id="host"),
        pytest.param("%2B15551234567", id="escaped plus"),
        pytest.param("\ud800+15551234567", id="lone surrogate"),
        pytest.param("+0123456789", id="country code 0"),
        pytest.param("+9991234567", id="unassigned country code"),
        pytest.param("+1555123456", id="too short"),
        pytest.param("+155512345678", id="too long"),
        pytest.param("+1234567890123456", id="16 digits"),
        pytest.param("+1" + "." * 60 + "5551234567", id="more than 64 characters"),
        pytest.param("+" + "1" * 50_000, id="50 KB of digits"),
        pytest.param("+1" + " " * 50_000 + "5551234567", id="50 KB of blanks"),
        pytest.param("+1" + "(-)." * 12_500, id="50 KB of punctuation"),
    ],
)
def test_look_alikes_are_no_numbers(text: str) -> None:
    """
    Whatever else looks like a number is refused rather than guessed at.
    """
    assert None is parse_phone_number(text)


@pytest.mark.parametrize(
    ("text", "region", "e164"),
    [
        ("5551234567", "US", "+15551234567"),
        ("(555) 123-4567", "US", "+15551234567"),
        ("1 555 123 4567", "US", "+15551234567"),
        ("030 123456", "DE", "+4930123456"),
        ("020 7946 0018", "GB", "+442079460018"),
        ("011 49 30 123456", "US", "+4930123456"),
        ("+49 30 123456", "US", "+4930123456"),
        ("+44 (0)20 7946 0018", "US", "+442079460018"),
        ("06 1234 5678", "IT", "+390612345678"),
    ],
)
def test_default_region_reads_national_numbers(text: str, region: str, e164: str) -> None:
    """
    Without `+` a number belongs to the default region; with it, the region plays no part.
    """
    assert PhoneNumber(e164) == parse_phone_number(text, default_region=region)


@pytest.mark.parametrize("text", ["", " ", "5551234567 ", " 5551234567", "-5551234567", ".555", ")5551234567", "911"])
def test_default_region_reads_no_look_alikes(text: str) -> None:
    """
    A default region allows no other punctuation, and no emergency number.
    """
    assert None is parse_phone_number(text, default_region="US")


@pytest.mark.parametrize("text", ["+490030123456", "+49 0 0 30 123456", "+4400169772222"])
def test_numbers_that_change_when_read_again_are_refused(text: str) -> None:
    """
    A second national prefix would make another spelling of a number that a Do-Not-Call list may hold.
    """
    assert None is parse_phone_number(text)


@pytest.mark.parametrize("check", NumberCheck)
@pytest.mark.parametrize("text", ["+13101234", "+12345678"])
def test_local_only_numbers_are_refused(text: str, check: NumberCheck) -> None:
    """
    IS_POSSIBLE_LOCAL_ONLY is not enough for any check.
    """
    assert None is parse_phone_number(text, check=check)


@pytest.mark.parametrize(
    "e164",
    ["+15551234567", "+15550001111", *(f"+1555555010{digit}" for digit in range(10))],
)
def test_fictional_numbers_are_possible_and_not_valid(e164: str) -> None:
    """
    The reference's example and the numbers kept for fiction are accepted by default and refused under `valid`.
    """
    assert PhoneNumber(e164) == parse_phone_number(e164)
    assert None is parse_phone_number(e164, check=NumberCheck.VALID)


@pytest.mark.parametrize(
    ("number_type", "region", "kind"),
    [
        (PhoneNumberType.PREMIUM_RATE, "US", NumberKind.PREMIUM_RATE),
        (PhoneNumberType.SHARED_COST, "AT", NumberKind.SHARED_COST),
        (PhoneNumberType.PERSONAL_NUMBER, "GB", NumberKind.PERSONAL_NUMBER),
        (PhoneNumberType.PAGER, "GB", NumberKind.PAGER),
        (PhoneNumberType.VOICEMAIL, "CH", NumberKind.VOICEMAIL),
        (PhoneNumberType.UAN, "GB", NumberKind.UAN),
        (PhoneNumberType.MOBILE, "GB", NumberKind.ORDINARY),
        (PhoneNumberType.FIXED_LINE, "DE", NumberKind.ORDINARY),
        (PhoneNumberType.TOLL_FREE, "US", NumberKind.ORDINARY),
        (PhoneNumberType.VOIP, "GB", NumberKind.ORDINARY),
    ],
)
def test_kind_follows_the_type_of_number(number_type: int, region: str, kind: NumberKind) -> None:
    """
    Types that cost more than a call or reach no person have a kind of their own.
    """
    example = phonenumbers.example_number_for_type(region, number_type)
    assert example is not None

    number = PhoneNumber(phonenumbers.format_number(example, PhoneNumberFormat.E164))

    assert kind is number.kind


@pytest.mark.parametrize("country_code", [870, 878, 881, 882, 883, 888, 979, 808])
def test_codes_of_no_country_are_a_kind_of_their_own(country_code: int) -> None:
    """
    Satellites and the like are no ordinary numbers, whatever type libphonenumber gives them.
    """
    example = phonenumbers.example_number_for_non_geo_entity(country_code)
    assert example is not None

    number = parse_phone_number(phonenumbers.format_number(example, PhoneNumberFormat.E164))

    assert number is not None
    assert (NumberKind.GLOBAL_NETWORK, "001") == (number.kind, number.region)


@pytest.mark.parametrize(
    ("e164", "region"),
    [
        ("+15551234567", "US"),
        ("+14165550123", "CA"),
        ("+18760001111", "JM"),
        ("+442079460018", "GB"),
        ("+9991234567", "ZZ"),
    ],
)
def test_region_is_as_near_as_can_be_told(e164: str, region: str) -> None:
    """
    An unassigned number belongs to the main region of its country code, and to none if that is unassigned too.
    """
    assert region == PhoneNumber(e164).region


def test_a_number_of_an_unassigned_country_code_is_ordinary() -> None:
    """
    A stored number may be older or newer than the data; asking for its kind never raises.
    """
    assert NumberKind.ORDINARY is PhoneNumber("+9991234567").kind


@pytest.mark.parametrize(
    "text",
    [
        "",
        "+",
        "15551234567",
        "+0551234567",
        "+155512",
        "+1234567890123456",
        "+1555 1234567",
        "+1555123456\u0667",
        "+15551234567\n",
        " +15551234567",
    ],
)
def test_malformed_text_never_becomes_a_number(text: str) -> None:
    """
    A number is `+` and 7 to 15 ASCII digits, the first of them not 0.
    """
    with pytest.raises(ValueError, match=r"7 to 15 digits"):
        PhoneNumber(text)


def test_a_number_shows_itself() -> None:
    """
    A number is printed as it is stored, and its digits go without the plus.
    """
    assert ("+15551234567", "15551234567") == (str(NUMBER), NUMBER.digits)


def test_regions_are_those_whose_numbers_can_be_read() -> None:
    """
    Capital ISO 3166 codes are regions; codes of no country are not.
    """
    assert [True, False, False, False] == [is_region(code) for code in ("US", "us", "001", "")]
