"""
Whatever strangers send is read or refused in the declared way, and soon.
"""

from contextlib import suppress

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from tests.fuzz.inputs import Reader, is_quick, searched
from tests.fuzz.readers import READERS


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
@searched(60)
@given(data=st.data())
def test_any_input_is_read_or_refused(reader: Reader, data: st.DataObject) -> None:
    """
    No bytes raise anything but what the reader declares.
    """
    given_bytes = data.draw(reader.inputs())

    try:
        reader.read(given_bytes)
    except reader.refuses_by as error:
        event(type(error).__name__)
    else:
        event("read")


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS.keys())
def test_no_input_is_slow(reader: Reader) -> None:
    """
    50 KB take no longer than 50 ms of the processor, whatever is repeated in them.
    """

    def read(data: bytes) -> None:
        with suppress(*reader.refuses_by):
            reader.read(data)

    slow = [data for data in reader.long_inputs() if not is_quick(lambda data=data: read(data), reader.long_s)]  # type: ignore[misc]

    assert [] == [data[:200] for data in slow]
