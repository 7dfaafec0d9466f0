"""
Laws of what an ended call costs.
"""

from hypothesis import event, given
from hypothesis import strategies as st

from outdial.domain.model.disposition import Disposition
from outdial.domain.model.rate import Rate
from outdial.domain.service.settlement import charge_of
from tests import builders, strategies

talk_times = st.integers(0, 20_000)


@given(
    rate=strategies.rates(),
    hold_micros=strategies.amounts,
    talk_s=talk_times,
    disposition=st.sampled_from(Disposition),
    answered_at=st.sampled_from((None, builders.NOW)),
)
def test_a_charge_is_never_more_than_the_hold_and_nothing_without_an_answer(
    rate: Rate, hold_micros: int, talk_s: int, disposition: Disposition, answered_at: object
) -> None:
    """
    Only talk is billed, by the rate agreed at accept, and never beyond what was set aside.
    """
    call = builders.call(
        rate=rate, hold_micros=hold_micros, talk_s=talk_s, disposition=disposition, answered_at=answered_at
    )

    charge = charge_of(call)

    event("free" if charge == 0 else "the hold" if charge == hold_micros else "less than the hold")
    unbilled = answered_at is None or disposition is Disposition.OUTCOME_UNKNOWN
    assert charge == (0 if unbilled else min(hold_micros, rate.price(talk_s)))
    assert 0 <= charge <= hold_micros


@given(rate=strategies.rates(), max_duration_s=st.integers(1, 20_000), talk_s=talk_times)
def test_talk_within_the_paid_time_is_charged_in_full(rate: Rate, max_duration_s: int, talk_s: int) -> None:
    """
    The hold pays for every call that ends in time, so the cap never forgives a part of it.
    """
    call = builders.call(
        rate=rate,
        max_duration_s=max_duration_s,
        hold_micros=rate.price(max_duration_s),
        talk_s=min(talk_s, max_duration_s),
        answered_at=builders.NOW,
        disposition=Disposition.HANG_UP_CALLEE,
    )

    assert rate.price(call.talk_s) == charge_of(call)
