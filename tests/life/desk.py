"""
What people do to calls: asking for them, paying, hanging up, listing numbers, changing keys and agents' numbers.
"""

from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule

from outdial.domain.model.call import Call
from outdial.domain.model.decision import Accepted, Refused, Replayed
from outdial.domain.model.delivery import Try
from outdial.domain.model.do_not_call import DEFAULT_LIST
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import TERMINAL, State
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.principal import Operator, PresentedKey
from outdial.domain.model.reason import Reason
from outdial.domain.service import administration, delivery, do_not_call, hanging_up
from outdial.ports.storage import Transaction
from tests import builders
from tests.life.books import ACCOUNT_IDS, LISTS, MINUTE_MICROS, Books, Key
from tests.life.opening import opened, renumber
from tests.life.snapshot import WEBHOOKS, Snapshot, agent_of, snapshot

CALLEES: Final = tuple(PhoneNumber(f"+1555123456{digit}") for digit in range(6))
OTHER_NUMBER: Final = PhoneNumber("+15555550199")
DAY_S: Final = 86_400
FIRST_DEPOSIT_MICROS: Final = 2_000_000
IDEMPOTENCY_S: Final = 100_000

accounts = st.sampled_from(ACCOUNT_IDS)
callees = st.sampled_from(CALLEES)
listed_callees = st.sampled_from(CALLEES[:2])
which = st.integers(0, 3)
"""The how maniest of some things, counted from the newest."""


class Desk(RuleBasedStateMachine):
    """
    A database with two accounts, and the people before it.
    """

    storage_kind = "memory"

    def __init__(self) -> None:
        super().__init__()
        self.open = ExitStack()
        self.database, self.settings = self.open.enter_context(opened(self.storage_kind))
        self.clock = builders.NOW
        self.tokens = 0
        self.books = Books()
        self.before: Snapshot | None = None

    @initialize()
    def furnish(self) -> None:
        """
        Two accounts, each with an agent, a key and some money.
        """
        self.database.transact(_furnish)
        for account_id in ACCOUNT_IDS:
            self.books.deposits[account_id] = FIRST_DEPOSIT_MICROS
            self.books.numbers[agent_of(account_id)] = builders.CALLER_ID
            self._add_key(account_id)

    @rule(
        asked=st.lists(st.tuples(accounts, callees, st.sampled_from(("", "", "a", "b"))), min_size=1, max_size=3),
        has_key=st.booleans(),
        queue_timeout_s=st.sampled_from((40, DAY_S, DAY_S)),
    )
    def accept(self, asked: list[tuple[int, PhoneNumber, str]], *, has_key: bool, queue_timeout_s: int) -> None:
        """
        Decide a batch; whatever is refused leaves no trace, and what was asked for before is answered like then.
        """
        at = self.now()
        requests = []
        for account_id, callee, name in asked:
            self.tokens += 1
            key = self.books.keys[self.books.key_of[account_id]]
            requests.append(
                builders.request(
                    credential=PresentedKey(text=builders.key_text(key.id, key.secret))
                    if has_key
                    else Operator(account_id=account_id),
                    content=builders.fields(phone_number=callee.e164, agent_id=agent_of(account_id)),
                    token=builders.token(self.tokens),
                    received_at=at,
                    idempotency_key=name or None,
                )
            )
        policy = builders.policy(
            max_call_duration_s=600, queue_timeout_s=queue_timeout_s, idempotency_retention_s=IDEMPOTENCY_S
        )
        for (account_id, callee, name), decision in zip(
            asked, self.database.accept(*requests, policy=policy), strict=True
        ):
            self._note_decision(account_id, callee, name, decision, at)

    def _note_decision(
        self, account_id: int, callee: PhoneNumber, name: str, decision: Accepted | Replayed | Refused, at: datetime
    ) -> None:
        first = self.books.named.get((account_id, name))
        if first is not None:
            call, number = first
            if at - call.created_at > timedelta(seconds=IDEMPOTENCY_S):
                expected: object = Reason.IDEMPOTENCY_KEY_EXPIRED
            else:
                expected = call.call_id if number == callee else Reason.IDEMPOTENCY_CONFLICT
            assert not isinstance(decision, Accepted)
            assert expected == (decision.reason if isinstance(decision, Refused) else decision.call.call_id)
            return
        assert not isinstance(decision, Replayed)
        if isinstance(decision, Refused):
            assert decision.reason in {Reason.DO_NOT_CALL, Reason.INSUFFICIENT_FUNDS}
            assert (decision.reason is Reason.DO_NOT_CALL) is self.books.is_listed(account_id, callee, at)
            return
        call = decision.call
        assert not self.books.is_listed(account_id, callee, at)
        assert (account_id, callee, State.QUEUED) == (call.account_id, call.phone_number, call.state)
        assert self.books.numbers[call.agent_id] == call.caller_id
        if name:
            self.books.named[account_id, name] = call, callee

    @rule(account_id=accounts, number=which)
    def hang_up(self, account_id: int, number: int) -> None:
        """
        A client hangs up some call, perhaps another account's; again changes nothing.
        """
        call = self.latest(self.last().calls.values(), number)
        if call is not None:
            self.end_for_client(account_id, call)

    def end_for_client(self, account_id: int, call: Call) -> None:
        """
        Have a client of an account hang up a call, twice.
        """
        reference, account = CallReference(number=call.id), builders.account(id=account_id)
        work = partial(hanging_up.hang_up, account=account, reference=reference, at=self.now())
        first, second = self.database.transact(work), self.database.transact(work)
        assert first == second
        assert (call.account_id != account_id) is isinstance(first, Refused)
        if isinstance(first, Refused):
            return
        if call.state in {State.QUEUED, State.LEASED}:
            assert first.call.state is State.CANCELED
            self.books.canceled.add(call.id)
        else:
            assert first.call == self.call(call)
            assert (first.call.hang_up_at is None) is (call.state in TERMINAL and call.hang_up_at is None)

    @rule(account_id=accounts, micros=st.integers(1, 2_000_000))
    def top_up(self, account_id: int, micros: int) -> None:
        """
        Somebody pays.
        """
        work = partial(administration.deposit, account_id=account_id, micros=micros, at=self.now())
        self.database.transact(work)
        self.books.deposits[account_id] += micros

    @rule(account_id=accounts, callee=listed_callees, name=st.sampled_from(LISTS), hours=st.sampled_from((None, 1)))
    def list_number(self, account_id: int, callee: PhoneNumber, name: str | None, hours: int | None) -> None:
        """
        A callee asks not to be called, by an account or by anybody, for good or for an hour.
        """
        at, owner = self.now(), None if name is None else account_id
        until = None if hours is None else at + timedelta(hours=hours)
        work = partial(do_not_call.list_number, account_id=owner, number=callee, at=at, expires_at=until)
        self.database.transact(partial(work, list_name=name or DEFAULT_LIST))
        self.books.listings[owner, name, callee] = until

    @precondition(lambda self: self.books.listings)
    @rule(number=which)
    def delist_number(self, number: int) -> None:
        """
        A callee may be called again.
        """
        owner, name, callee = self.latest(self.books.listings, number) or (None, None, CALLEES[0])
        work = partial(do_not_call.delist_number, account_id=owner, number=callee, list_name=name)
        assert self.database.transact(work)
        del self.books.listings[owner, name, callee]

    @rule(account_id=accounts, number=st.sampled_from((None, builders.CALLER_ID, OTHER_NUMBER)))
    def change_directory(self, account_id: int, number: PhoneNumber | None) -> None:
        """
        A key is revoked and another one made; or an agent gets another number, or its own again.
        """
        if number is not None:
            renumber(self.database, agent_of(account_id), number)
            self.books.numbers[agent_of(account_id)] = number
            return
        key = self.books.keys[self.books.key_of[account_id]]
        self.database.transact(partial(administration.revoke_key, key_id=key.id, at=self.now()))
        key.is_live = False
        self._add_key(account_id)

    @rule(status=st.sampled_from((200, 200, 500, None)), seconds=st.sampled_from((0, 100)))
    def send_messages(self, status: int | None, seconds: int) -> None:
        """
        What is due is sent, and arrives or not.
        """
        self.clock += timedelta(seconds=seconds)
        at = self.now()
        take = partial(delivery.take, webhooks=WEBHOOKS, at=at, sends_max=2, limit=3)
        for sending in self.database.transact(take):
            number, problem = sending.delivery.tries, None if status else "Nobody answered."
            tried = Try(number=number, at=at, duration_ms=1, status=status, problem=problem)
            self.database.transact(partial(delivery.record, sending=sending, tried=tried, at=self.now()))

    def now(self) -> datetime:
        """
        Return the time, which goes on.
        """
        self.clock += timedelta(seconds=3)
        return self.clock

    def stored(self) -> Snapshot:
        """
        Return what is stored now.
        """
        return self.database.read(snapshot)

    def last(self) -> Snapshot:
        """
        Return what was stored when the laws were checked last: before the rule that is tried now.
        """
        return self.before if self.before is not None else self.stored()

    def call(self, known: Call) -> Call:
        """
        Return a call as it is stored now.
        """
        reference = CallReference(number=known.id)
        found = self.database.read(lambda reader: reader.calls.call_of_any_account(reference))
        assert found is not None
        return found

    @staticmethod
    def latest(things: Any, number: int) -> Any:
        """
        Return one of the newest things; `None` when there is none.
        """
        known = list(things)
        return known[-1 - number % len(known)] if known else None

    def _add_key(self, account_id: int) -> None:
        secret = builders.secret(len(self.books.keys))
        work = partial(
            administration.create_key,
            account_id=account_id,
            permissions=builders.api_key().permissions,
            secret=secret,
            at=self.now(),
            calls_per_day=builders.CALLS_PER_DAY,
        )
        key, _text = self.database.transact(work)
        self.books.keys[key.id] = Key(id=key.id, secret=secret)
        self.books.key_of[account_id] = key.id


def _furnish(transaction: Transaction) -> None:
    for account_id in ACCOUNT_IDS:
        transaction.directory.add(builders.account(id=account_id))
        agent = builders.agent(id=agent_of(account_id), account_id=account_id, assistant_id=f"assistant_{account_id}")
        transaction.directory.add(agent)
        administration.deposit(transaction, account_id, micros=FIRST_DEPOSIT_MICROS, at=builders.NOW)
    for webhook in WEBHOOKS:
        transaction.webhooks.add(webhook)
    transaction.rulebook.set_rate(builders.rate(per_minute_micros=MINUTE_MICROS))
