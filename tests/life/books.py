"""
What is known of calls and money without asking outdial: noted while things happen, to be held against what it stored.
"""

from collections import Counter, defaultdict
from datetime import datetime
from typing import Final

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.do_not_call import DEFAULT_LIST
from outdial.domain.model.incident import Objection
from outdial.domain.model.phone_number import PhoneNumber

ACCOUNT_IDS: Final = (1, 2)
MINUTE_MICROS: Final = 50_000

OF_CONTACTS: Final = "contacts"
LISTS: Final = (DEFAULT_LIST, OF_CONTACTS, None)
"""Names of an account's lists; `None` for the operator's."""


@attrs.define
class Key:
    """
    An API key, and whether it still works.
    """

    id: int
    secret: str
    is_live: bool = True


@attrs.define
class Books:
    """
    Notes on everything that was done.

    Attributes:
        deposits: By account.

        keys: All keys, by their rows.

        key_of: The row of each account's newest key.

        numbers: Each agent's number now.

        listings: Who listed which number under which list, and until when; for ever with `None`.

        named: Calls by account and idempotency key, with the number that was asked for.

        fences: The highest fence of each call.

        passes: Each call's attempts in the order of their points of no return.

        refused: Attempts that the network refused.

        log: The network's own: each call's attempts that it took. No law but one asks more of it than its length.

        answers: Attempts of which somebody said that they were answered.

        talks: What was said of each call's talk time, in seconds.

        canceled: Calls that were taken back before they were dialled.

        quarantined: Calls that were given up because of where the database was.

        incidents: Why answers were stopped, by call and attempt; of one attempt the first reason counts.

        over: Calls as they were when they were over first.
    """

    deposits: Counter[int] = attrs.field(factory=Counter)
    keys: dict[int, Key] = attrs.field(factory=dict)
    key_of: dict[int, int] = attrs.field(factory=dict)
    numbers: dict[int, PhoneNumber] = attrs.field(factory=dict)
    listings: dict[tuple[int | None, str | None, PhoneNumber], datetime | None] = attrs.field(factory=dict)
    named: dict[tuple[int, str], tuple[Call, PhoneNumber]] = attrs.field(factory=dict)
    fences: dict[int, int] = attrs.field(factory=dict)
    passes: dict[int, list[str]] = attrs.field(factory=lambda: defaultdict(list))
    refused: set[str] = attrs.field(factory=set)
    log: dict[int, list[str]] = attrs.field(factory=lambda: defaultdict(list))
    answers: set[str] = attrs.field(factory=set)
    talks: dict[int, set[int]] = attrs.field(factory=lambda: defaultdict(set))
    canceled: set[int] = attrs.field(factory=set)
    quarantined: set[int] = attrs.field(factory=set)
    incidents: dict[tuple[int, int], Objection] = attrs.field(factory=dict)
    over: dict[int, Call] = attrs.field(factory=dict)

    def is_listed(self, account_id: int, number: PhoneNumber, at: datetime) -> bool:
        """
        Tell whether an account must not dial a number.
        """
        return any(
            owner in {None, account_id} and listed == number and (until is None or at < until)
            for (owner, _name, listed), until in self.listings.items()
        )

    def obstacle(self, call: Call, at: datetime) -> Disposition | None:
        """
        Return why an accepted call may not go on.
        """
        if self.is_listed(call.account_id, call.phone_number, at):
            return Disposition.DO_NOT_CALL
        if call.key_id is not None and not self.keys[call.key_id].is_live:
            return Disposition.CANCELED
        return Disposition.CANCELED if self.numbers[call.agent_id] != call.caller_id else None

    def take_order(self, call: Call) -> None:
        """
        Note that the network took an order: at most once a call, and only after its point of no return.
        """
        self.log[call.id].append(call.attempt_id)
        assert [call.attempt_id] == self.log[call.id], "A phone rang twice."
        assert call.attempt_id in self.passes[call.id], "A phone rang that nobody had decided to ring."
        assert call.id not in self.canceled


def price_micros(call: Call) -> int:
    """
    Return what a call's talk costs: each begun minute, one at least, and never more than its hold.
    """
    return min(max(1, -(-call.talk_s // 60)) * MINUTE_MICROS, call.hold_micros)
