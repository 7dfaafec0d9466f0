"""
Caps and pace: how many calls may be begun.
"""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.model.call import Call
from outdial.domain.model.capacity import BURST_S, MICROS_PER_SECOND, Capacity, LiveCalls, take_starts, within_caps
from outdial.domain.model.phone_number import PhoneNumber
from tests import builders

ONE, TWO = PhoneNumber("+15550001111"), PhoneNumber("+15550002222")
NOBODY = LiveCalls(by_account={}, by_caller_id={})


def call(number: int, account_id: int, caller_id: PhoneNumber) -> Call:
    """
    Return a queued call.
    """
    return builders.call(id=number, account_id=account_id, caller_id=caller_id)


QUEUE = (call(1, 1, ONE), call(2, 1, TWO), call(3, 2, ONE), call(4, 1, ONE), call(5, 2, TWO))


@pytest.mark.parametrize(
    ("capacity", "live", "rows"),
    [
        (Capacity(), NOBODY, (1, 2, 3, 4, 5)),
        (Capacity(account_calls_max=1), NOBODY, (1, 3)),
        (Capacity(caller_id_calls_max=1), NOBODY, (1, 2)),
        (Capacity(account_calls_max=2), LiveCalls(by_account={1: 1}, by_caller_id={}), (1, 3, 5)),
        (Capacity(account_calls_max=1, caller_id_calls_max=1), NOBODY, (1, 5)),
        (Capacity(caller_id_calls_max=2), LiveCalls(by_account={}, by_caller_id={ONE: 3}), (2, 5)),
    ],
)
def test_caps_count_what_lives_and_what_is_begun(capacity: Capacity, live: LiveCalls, rows: tuple[int, ...]) -> None:
    """
    The queue keeps its order, and who is at a cap holds up nobody.
    """
    assert rows == tuple(chosen.id for chosen in within_caps(QUEUE, live, capacity))


def test_full_accounts_and_caller_ids_are_named() -> None:
    """
    Storage leaves them out of the queue; without a cap nobody is full.
    """
    live = LiveCalls(by_account={1: 2, 2: 1}, by_caller_id={ONE: 2, TWO: 3})

    assert frozenset({1}) == live.accounts_at(2)
    assert frozenset({ONE, TWO}) == live.caller_ids_at(2)
    assert (frozenset(), frozenset()) == (live.accounts_at(None), live.caller_ids_at(None))


def test_workers_take_turns_only_where_there_are_limits() -> None:
    """
    Counting is needed for caps, a turn for any limit.
    """
    limits = [Capacity(), Capacity(account_calls_max=1), Capacity(caller_id_calls_max=1), Capacity(calls_per_second=2)]

    assert [False, True, True, False] == [capacity.has_caps for capacity in limits]
    assert [False, True, True, True] == [capacity.is_limited for capacity in limits]


@given(
    calls_per_second=st.floats(0.01, 1000),
    steps=st.lists(st.tuples(st.integers(0, 5_000_000), st.integers(1, 500)), min_size=1, max_size=30),
)
def test_no_second_sees_more_calls_than_the_pace_and_one_burst(
    calls_per_second: float, steps: list[tuple[int, int]]
) -> None:
    """
    However workers come and however many calls they want, the pace holds from the first call on.
    """
    now_micros, next_micros, started = 10**12, 0, 0
    began = now_micros
    for pause_micros, wanted in steps:
        now_micros += pause_micros
        taken, next_micros = take_starts(
            next_micros, now_micros=now_micros, calls_per_second=calls_per_second, wanted=wanted
        )
        started += taken

        assert 0 <= taken <= wanted
        passed_s = (now_micros - began) / MICROS_PER_SECOND
        assert started <= (passed_s + BURST_S) * calls_per_second * 1.001 + 1


@given(calls_per_second=st.floats(0.01, 1000), now_micros=st.integers(10**9, 10**15))
def test_the_next_call_may_start_when_it_was_said(calls_per_second: float, now_micros: int) -> None:
    """
    Not a microsecond earlier, and then at once.
    """
    _all, next_micros = take_starts(0, now_micros=now_micros, calls_per_second=calls_per_second, wanted=10**6)

    early = take_starts(next_micros, now_micros=next_micros - 1, calls_per_second=calls_per_second, wanted=1)
    on_time, _next = take_starts(next_micros, now_micros=next_micros, calls_per_second=calls_per_second, wanted=1)

    assert (0, next_micros) == early
    assert 1 == on_time
