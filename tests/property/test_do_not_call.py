"""
Which of a number's Do-Not-Call entries binds.
"""

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.model.do_not_call import OPERATOR_LIST_ID, DncEntry, binding_entry
from tests import builders

times = st.integers(-2, 2).map(lambda days: builders.NOW + timedelta(days=days))
entries = st.lists(
    st.builds(
        lambda list_id, expires_at: builders.dnc_entry(list_id=list_id, expires_at=expires_at),
        st.integers(OPERATOR_LIST_ID, 5),
        st.none() | times,
    ),
    unique_by=lambda entry: entry.list_id,
)


@given(found=entries, now=times)
def test_a_number_may_be_dialled_exactly_when_no_entry_is_live(found: list[DncEntry], now: datetime) -> None:
    """
    One live entry on any list that binds is enough; those that expired by now count for nothing.
    """
    binding = binding_entry(found, now)

    is_free = all(entry.expires_at is not None and entry.expires_at <= now for entry in found)
    assert is_free is (binding is None)
    assert binding is None or binding in found


@given(found=entries, others=entries, now=times)
def test_the_operators_list_always_wins(found: list[DncEntry], others: list[DncEntry], now: datetime) -> None:
    """
    While the operator's entry is live, nothing on the account's lists changes what binds.
    """
    operators = builders.dnc_entry(list_id=OPERATOR_LIST_ID, reason="never")
    own = [entry for entry in (*found, *others) if entry.list_id != OPERATOR_LIST_ID]

    assert operators == binding_entry([*own, operators], now)


@given(found=entries, now=times, data=st.data())
def test_the_order_of_the_entries_does_not_matter(found: list[DncEntry], now: datetime, data: st.DataObject) -> None:
    """
    However storage returns them, the same entry binds.
    """
    shuffled = data.draw(st.permutations(found))

    assert binding_entry(found, now) == binding_entry(shuffled, now)
