"""
Calls of two accounts, their money and a worker that is lost again and again: what always holds.
"""

from contextlib import ExitStack
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    MultipleResults,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Answered, Ended, Ringing
from outdial.domain.model.decision import Accepted, Refused
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import PAST_NO_RETURN, State
from outdial.domain.model.phone_number import PhoneNumber
from outdial.domain.model.principal import Operator
from outdial.domain.service.administration import deposit
from outdial.domain.service.dialling import give_up, pass_no_return, refuse
from outdial.domain.service.do_not_call import delist_number, list_number
from outdial.domain.service.hanging_up import hang_up
from outdial.domain.service.progress import apply_event, close, mark_doubtful, mark_placed
from outdial.domain.service.reconciliation import reconcile
from outdial.ports.storage import Transaction
from tests import builders
from tests.contract.storage.database import Database, fresh
from tests.service.books import ACCOUNT_IDS, check_holds, check_money, check_records, everything
from tests.service.calls import take, tidy

CALLEES: Final = tuple(PhoneNumber(f"+1555123456{digit}") for digit in range(2))
FIRST_DEPOSIT_MICROS: Final = 2_000_000

accounts = st.sampled_from(ACCOUNT_IDS)
callees = st.sampled_from(CALLEES)
seconds = st.integers(0, 2000)


class LifeOfCalls(RuleBasedStateMachine):
    """
    Accepts, leases, dials, hears of, ends and recovers calls in any order, as networks and crashes would.
    """

    leases: Bundle[Call] = Bundle("leases")
    """Leases, those of lost workers included."""

    attempts: Bundle[Call] = Bundle("attempts")
    """Attempts that passed the point of no return, finished ones included."""

    storage_kind = "memory"

    def __init__(self) -> None:
        super().__init__()
        self._open = ExitStack()
        self._database: Database = self._open.enter_context(fresh(self.storage_kind))
        self._clock = builders.NOW
        self._tokens = 0
        self._deposits = dict.fromkeys(ACCOUNT_IDS, 0)
        self._passes: dict[int, list[str]] = {}
        self._refused: set[str] = set()
        self._over: dict[int, Call] = {}
        self._canceled: set[int] = set()
        self._listed: set[tuple[int, PhoneNumber]] = set()
        self._fences: dict[int, int] = {}

    def teardown(self) -> None:
        """
        Forget the database.
        """
        self._open.close()

    @initialize()
    def furnish(self) -> None:
        """
        Two accounts, each with an agent and some money.
        """
        self._database.transact(_furnish)
        for account_id in ACCOUNT_IDS:
            self._deposits[account_id] = FIRST_DEPOSIT_MICROS

    @rule(asked=st.lists(st.tuples(accounts, callees), min_size=1, max_size=4))
    def accept(self, asked: list[tuple[int, PhoneNumber]]) -> None:
        """
        Decide a batch; whatever is refused leaves no trace.
        """
        requests = []
        for account_id, callee in asked:
            self._tokens += 1
            requests.append(
                builders.request(
                    credential=Operator(account_id=account_id),
                    content=builders.fields(phone_number=callee.e164, agent_id=100 + account_id),
                    token=builders.token(self._tokens),
                    received_at=self._now(),
                )
            )

        decisions = self._database.accept(*requests, policy=builders.policy(max_call_duration_s=600))

        for (account_id, callee), decision in zip(asked, decisions, strict=True):
            if (account_id, callee) in self._listed:
                assert not isinstance(decision, Accepted)

    @rule(target=leases, limit=st.integers(1, 3))
    def lease(self, limit: int) -> MultipleResults[Call]:
        """
        A worker takes calls.
        """
        leased = self._database.transact(partial(take, limit=limit, at=self._now()))
        for call in leased:
            assert call.fence > self._fences.get(call.id, 0)
            self._fences[call.id] = call.fence
        return multiple(*leased)

    @rule(target=attempts, leased=leases)
    def pass_no_return(self, leased: Call) -> MultipleResults[Call]:
        """
        Some holder of some lease wants to dial.
        """
        before = self._call(leased)
        sending = self._database.transact(
            partial(pass_no_return, leased=leased, at=self._now(), patience=builders.PATIENCE)
        )
        if sending is None:
            return multiple()
        assert leased.fence == self._fences[leased.id]
        if before.state is State.LEASED:
            assert (leased.account_id, leased.phone_number) not in self._listed
            assert self._clock < sending.expires_at
            self._passes.setdefault(leased.id, []).append(sending.attempt_id)
        else:
            assert before == sending
        return multiple(sending)

    @rule(leased=consumes(leases))
    def give_up(self, leased: Call) -> None:
        """
        The agent can't be got ready.
        """
        work = partial(give_up, leased=leased, at=self._now(), cause=HangUpCause(words="There is no voice."))
        self._database.transact(work)

    @rule(attempt=attempts)
    def place(self, attempt: Call) -> None:
        """
        The network took the order.
        """
        self._database.transact(partial(mark_placed, dialled=attempt, at=self._now(), patience=builders.PATIENCE))

    @rule(attempt=attempts)
    def doubt(self, attempt: Call) -> None:
        """
        The network's answer was lost.
        """
        self._database.transact(
            partial(mark_doubtful, dialled=attempt, at=self._now(), cause=HangUpCause(), patience=builders.PATIENCE)
        )

    @rule(attempt=attempts)
    def ring(self, attempt: Call) -> None:
        """
        The network says that it rings; perhaps late, perhaps twice.
        """
        event = Ringing(attempt_id=attempt.attempt_id, at=self._now())
        self._database.transact(partial(apply_event, dialled=attempt, event=event, patience=builders.PATIENCE))

    @rule(attempt=attempts)
    def answer(self, attempt: Call) -> None:
        """
        The network says that somebody answered; perhaps late, perhaps twice.
        """
        event = Answered(attempt_id=attempt.attempt_id, at=self._now())
        self._database.transact(partial(apply_event, dialled=attempt, event=event, patience=builders.PATIENCE))

    @rule(attempt=attempts, talk_s=seconds, disposition=st.sampled_from(Disposition))
    def end(self, attempt: Call, talk_s: int, disposition: Disposition) -> None:
        """
        The network says that it is over; perhaps twice, perhaps of an attempt that was given up.
        """
        event = Ended(attempt_id=attempt.attempt_id, at=self._now(), disposition=disposition, talk_s=talk_s)
        self._database.transact(partial(apply_event, dialled=attempt, event=event, patience=builders.PATIENCE))

    @rule(attempt=attempts, disposition=st.sampled_from((Disposition.CARRIER_ERROR, Disposition.BUSY)))
    def refuse(self, attempt: Call, disposition: Disposition) -> None:
        """
        The network proves that it did not take the order; perhaps late, perhaps twice.
        """
        before = self._call(attempt)
        cause = HangUpCause(code=503, words="Service Unavailable")
        work = partial(refuse, dialled=attempt, disposition=disposition, cause=cause, patience=builders.PATIENCE)
        after = self._database.transact(partial(work, at=self._now(), is_lasting=False))
        if after.state is State.QUEUED and before != after:
            assert before.state is State.SENDING
            assert before.hang_up_at is None
            assert after.attempt < builders.PATIENCE.attempts_max
            self._refused.add(attempt.attempt_id)

    @rule(hours=st.sampled_from((0, 0, 1, 30)))
    def reconcile(self, hours: int) -> None:
        """
        Time passes, and calls whose time is up are moved on.
        """
        self._clock += timedelta(hours=hours)
        at = self._now()
        while self._database.transact(partial(reconcile, limit=2, at=at, patience=builders.PATIENCE)):
            pass

    @rule(attempt=attempts, disposition=st.sampled_from((Disposition.TIME_LIMIT, Disposition.OUTCOME_UNKNOWN)))
    def close(self, attempt: Call, disposition: Disposition) -> None:
        """
        The worker ends a call of which the network says nothing more.
        """
        self._database.transact(partial(close, dialled=attempt, at=self._now(), disposition=disposition))

    @rule()
    def restart(self) -> None:
        """
        The process is lost; the next one brings order into what it left behind.
        """
        self._database.restart()
        while self._database.transact(partial(tidy, limit=2, at=self._now())):
            pass
        begun = (PAST_NO_RETURN | {State.LEASED}) - {State.UNKNOWN}
        assert () == self._database.read(lambda reader: reader.calls.in_states(begun, 1))

    @rule(account_id=accounts, number=st.integers(1, 9))
    def hang_up(self, account_id: int, number: int) -> None:
        """
        A client hangs up some call, perhaps another account's; again changes nothing.
        """
        reference = CallReference(number=number)
        before = self._database.read(lambda reader: reader.calls.call(account_id, reference))
        work = partial(hang_up, account=builders.account(id=account_id), reference=reference, at=self._now())
        first, second = self._database.transact(work), self._database.transact(work)
        assert first == second
        assert (before is None) is isinstance(first, Refused)
        if before is not None and before.state in {State.QUEUED, State.LEASED}:
            self._canceled.add(before.id)

    @rule(leased=leases)
    def hang_up_leased(self, leased: Call) -> None:
        """
        A client hangs up while some worker holds, or held, the call.
        """
        self.hang_up(leased.account_id, leased.id)

    @rule(account_id=accounts, micros=st.integers(1, 1_000_000))
    def top_up(self, account_id: int, micros: int) -> None:
        """
        Somebody pays.
        """
        self._database.transact(partial(deposit, account_id=account_id, micros=micros, at=self._now()))
        self._deposits[account_id] += micros

    @rule(account_id=accounts, callee=callees)
    def list_number(self, account_id: int, callee: PhoneNumber) -> None:
        """
        A callee asks not to be called.
        """
        self._database.transact(partial(list_number, account_id=account_id, number=callee, at=self._now()))
        self._listed.add((account_id, callee))

    @rule(leased=leases)
    def list_leased_number(self, leased: Call) -> None:
        """
        A callee asks not to be called while the call is on its way.
        """
        self.list_number(leased.account_id, leased.phone_number)

    @rule(account_id=accounts, callee=callees)
    def delist_number(self, account_id: int, callee: PhoneNumber) -> None:
        """
        A callee may be called again.
        """
        was_listed = self._database.transact(partial(delist_number, account_id=account_id, number=callee))
        assert ((account_id, callee) in self._listed) is was_listed
        self._listed.discard((account_id, callee))

    @invariant()
    def everything_adds_up(self) -> None:
        """
        Check all that always holds, on one snapshot.
        """
        calls, ledger, wallets, records = self._database.read(everything)
        check_money(calls, ledger, wallets, self._deposits)
        check_holds(calls, ledger)
        check_records(calls, records)
        self._check_passes(calls)
        self._check_final(calls)

    def _check_passes(self, calls: tuple[Call, ...]) -> None:
        """
        All attempts of a call but its last were surely not placed, and there is no attempt without a pass.
        """
        for call in calls:
            attempts = self._passes.get(call.id, [])
            assert self._refused.issuperset(attempts[:-1])
            assert self._refused.issuperset(attempts) or call.id not in self._canceled
            assert len(attempts) == len(set(attempts)) == call.attempt
            assert (call.dialed_at is not None) is (call.attempt > 0)

    def _check_final(self, calls: tuple[Call, ...]) -> None:
        """
        What is over does not change any more, but for an outcome that was not known.
        """
        for call in calls:
            before = self._over.get(call.id)
            was_unknown = before is not None and before.disposition is Disposition.OUTCOME_UNKNOWN
            if was_unknown and call.state is State.REVEALED:
                self._over[call.id] = call
            if call.is_terminal:
                assert call == self._over.setdefault(call.id, call)
            else:
                assert call.id not in self._over
                assert call.id not in self._canceled

    def _now(self) -> datetime:
        self._clock += timedelta(seconds=7)
        return self._clock

    def _call(self, known: Call) -> Call:
        calls, *_ = self._database.read(everything)
        return next(call for call in calls if call.id == known.id)


def _furnish(transaction: Transaction) -> None:
    for account_id in ACCOUNT_IDS:
        transaction.directory.add(builders.account(id=account_id))
        transaction.directory.add(
            builders.agent(id=100 + account_id, account_id=account_id, assistant_id=f"assistant_{account_id}")
        )
        deposit(transaction, account_id, micros=FIRST_DEPOSIT_MICROS, at=builders.NOW)
    transaction.rulebook.set_rate(builders.rate())


class LifeOfCallsInSqlite(LifeOfCalls):
    """
    The same, in a file.
    """

    storage_kind = "sqlite"


TestLifeOfCalls = LifeOfCalls.TestCase
TestLifeOfCalls.settings = settings(stateful_step_count=50, max_examples=100)

TestLifeOfCallsInSqlite = LifeOfCallsInSqlite.TestCase
TestLifeOfCallsInSqlite.settings = settings(
    stateful_step_count=40, max_examples=10, suppress_health_check=[HealthCheck.too_slow]
)
