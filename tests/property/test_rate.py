"""
Laws of prices.
"""

from hypothesis import assume, event, given
from hypothesis import strategies as st

from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.rate import Rate, rate_for
from tests import builders, strategies

seconds = st.integers(0, 20_000)
limits = st.integers(1, 20_000)


@given(rate=strategies.rates(), shorter_s=seconds, longer_s=seconds)
def test_a_longer_call_never_costs_less(rate: Rate, shorter_s: int, longer_s: int) -> None:
    """
    The price grows with talk time.
    """
    first, second = sorted((shorter_s, longer_s))

    assert rate.price(first) <= rate.price(second)


@given(rate=strategies.rates(), talk_s=seconds)
def test_a_price_covers_the_time_billed(rate: Rate, talk_s: int) -> None:
    """
    A price is never less than talk time and minimum cost by the minute, nor an increment's price more.
    """
    exact = rate.per_minute_micros * max(talk_s, rate.minimum_s)

    assert exact <= rate.price(talk_s) * 60 < exact + rate.per_minute_micros * rate.increment_s + 60


@given(rate=strategies.rates(), micros=strategies.amounts, limit_s=limits)
def test_affordable_time_is_paid_for(rate: Rate, micros: int, limit_s: int) -> None:
    """
    Money covers the price of the time that it is said to afford, which lies within the limit.
    """
    talk_s = rate.affordable_s(micros, limit_s=limit_s)

    event("nothing" if talk_s == 0 else "all" if talk_s == limit_s else "some")
    assert 0 <= talk_s <= limit_s
    assert talk_s == 0 or rate.price(talk_s) <= micros


@given(rate=strategies.rates(), micros=strategies.amounts, limit_s=limits)
def test_affordable_time_is_the_longest(rate: Rate, micros: int, limit_s: int) -> None:
    """
    One second more than the affordable time is beyond the money or the limit.
    """
    talk_s = rate.affordable_s(micros, limit_s=limit_s)

    assert talk_s == limit_s or rate.price(talk_s + 1) > micros


@given(rate=strategies.rates(free=False), limit_s=limits)
def test_a_price_affords_its_time_and_a_micro_less_does_not(rate: Rate, limit_s: int) -> None:
    """
    The price of a time is exactly what must be there for it.
    """
    price = rate.price(limit_s)

    assert limit_s == rate.affordable_s(price, limit_s=limit_s)
    assert limit_s > rate.affordable_s(price - 1, limit_s=limit_s)


@given(number=strategies.phone_numbers, rates=st.lists(strategies.rates(), max_size=8), data=st.data())
def test_no_other_rate_has_a_longer_fitting_prefix(number: PhoneNumber, rates: list[Rate], data: st.DataObject) -> None:
    """
    Whatever rates there are and in whichever order, the longest prefix wins.
    """
    fitting = data.draw(st.sampled_from(range(len(number.digits) + 1)))
    rates = data.draw(st.permutations([*rates, builders.rate(prefix=number.digits[:fitting])]))
    assume(len({rate.prefix for rate in rates}) == len(rates))

    chosen = rate_for(number, rates, builders.rate(prefix=""))

    assert chosen in rates
    assert number.digits.startswith(chosen.prefix)
    assert not any(number.digits.startswith(rate.prefix) for rate in rates if len(rate.prefix) > len(chosen.prefix))
