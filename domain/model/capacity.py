"""
How many calls may be begun: caps on what lives at once, and a pace, over all workers together.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.phone_number import PhoneNumber

T = TypeVar("T")

MICROS_PER_SECOND: Final = 1_000_000
BURST_S: Final = 1
"""A worker that was late may catch up on this much of the pace at once."""


@attrs.frozen(kw_only=True)
class Capacity:
    """
    The operator's limits; `None` is no limit.

    Attributes:
        account_calls_max: Calls of one account that live at once; at least 1.

        caller_id_calls_max: Calls shown with one caller ID that live at once; at least 1.

        calls_per_second: How fast calls are begun on the trunk; above 0.
    """

    account_calls_max: int | None = None
    caller_id_calls_max: int | None = None
    calls_per_second: float | None = None

    @property
    def has_caps(self) -> bool:
        """
        Whether calls that live have to be counted.
        """
        return self.account_calls_max is not None or self.caller_id_calls_max is not None

    @property
    def is_limited(self) -> bool:
        """
        Whether workers have to take turns.
        """
        return self.has_caps or self.calls_per_second is not None


@attrs.frozen(kw_only=True)
class LiveCalls:
    """
    How many calls were begun and are not over.
    """

    by_account: Mapping[int, int]
    by_caller_id: Mapping[PhoneNumber, int]

    def accounts_at(self, most: int | None) -> frozenset[int]:
        """
        Return the accounts that have no place left.
        """
        return frozenset() if most is None else frozenset(_full(self.by_account, most))

    def caller_ids_at(self, most: int | None) -> frozenset[PhoneNumber]:
        """
        Return the caller IDs that have no place left.
        """
        return frozenset() if most is None else frozenset(_full(self.by_caller_id, most))


def within_caps(queued: Iterable[Call], live: LiveCalls, capacity: Capacity) -> tuple[Call, ...]:
    """
    Return the queued calls that may be begun beside those that live, in their order.
    """
    accounts, caller_ids = Counter(live.by_account), Counter(live.by_caller_id)
    chosen = []
    for call in queued:
        if _has_place(accounts[call.account_id], capacity.account_calls_max) and _has_place(
            caller_ids[call.caller_id], capacity.caller_id_calls_max
        ):
            accounts[call.account_id] += 1
            caller_ids[call.caller_id] += 1
            chosen.append(call)
    return tuple(chosen)


def take_starts(next_at_micros: int, *, now_micros: int, calls_per_second: float, wanted: int) -> tuple[int, int]:
    """
    Return how many of the wanted calls may start now, and when the next one may.

    Args:
        next_at_micros: When the next call may start, as returned the last time; 0 at first.

        now_micros: The time by the same clock.
    """
    interval_micros = max(1, round(MICROS_PER_SECOND / calls_per_second))
    first_micros = max(next_at_micros, now_micros - BURST_S * MICROS_PER_SECOND)
    if first_micros > now_micros:
        return 0, next_at_micros
    taken = min(wanted, (now_micros - first_micros) // interval_micros + 1)
    return taken, first_micros + taken * interval_micros


def _has_place(count: int, most: int | None) -> bool:
    return most is None or count < most


def _full(counts: Mapping[T, int], most: int) -> Iterable[T]:
    return (name for name, count in counts.items() if count >= most)
