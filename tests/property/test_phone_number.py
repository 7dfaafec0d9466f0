"""
Laws of reading phone numbers.
"""

import string

from hypothesis import event, example, given
from hypothesis import strategies as st

from outdial.domain.model.phone_number import NumberCheck, NumberKind, PhoneNumber, parse_phone_number
from tests import strategies

regions = st.sampled_from((None, "US", "DE", "GB", "IT", "BR", "AR", "MX", "SM"))
checks = st.sampled_from(NumberCheck)
near_numbers = st.one_of(
    st.text(),
    st.text("+0123456789 .()-;,&|x\n\u0667\u200b\uff0b", max_size=24),
    st.text(string.digits, min_size=4, max_size=16).map("+{}".format),
    st.text(string.digits, min_size=4, max_size=14),
)


@given(number=strategies.phone_numbers, data=st.data())
def test_all_spellings_of_a_number_are_one_value(number: PhoneNumber, data: st.DataObject) -> None:
    """
    However its digits are grouped, a number is read as the same value.
    """
    text = data.draw(strategies.spellings(number))

    assert number == parse_phone_number(text)


@given(text=near_numbers, region=regions, check=checks)
@example(text="+490030123456", region=None, check=NumberCheck.POSSIBLE)
def test_what_was_read_reads_as_itself(text: str, region: str | None, check: NumberCheck) -> None:
    """
    The stored form of a number is its only one, whatever text it came from; no text raises.
    """
    number = parse_phone_number(text, default_region=region, check=check)

    event("read" if number is not None else "refused")
    if number is not None:
        assert number == parse_phone_number(number.e164, check=check)


@given(text=near_numbers, region=regions)
def test_a_valid_number_is_possible(text: str, region: str | None) -> None:
    """
    The closer look accepts nothing that the other refuses.
    """
    valid = parse_phone_number(text, default_region=region, check=NumberCheck.VALID)

    event("valid" if valid is not None else "not valid")
    if valid is not None:
        assert valid == parse_phone_number(text, default_region=region)


@given(digits=st.from_regex(r"[1-9][0-9]{6,14}", fullmatch=True))
def test_every_number_has_a_kind_and_a_region(digits: str) -> None:
    """
    Numbers of unassigned codes too are judged without raising.
    """
    number = PhoneNumber(f"+{digits}")

    assert number.kind in NumberKind
    assert number.region
