"""
What storage in memory holds, and the operations of the port on it.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import TypeVar

import attrs

from outdial.domain.model.agent import Agent, AgentTotals
from outdial.domain.model.call import Call
from outdial.domain.model.call_record import CallRecord
from outdial.domain.model.contact import Contact, ContactNumber
from outdial.domain.model.delivery import Delivery, Try
from outdial.domain.model.do_not_call import DncEntry, DncList
from outdial.domain.model.grounds import Grounds
from outdial.domain.model.identifiers import AgentReference
from outdial.domain.model.incident import Incident
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.principal import Account, ApiKey
from outdial.domain.model.rate import Rate
from outdial.domain.model.refusal import Refusal
from outdial.domain.model.wallet import EntryKind, LedgerEntry, Wallet
from outdial.domain.model.webhook import Message, Webhook
from outdial.ports.dialling_place import DiallingPlace
from outdial.ports.directory import DirectoryRecord, Numbered
from outdial.ports.errors import StorageConflictError

T = TypeVar("T")


@attrs.define
class Tables:
    """
    Everything there is. Values never change, so that a copy of the dictionaries is a copy of it all.
    """

    records: dict[type[DirectoryRecord], dict[int, DirectoryRecord]] = attrs.field(
        factory=lambda: {Account: {}, ApiKey: {}, Agent: {}}
    )
    last_ids: dict[type, int] = attrs.field(factory=dict)
    contacts: dict[int, Contact] = attrs.field(factory=dict)
    agent_totals: dict[tuple[int, int], AgentTotals] = attrs.field(factory=dict)
    dnc_lists: dict[int, DncList] = attrs.field(factory=dict)
    dnc: dict[tuple[int, str], DncEntry] = attrs.field(factory=dict)
    rates: dict[tuple[str, str], Rate] = attrs.field(factory=dict)
    wallets: dict[int, Wallet] = attrs.field(factory=dict)
    ledger: list[LedgerEntry] = attrs.field(factory=list)
    calls: dict[int, Call] = attrs.field(factory=dict)
    call_records: list[CallRecord] = attrs.field(factory=list)
    call_decisions: dict[int, Grounds] = attrs.field(factory=dict)
    refusals: dict[int, Refusal] = attrs.field(factory=dict)
    incidents: list[Incident] = attrs.field(factory=list)
    webhooks: dict[int, Webhook] = attrs.field(factory=dict)
    messages: dict[int, Message] = attrs.field(factory=dict)
    deliveries: dict[tuple[int, int], Delivery] = attrs.field(factory=dict)
    tries: dict[tuple[int, int], tuple[Try, ...]] = attrs.field(factory=dict)
    seen_at_micros: dict[str, int] = attrs.field(factory=dict)
    next_starts: dict[str, int] = attrs.field(factory=dict)
    place: DiallingPlace = attrs.field(factory=lambda: DiallingPlace(epoch=1, name="memory", is_here=True))

    def copy(self) -> "Tables":
        """
        Return tables of their own with the same content.
        """
        return Tables(
            records={record_type: dict(records) for record_type, records in self.records.items()},
            last_ids=dict(self.last_ids),
            contacts=dict(self.contacts),
            agent_totals=dict(self.agent_totals),
            dnc_lists=dict(self.dnc_lists),
            dnc=dict(self.dnc),
            rates=dict(self.rates),
            wallets=dict(self.wallets),
            ledger=list(self.ledger),
            calls=dict(self.calls),
            call_records=list(self.call_records),
            call_decisions=dict(self.call_decisions),
            refusals=dict(self.refusals),
            incidents=list(self.incidents),
            webhooks=dict(self.webhooks),
            messages=dict(self.messages),
            deliveries=dict(self.deliveries),
            tries=dict(self.tries),
            seen_at_micros=dict(self.seen_at_micros),
            next_starts=dict(self.next_starts),
            place=self.place,
        )

    def count(self, account_id: int, agent_id: int, more: AgentTotals) -> None:
        """
        Add to an agent's totals.
        """
        before = self.agent_totals.get((account_id, agent_id), AgentTotals())
        self.agent_totals[account_id, agent_id] = AgentTotals(
            calls=before.calls + more.calls, talk_s=before.talk_s + more.talk_s
        )

    def check_account(self, account_id: int) -> None:
        """
        Refuse what would belong to nobody.
        """
        if account_id not in self.records[Account]:
            raise StorageConflictError(f"There is no account {account_id}; nothing was written.")


@attrs.frozen
class MemoryDirectory:
    """
    Who may ask and who talks.
    """

    _tables: Tables

    def account(self, account_id: int) -> Account | None:
        """
        Return an account.
        """
        return self._find(Account, account_id)

    def key(self, key_id: int) -> ApiKey | None:
        """
        Return a key, revoked ones included.
        """
        return self._find(ApiKey, key_id)

    def agent(self, account_id: int, agent_id: AgentReference) -> Agent | None:
        """
        Return an account's agent.
        """
        agent = self.agent_of_any_account(agent_id)
        return agent if agent is not None and agent.account_id == account_id else None

    def agent_of_any_account(self, agent_id: AgentReference) -> Agent | None:
        """
        Return an agent, whoever owns it.
        """
        if isinstance(agent_id, int):
            return self._find(Agent, agent_id)
        return next((agent for agent in self._agents() if agent.assistant_id == agent_id), None)

    def agents(self, account_id: int, *, after: int, limit: int) -> tuple[Agent, ...]:
        """
        Return at most `limit` of an account's agents after a row, in order.
        """
        mine = (agent for agent in self._agents() if agent.account_id == account_id and agent.id > after)
        return tuple(sorted(mine, key=lambda agent: agent.id)[:limit])

    def agent_totals(self, account_id: int, agent_ids: Collection[int]) -> Mapping[int, AgentTotals]:
        """
        Return what the calls of an account's agents came to.
        """
        totals = self._tables.agent_totals
        return {agent_id: totals[account_id, agent_id] for agent_id in agent_ids if (account_id, agent_id) in totals}

    def next_id(self, record_type: type[Numbered]) -> int:
        """
        Return the row number for a new record: above all that are stored, and all that were given.
        """
        stored = max(self._rows_of(record_type), default=0)
        number = max(stored, self._tables.last_ids.get(record_type, 0)) + 1
        self._tables.last_ids[record_type] = number
        return number

    def add(self, record: DirectoryRecord) -> None:
        """
        Store a new record.
        """
        if not isinstance(record, Account):
            self._tables.check_account(record.account_id)
        is_named = isinstance(record, Agent) and self.agent_of_any_account(record.assistant_id) is not None
        records = self._tables.records[type(record)]
        if record.id in records or is_named:
            raise StorageConflictError(f"The row {record.id} or its public id is taken; nothing was written.")
        records[record.id] = record
        if isinstance(record, Account):
            self._tables.wallets[record.id] = Wallet(
                account_id=record.id, currency=record.currency, balance_micros=0, held_micros=0
            )

    def update_key(self, key: ApiKey) -> None:
        """
        Store a key's changed permissions and times.
        """
        stored = self.key(key.id)
        if stored is None:
            raise StorageConflictError(f"There is no key {key.id}; nothing was written.")
        self._tables.records[ApiKey][key.id] = attrs.evolve(
            stored, permissions=key.permissions, expires_at=key.expires_at, revoked_at=key.revoked_at
        )

    def add_talk(self, account_id: int, agent_id: int, talk_s: int) -> None:
        """
        Add the talk time of a call that is being settled.
        """
        self._tables.count(account_id, agent_id, AgentTotals(talk_s=talk_s))

    def _rows_of(self, record_type: type[Numbered]) -> Iterable[int]:
        if record_type is Contact:
            return self._tables.contacts
        if record_type is ContactNumber:
            return (number.id for contact in self._tables.contacts.values() for number in contact.phone_numbers)
        return self._tables.records[record_type]  # type: ignore[index]

    def _find(self, record_type: type[T], number: int) -> T | None:
        record = self._tables.records[record_type].get(number)  # type: ignore[index]
        return record if isinstance(record, record_type) else None

    def _agents(self) -> Iterator[Agent]:
        return (agent for agent in self._tables.records[Agent].values() if isinstance(agent, Agent))


@attrs.frozen
class MemoryRulebook:
    """
    Prices.
    """

    _tables: Tables

    def rates_for(self, currency: str, number: PhoneNumber) -> tuple[Rate, ...]:
        """
        Return the rates of a currency whose prefix begins a number.
        """
        known = (rate for rate in self._tables.rates.values() if rate.currency == currency)
        return tuple(rate for rate in known if number.digits.startswith(rate.prefix))

    def set_rate(self, rate: Rate) -> None:
        """
        Store the rate of a currency and prefix, or replace it.
        """
        self._tables.rates[rate.currency, rate.prefix] = rate


@attrs.frozen
class MemoryWallets:
    """
    Money.
    """

    _tables: Tables

    def wallet(self, account_id: int) -> Wallet | None:
        """
        Return an account's wallet.
        """
        return self._tables.wallets.get(account_id)

    def entries(self, account_id: int) -> tuple[LedgerEntry, ...]:
        """
        Return an account's ledger, oldest first.
        """
        return tuple(entry for entry in self._tables.ledger if entry.account_id == account_id)

    def has_hold(self, account_id: int, call_id: int) -> bool:
        """
        Tell whether the ledger has a call's hold, and nothing yet that resolves it.
        """
        return [entry.kind for entry in self.entries(account_id) if entry.call_id == call_id] == [EntryKind.HOLD]

    def post(self, entry: LedgerEntry) -> Wallet:
        """
        Add an entry to a ledger and return the wallet after it.
        """
        self._tables.check_account(entry.account_id)
        wallet = self._tables.wallets[entry.account_id].post(entry)
        if entry.call_id is not None:
            self._check_call(entry)
        self._tables.ledger.append(entry)
        self._tables.wallets[entry.account_id] = wallet
        return wallet

    def _check_call(self, entry: LedgerEntry) -> None:
        posted = ((known.call_id, known.kind) for known in self._tables.ledger)
        if entry.call_id not in self._tables.calls or (entry.call_id, entry.kind) in posted:
            raise StorageConflictError(f"Call {entry.call_id} can't have this {entry.kind}; nothing was written.")
