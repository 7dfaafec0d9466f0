"""
When a message is tried again, and when it is given up.
"""

from datetime import timedelta
from typing import Any

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.model.delivery import JITTER, RETRY_DELAYS_S, TRIES_MAX, Delivery, DeliveryState, Try
from tests import builders

LOST_AT = builders.NOW + timedelta(minutes=1)


def tried(number: int = 1, **changes: Any) -> Try:
    """
    Return a try that the endpoint answered with 500.
    """
    return attrs.evolve(Try(number=number, at=builders.NOW, duration_ms=12, status=500), **changes)


def in_try(number: int, **changes: Any) -> Delivery:
    """
    Return a delivery that is being tried.
    """
    return builders.delivery(tries=number - 1, **changes).begin(LOST_AT)


def test_a_try_is_counted_from_its_beginning() -> None:
    """
    While it runs, the next one is when it is lost.
    """
    delivery = in_try(1)

    assert (DeliveryState.SENDING, 1, LOST_AT) == (delivery.state, delivery.tries, delivery.next_at)
    assert [False, True, False] == [delivery.is_in_try(number) for number in range(3)]
    assert not builders.delivery(tries=1).is_in_try(1)


@pytest.mark.parametrize("status", [200, 204, 299])
def test_a_message_is_delivered_by_any_success(status: int) -> None:
    """
    Nothing follows.
    """
    delivery = in_try(3, last_problem="The endpoint answered 500.").after(tried(3, status=status), LOST_AT)

    assert (DeliveryState.DELIVERED, LOST_AT, None, None) == (
        delivery.state,
        delivery.delivered_at,
        delivery.next_at,
        delivery.last_problem,
    )
    assert not delivery.is_open


@pytest.mark.parametrize("made", range(1, TRIES_MAX))
@pytest.mark.parametrize("before", [0, 7])
def test_it_is_tried_again_by_the_schedule(made: int, before: int) -> None:
    """
    Later and later, by the delay and at most a fifth more; a new round begins the schedule anew.
    """
    number = before + made

    delivery = in_try(number, tries_before=before).after(tried(number), LOST_AT)

    assert (DeliveryState.PENDING, 500, "The endpoint answered 500.") == (
        delivery.state,
        delivery.last_status,
        delivery.last_problem,
    )
    assert delivery.next_at is not None
    delay_s = (delivery.next_at - LOST_AT).total_seconds()
    assert RETRY_DELAYS_S[made - 1] <= delay_s <= RETRY_DELAYS_S[made - 1] * (1 + JITTER)


@given(st.sets(st.integers(1, 10_000), min_size=2, max_size=50))
def test_no_two_messages_come_back_together(numbers: set[int]) -> None:
    """
    What failed at once is spread; each message always waits for the same time.
    """

    def next_at(number: int) -> object:
        message = builders.message(id=f"msg_{number}")
        return in_try(2, message=message).after(tried(2), LOST_AT).next_at

    times = [next_at(number) for number in numbers]

    assert times == [next_at(number) for number in numbers]
    assert len(numbers) == len(set(times))


@pytest.mark.parametrize("before", [0, 7])
def test_after_the_last_try_it_is_parked(before: int) -> None:
    """
    With the reason, also when a try was lost in between and one too many was made.
    """
    for number in (before + TRIES_MAX, before + TRIES_MAX + 1):
        unheard = tried(number, status=None, problem="Nobody answered.")

        delivery = in_try(number, tries_before=before).after(unheard, LOST_AT)

        assert (DeliveryState.PARKED, None) == (delivery.state, delivery.next_at)
        assert f"Nobody answered. It was tried {number - before} times." == delivery.last_problem


def test_gone_parks_at_once() -> None:
    """
    Whichever try it is.
    """
    delivery = in_try(1).after(tried(1, status=410), LOST_AT)

    assert (DeliveryState.PARKED, "The endpoint answered 410. It wants no more messages.") == (
        delivery.state,
        delivery.last_problem,
    )


@pytest.mark.parametrize("status", [100, 199, 300, 302, 308, 404, 429, 500])
def test_everything_else_is_a_failure(status: int) -> None:
    """
    Redirects are, too: nobody follows them.
    """
    assert not tried(status=status).is_success
    assert f"The endpoint answered {status}." == tried(status=status).sentence
