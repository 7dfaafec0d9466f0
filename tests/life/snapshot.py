"""
All that is stored of two accounts, read at one moment.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Final, NamedTuple

import attrs

from outdial.domain.model.agent import AgentTotals
from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.delivery import Delivery
from outdial.domain.model.incident import Incident
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import UNSEALED, EntryKind, LedgerEntry, Wallet
from outdial.domain.model.webhook import EventType, Webhook
from outdial.domain.service.auditing import AUDITED, EPOCH
from outdial.ports.archive import Row, Table
from outdial.ports.storage import Reader
from tests import builders
from tests.life.books import ACCOUNT_IDS

MANY: Final = 10_000
EVERY_STATE: Final = frozenset(State)

WEBHOOKS: Final = (
    builders.webhook(id=1, account_id=1),
    builders.webhook(id=2, account_id=2),
    builders.webhook(id=3, account_id=1, events=frozenset({EventType.CALL_FAILED})),
)
"""Each account hears of everything, and somebody of failures alone."""


def agent_of(account_id: int) -> int:
    """
    Return the row of an account's agent.
    """
    return 100 + account_id


class _Sealed(NamedTuple):
    """
    A row of a ledger.
    """

    account_id: int
    number: int
    kind: EntryKind
    micros: int
    call_id: int | None
    at: int
    seal: bytes


@attrs.frozen(kw_only=True, repr=False)  # asyncio writes out what a task returns
class Snapshot:
    """
    What was read.

    Attributes:
        records: By call, oldest first.

        ledgers: By account.

        mail: By webhook, oldest first.

        incidents: By account.

        totals: By agent.

        is_here: Whether the database is where it was dialled from last.
    """

    calls: Mapping[int, Call]
    records: Mapping[int, tuple[CallRecord, ...]]
    wallets: Mapping[int, Wallet]
    ledgers: Mapping[int, tuple[LedgerEntry, ...]]
    mail: Mapping[int, tuple[Delivery, ...]]
    incidents: Mapping[int, tuple[Incident, ...]]
    totals: Mapping[int, AgentTotals]
    epoch: int
    is_here: bool

    def entries_of(self, call: Call) -> dict[EntryKind, int]:
        """
        Return what the ledgers say of a call; each kind once.
        """
        found = [entry for ledger in self.ledgers.values() for entry in ledger if entry.call_id == call.id]
        assert len({entry.kind for entry in found}) == len(found)
        assert {call.account_id} == {entry.account_id for entry in found}
        return {entry.kind: entry.micros for entry in found}

    def rows(self) -> Iterator[tuple[Table, list[Row]]]:
        """
        Yield the rows that an audit looks at, table by table, as far as it looks at them.
        """
        found: dict[str, Iterable[object]] = {
            "accounts": [builders.account(id=account_id) for account_id in ACCOUNT_IDS],
            "wallets": self.wallets.values(),
            "calls": self.calls.values(),
            "call_records": chain.from_iterable(self.records.values()),
            "ledger": [entry for account_id in ACCOUNT_IDS for entry in self._sealed(account_id)],
        }
        for table in AUDITED:
            yield table, [tuple(getattr(one, column, None) for column in table.columns) for one in found[table.name]]

    def _sealed(self, account_id: int) -> Iterator[_Sealed]:
        wallet = attrs.evolve(self.wallets[account_id], balance_micros=0, held_micros=0, entries=0, seal=UNSEALED)
        for entry in self.ledgers[account_id]:
            wallet = wallet.post(entry)
            yield _Sealed(
                account_id=account_id,
                number=wallet.entries,
                kind=entry.kind,
                micros=entry.micros,
                call_id=entry.call_id,
                at=(entry.at - EPOCH) // EPOCH.resolution,
                seal=wallet.seal,
            )


def snapshot(reader: Reader) -> Snapshot:
    """
    Read everything.
    """
    calls = reader.calls.in_states(EVERY_STATE, MANY)
    place = reader.places.current()
    totals = [reader.directory.agent_totals(account_id, [agent_of(account_id)]) for account_id in ACCOUNT_IDS]
    return Snapshot(
        calls={call.id: call for call in calls},
        records={call.id: reader.calls.records(call.id) for call in calls},
        wallets={account_id: _wallet(reader, account_id) for account_id in ACCOUNT_IDS},
        ledgers={account_id: reader.wallets.entries(account_id) for account_id in ACCOUNT_IDS},
        mail={webhook.id: _mail(reader, webhook) for webhook in WEBHOOKS},
        incidents={
            account_id: reader.incidents.incidents(account_id, before=None, limit=MANY) for account_id in ACCOUNT_IDS
        },
        totals={agent_id: total for found in totals for agent_id, total in found.items()},
        epoch=place.epoch,
        is_here=place.is_here,
    )


def _wallet(reader: Reader, account_id: int) -> Wallet:
    wallet = reader.wallets.wallet(account_id)
    assert wallet is not None
    return wallet


def _mail(reader: Reader, webhook: Webhook) -> tuple[Delivery, ...]:
    return reader.webhooks.outbox.deliveries(webhook, state=None, before=None, limit=MANY)[::-1]
