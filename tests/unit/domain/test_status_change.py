"""
What clients are told of a call: each change of its status, once, and the call as it was then.
"""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import attrs
import pytest

from outdial.domain.model.call import Call, Status
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import ID_MAX, EventId, Position, read_place
from outdial.domain.model.lifecycle import TRANSITIONS, State, Trigger
from outdial.domain.model.status_change import StatusChange, status_change
from tests import builders

DEPTH = 9
"""Longer than any life without returns to the queue, and long enough for one return or a second attempt."""

UNTOLD = {State.LEASED, State.DIALING, State.UNKNOWN}
"""States that are no news: whoever doubts a call tells nobody that it does not ring any more."""

OVER = {"ended_at": builders.NOW + timedelta(seconds=90), "disposition": Disposition.BUSY, "talk_s": 60}


FACTS: dict[Trigger, dict[str, Any]] = {
    Trigger.END: OVER,
    Trigger.RETRY: {"disposition": Disposition.CARRIER_ERROR},
    Trigger.LEASE: {"disposition": None},
}


def _record(call: Call, number: int) -> CallRecord:
    return CallRecord(
        number=number,
        call_id=call.id,
        account_id=call.account_id,
        state=call.state,
        disposition=call.disposition,
        at=builders.NOW + timedelta(seconds=call.version),
    )


def _lives(life: tuple[Call, ...]) -> Iterator[tuple[Call, ...]]:
    """
    Yield everything that may become of a call, as the calls that it was.
    """
    last = life[-1]
    if last.is_terminal or len(life) == DEPTH:
        yield life
    for trigger, state in TRANSITIONS[last.state].items():
        if len(life) < DEPTH and trigger is not Trigger.REVEAL:
            answered = last.answered_at or (builders.NOW if state is State.IN_PROGRESS else None)
            following = last.after(trigger, answered_at=answered, **FACTS.get(trigger, {}))
            assert following is not None
            yield from _lives((*life, following))


def _changes(life: tuple[Call, ...]) -> list[StatusChange]:
    told = (status_change(_record(call, number), life[-1]) for number, call in enumerate(life, 1))
    return [change for change in told if change is not None]


def test_each_change_of_status_is_told_once() -> None:
    """
    Over every life that the table of transitions allows; only after a doubt the same may be told again.
    """
    lives = list(_lives((builders.call(),)))

    assert len(lives) > 50
    for life in lives:
        statuses = [call.status for call in life if call.state not in UNTOLD]
        told = [change.status for change in _changes(life)]
        assert _without_repeats(statuses) == _without_repeats(told)
        if State.UNKNOWN not in {call.state for call in life}:
            assert _without_repeats([call.status for call in life]) == told


def _without_repeats(statuses: list[Status]) -> list[Status]:
    return [status for before, status in zip([None, *statuses], statuses, strict=False) if status != before]


@pytest.mark.parametrize("answered_at", [None, builders.NOW])
def test_a_call_that_took_place_after_all_is_told(answered_at: datetime | None) -> None:
    """
    Who heard that it failed hears that it was completed; another failure is no news. The earlier news stays the same.
    """
    given_up = builders.call(
        state=State.SETTLED, disposition=Disposition.OUTCOME_UNKNOWN, ended_at=builders.NOW, version=7
    )
    revealed = given_up.after(Trigger.REVEAL, answered_at=answered_at, disposition=Disposition.HANG_UP_CALLEE, talk_s=9)
    assert revealed is not None

    first = status_change(_record(attrs.evolve(given_up, state=State.ENDED), 7), revealed)
    second = status_change(_record(revealed, 8), revealed)

    assert first is not None
    assert (Status.FAILED, Disposition.OUTCOME_UNKNOWN, 0) == (first.status, first.call.disposition, first.call.talk_s)
    assert (None if answered_at is None else Status.COMPLETED) == (second.status if second is not None else None)


def test_a_change_is_the_same_whenever_it_is_told() -> None:
    """
    Told at once or after the call's end: the same name, and the same call but for what its end settles.
    """
    for life in _lives((builders.call(),)):
        told_late = _changes(life)
        for change in told_late:
            length = change.record.number
            (told_at_once,) = [early for early in _changes(life[:length]) if early.id == change.id]
            settled = attrs.evolve(told_at_once.call, state=change.call.state, version=change.call.version)
            if change.record.state is not State.ENDED:
                assert attrs.evolve(told_at_once.call, version=change.call.version) == change.call
            else:
                assert settled == change.call


def test_a_call_that_is_told_of_early_has_no_end_yet() -> None:
    """
    What came later is not known when the phone rings.
    """
    over = builders.call(
        state=State.SETTLED, answered_at=builders.NOW, cause=HangUpCause(code=486), charge_micros=1, **OVER
    )
    ringing = status_change(_record(builders.call(state=State.RINGING), 4), over)

    assert ringing is not None
    assert (Status.RINGING, None, None, None, None, 0, 0) == (
        ringing.status,
        ringing.call.answered_at,
        ringing.call.ended_at,
        ringing.call.disposition,
        ringing.call.cause,
        ringing.call.talk_s,
        ringing.call.charge_micros,
    )


def test_an_event_is_named_after_its_call_and_record() -> None:
    """
    The name is read as it is written.
    """
    change = status_change(_record(builders.call(), 5), builders.call())

    assert change is not None
    assert f"{builders.CALL_NUMBER}-5" == str(change.id)
    assert change.id == read_place(str(change.id))
    assert EventId(call=ID_MAX, number=ID_MAX) == read_place(f"{ID_MAX}-{ID_MAX}")


@pytest.mark.parametrize("position", [Position(), Position(0, 7), Position(ID_MAX, ID_MAX)])
def test_a_place_in_the_log_is_read_as_it_is_written(position: Position) -> None:
    """
    Its beginning is a place, too.
    """
    assert position == read_place(str(position))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "1",
        "-",
        "1-",
        "-1",
        "0-1",
        "1-0",
        "01-1",
        "1-1 ",
        "1-1-1",
        "٣-1",
        f"1-{2**63}",
        f"@{2**63}-1",
        "@1",
        "@01-1",
    ],
)
def test_other_texts_name_no_event(text: str) -> None:
    """
    Neither half may be missing, zero, padded, or larger than a row can be.
    """
    assert read_place(text) is None
