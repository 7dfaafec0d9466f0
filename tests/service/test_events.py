"""
Where readers of events begin and what they get, on a storage in memory.
"""

from functools import partial

from outdial.domain.model.call import Call
from outdial.domain.model.decision import Refused
from outdial.domain.model.identifiers import CallReference, Position
from outdial.domain.model.lifecycle import State
from outdial.domain.model.principal import Account
from outdial.domain.model.reason import Reason
from outdial.domain.service.events import (
    EventPage,
    account_changes,
    account_position,
    call_changes,
    call_position,
)
from tests import builders
from tests.contract.storage.database import Database, furnish_other
from tests.service.calls import accept, in_state

ACCOUNT = builders.account()
OTHER = builders.account(id=2)


def _begin(database: Database, last_event_id: str | None = None, account: Account = ACCOUNT) -> Position | Refused:
    return database.read(partial(account_position, account=account, last_event_id=last_event_id))


def _begin_call(
    database: Database, call: Call, last_event_id: str | None = None, account: Account = ACCOUNT
) -> Position | Refused:
    reference = CallReference(number=call.id, token=call.token)
    return database.read(partial(call_position, account=account, reference=reference, last_event_id=last_event_id))


def _changes(database: Database, begin: Position | Refused) -> EventPage:
    assert isinstance(begin, Position)
    return database.read(partial(account_changes, account=ACCOUNT, after=begin))


def _call_changes(database: Database, call: Call, begin: Position | Refused) -> EventPage:
    assert isinstance(begin, Position)
    page = database.read(partial(call_changes, account=ACCOUNT, after=begin, reference=CallReference(number=call.id)))
    assert isinstance(page, EventPage)
    return page


def _statuses(page: EventPage) -> list[str]:
    return [change.status.value for change in page.changes]


def _reason(answer: object) -> Reason:
    assert isinstance(answer, Refused)
    return answer.reason


def test_an_accounts_events_begin_now(database: Database) -> None:
    """
    What happened before is not told, what happens next is.
    """
    in_state(database, State.SETTLED)
    begin = _begin(database)

    assert () == _changes(database, begin).changes

    in_state(database, State.CANCELED)
    page = _changes(database, begin)
    assert (["queued", "failed"], True, False) == (_statuses(page), page.is_end, page.is_over)


def test_a_calls_events_begin_with_the_call(database: Database) -> None:
    """
    Internal states that look alike are told once, and nothing follows the last one.
    """
    call = in_state(database, State.SETTLED)

    page = _call_changes(database, call, _begin_call(database, call))

    assert ["queued", "dialing", "ringing", "in-progress", "completed"] == _statuses(page)
    assert page.is_over
    assert not _call_changes(database, call, page.until).changes


def test_a_call_that_lives_is_not_over(database: Database) -> None:
    """
    More may follow.
    """
    call = in_state(database, State.RINGING)

    page = _call_changes(database, call, _begin_call(database, call))

    assert (["queued", "dialing", "ringing"], False) == (_statuses(page), page.is_over)


def test_events_go_on_behind_the_last_one(database: Database) -> None:
    """
    Whichever it was, of one call or of the account.
    """
    begin = _begin(database)
    call = in_state(database, State.SETTLED)
    changes = _changes(database, begin).changes

    for place, change in enumerate(changes, 1):
        assert changes[place:] == _changes(database, _begin(database, str(change.id))).changes
        assert changes[place:] == _call_changes(database, call, _begin_call(database, call, str(change.id))).changes


def test_an_unknown_event_is_refused(database: Database) -> None:
    """
    Nobody goes on behind what never was, or was another account's, or another call's.
    """
    database.transact(furnish_other)
    first, second = accept(database), accept(database)
    (change,) = _call_changes(database, second, _begin_call(database, second)).changes
    name = str(change.id)

    refused = [
        _begin(database, "nonsense"),
        _begin(database, "1-999"),
        _begin(database, name, OTHER),
        _begin_call(database, first, "nonsense"),
        _begin_call(database, first, name),
        _begin_call(database, first, f"{first.id}-{change.id.number}"),
    ]

    assert [Reason.VALIDATION_ERROR] * 6 == [_reason(answer) for answer in refused]


def test_another_accounts_call_is_like_none(database: Database) -> None:
    """
    Neither its beginning nor its events are told, nor those of a name that no call can have.
    """
    database.transact(furnish_other)
    call = accept(database)
    reference = CallReference(number=call.id)

    refused = [
        _begin_call(database, call, account=OTHER),
        database.read(partial(call_position, account=ACCOUNT, reference=None, last_event_id=None)),
        database.read(partial(call_changes, account=OTHER, after=Position(), reference=reference)),
        database.read(partial(call_changes, account=ACCOUNT, after=Position(), reference=None)),
    ]

    assert [Reason.NOT_FOUND] * 4 == [_reason(answer) for answer in refused]
