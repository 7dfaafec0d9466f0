"""
Amounts are read and shown exactly.
"""

import pytest

from outdial.domain.model.money import MICROS_MAX, as_number, as_text, check_currency, parse_amount


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("0", 0),
        ("25", 25_000_000),
        ("25.00", 25_000_000),
        ("0.005", 5_000),
        ("0.000001", 1),
        ("007", 7_000_000),
        ("999999999999.999999", MICROS_MAX - 1),
    ],
)
def test_amounts_are_read_exactly(text: str, micros: int) -> None:
    """
    A plain decimal number of currency units becomes whole micros.
    """
    assert micros == parse_amount(text)


@pytest.mark.parametrize(
    "text",
    ["", "-1", "+1", "1.", ".5", "1,00", "1e3", "0.0000001", "1000000000000", " 1", "1\n", "NaN", "\u0661", "1_0"],
)
def test_other_texts_are_no_amounts(text: str) -> None:
    """
    Signs, exponents, other digits and what a micro can't hold are refused.
    """
    with pytest.raises(ValueError, match=r"is not an amount"):
        parse_amount(text)


@pytest.mark.parametrize(
    ("micros", "text"),
    [
        (0, "0.00"),
        (1, "0.000001"),
        (1_500_000, "1.50"),
        (25_000_000, "25.00"),
        (100_000_000, "100.00"),
        (1_005_000, "1.005"),
        (-50_000, "-0.05"),
        (MICROS_MAX, "1000000000000.00"),
    ],
)
def test_amounts_are_shown_with_two_decimals_or_more(micros: int, text: str) -> None:
    """
    People see two decimals, and further ones only where the amount has them.
    """
    assert text == as_text(micros)


def test_a_json_number_counts_currency_units() -> None:
    """
    Answers show units, not micros.
    """
    assert [0.0, 1.5, 0.05] == [as_number(micros) for micros in (0, 1_500_000, 50_000)]


@pytest.mark.parametrize("code", ["", "usd", "US", "USDT", "U$D", "USD\n", "\u00c4BC"])
def test_other_texts_are_no_currency(code: str) -> None:
    """
    A currency is three capital letters of ASCII.
    """
    with pytest.raises(ValueError, match=r"is not a currency code"):
        check_currency(code)


def test_a_currency_code_stays_as_it_is() -> None:
    """
    A checked code is returned for use as a converter.
    """
    assert "USD" == check_currency("USD")
