"""
Opening a stream of events: where it begins is read together with the first that there is.
"""

from collections.abc import Callable
from functools import partial

import attrs

from outdial.domain.model.decision import Refused
from outdial.domain.model.facts import proof_of
from outdial.domain.model.identifiers import CallReference, Position
from outdial.domain.model.principal import Account, Permission
from outdial.domain.service.events import (
    EventPage,
    account_changes,
    account_position,
    call_changes,
    call_position,
)
from outdial.entrypoints.client.event_stream import EventStream
from outdial.entrypoints.client.front import Front
from outdial.ports.storage import Reader


@attrs.frozen
class _Beginning:
    """
    Where somebody begins, and the first page from there.
    """

    last_event_id: str | None
    page: EventPage


Begin = Callable[[Reader, Account], _Beginning | Refused]
Changes = Callable[[Reader, Account, Position], EventPage | Refused]


async def follow_account(front: Front, last_event_id: str | None) -> EventStream | Refused:
    """
    Follow all calls of the credential's account.
    """

    def begin(reader: Reader, account: Account) -> _Beginning | Refused:
        position = account_position(reader, account, last_event_id)
        if isinstance(position, Refused):
            return position
        return _Beginning(last_event_id or str(position), account_changes(reader, account, position))

    return await _follow(front, begin, account_changes)


async def follow_call(
    front: Front, reference: CallReference | None, last_event_id: str | None
) -> EventStream | Refused:
    """
    Follow one call of the credential's account.
    """
    changes = partial(call_changes, reference=reference)

    def begin(reader: Reader, account: Account) -> _Beginning | Refused:
        position = call_position(reader, account, reference, last_event_id)
        page = position if isinstance(position, Refused) else changes(reader, account, position)
        return page if isinstance(page, Refused) else _Beginning(last_event_id, page)

    return await _follow(front, begin, changes)


async def _follow(front: Front, begin: Begin, changes: Changes) -> EventStream | Refused:
    hub = front.ports.events
    seen = hub.growths
    beginning = await front.read(Permission.READ_CALLS, begin)
    if isinstance(beginning, Refused):
        return beginning

    async def read_on(after: Position) -> EventPage | Refused:
        return await front.read_on(Permission.READ_CALLS, lambda reader, account: changes(reader, account, after))

    proof = proof_of(front.credential)
    key_id = proof.key_id if proof is not None else None
    return hub.join(key_id) or EventStream(
        hub, beginning.page, read_on, seen=seen, key_id=key_id, last_event_id=beginning.last_event_id
    )
