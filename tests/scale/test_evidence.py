"""
The witnesses contradict each other when something is wrong: each fault by itself turns the check red.
"""

from typing import Any, Final

import attrs
import pytest

from tests.scale.evidence import CallRow, Evidence, Order, check


def _order(number: int) -> Order:
    return Order(
        attempt_id=f"call_{number}_t_1",
        callee="+15557654321",
        caller_id="+15550001111",
        time="2025-04-24T10:15:30.000000+00:00",
    )


PAID: Final = CallRow(
    id=1,
    attempt_id="call_1_t_1",
    attempt=1,
    state="settled",
    disposition="hang_up_agent",
    fence=1,
    hold_micros=50,
    charge_micros=50,
    sendings=1,
)
BROKEN_OFF: Final = attrs.evolve(PAID, id=2, attempt_id="call_2_t_1", disposition="outcome_unknown", charge_micros=0)
HOLDS: Final = ((0, "deposit", 200), (1, "hold", 50), (2, "hold", 50))
GOOD: Final = Evidence(
    orders=(_order(1),),
    calls=(PAID, BROKEN_OFF),
    entries=(*HOLDS, (1, "capture", 50), (2, "release", 50)),
    balance_micros=150,
    held_micros=0,
)


UNDIALLED: Final[dict[str, Any]] = {
    "state": "canceled",
    "disposition": "canceled",
    "attempt": 0,
    "sendings": 0,
    "charge_micros": 0,
}
RELEASED: Final[dict[str, Any]] = {"entries": (*HOLDS, (1, "release", 50), (2, "release", 50)), "balance_micros": 200}


def _call(**changes: Any) -> dict[str, Any]:
    return {"calls": (attrs.evolve(PAID, **changes), BROKEN_OFF)}


def test_nothing_is_held_against_what_is_right() -> None:
    """
    A call that was paid, one that was broken off before it was dialled, and one that was canceled before that.
    """
    check(GOOD, [1, 2])
    check(attrs.evolve(GOOD, orders=(), **_call(**UNDIALLED), **RELEASED), [1, 2])
    check(attrs.evolve(GOOD, orders=(_order(1), _order(2))), [1])


@pytest.mark.parametrize(
    "changes",
    [
        {"orders": (_order(1), _order(1))},
        {"orders": (_order(1), _order(3))},
        {"orders": ()},
        _call(state="in-progress"),
        _call(sendings=2),
        _call(charge_micros=0),
        _call(**UNDIALLED) | RELEASED,
        _call(**UNDIALLED) | {"orders": ()},
        _call(**{**UNDIALLED, "sendings": 1}) | {"orders": (), **RELEASED},
        {"calls": (PAID,)},
        {"entries": (*HOLDS, (1, "capture", 50))},
        {"entries": (*HOLDS, (1, "capture", 50), (1, "capture", 50), (2, "release", 50))},
        {"entries": (*HOLDS, (1, "capture", 50), (1, "release", 50), (2, "release", 50))},
        {"balance_micros": 200},
        {"held_micros": 50},
    ],
)
def test_each_fault_is_found(changes: dict[str, Any]) -> None:
    """
    A phone that rang twice, or for nobody, or for a call that says it was not dialled; money that does not add up.
    """
    with pytest.raises((AssertionError, KeyError)):
        check(attrs.evolve(GOOD, **changes), [])


@pytest.mark.parametrize("accepted", [[3], [1, 1]])
def test_answers_that_the_database_does_not_know_are_found(accepted: list[int]) -> None:
    """
    A call that a client was promised and that is not there, and one that was promised twice.
    """
    with pytest.raises(AssertionError):
        check(GOOD, accepted)
