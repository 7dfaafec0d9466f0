"""
Laws of showing and reading money.
"""

import contextlib

from hypothesis import example, given
from hypothesis import strategies as st

from outdial.domain.model.money import MICROS_MAX, as_text, parse_amount
from tests import strategies


@given(micros=strategies.amounts)
@example(micros=MICROS_MAX - 1)
def test_an_amount_that_is_shown_reads_as_itself(micros: int) -> None:
    """
    No micro is lost or made by writing an amount down.
    """
    shown = min(micros, MICROS_MAX - 1)

    assert shown == parse_amount(as_text(shown))


@given(text=st.text() | st.text("0123456789.-+e", max_size=22))
def test_any_text_is_an_amount_within_bounds_or_refused(text: str) -> None:
    """
    Reading an amount either raises ValueError or gives micros that every column can hold.
    """
    with contextlib.suppress(ValueError):
        assert 0 <= parse_amount(text) < MICROS_MAX
