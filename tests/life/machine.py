"""
What the network, time and disasters do to calls, and the laws that are checked after each step.
"""

from datetime import datetime, timedelta
from enum import Enum, auto
from functools import partial
from typing import Final

from hypothesis import strategies as st
from hypothesis.stateful import invariant, precondition, rule

from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Answered, CallEvent, Ended, Ringing
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.do_not_call import DEFAULT_LIST
from outdial.domain.model.incident import Objection
from outdial.domain.model.lifecycle import ON_THE_LINE, TERMINAL, State
from outdial.domain.model.patience import SLACK_S
from outdial.domain.service import answering, progress, quarantine, reconciliation
from outdial.entrypoints.auditing import audit
from tests.life import laws
from tests.life.desk import CALLEES, DAY_S, OTHER_NUMBER, which
from tests.life.snapshot import Snapshot
from tests.life.workers import PATIENCE, UNDIALLED, WORKERS, Fate, Lease, Workers


class News(Enum):
    """
    What is heard of a call next.
    """

    NEXT = auto()
    ANSWER = auto()
    END = auto()
    SILENCE = auto()
    UNWANTED = auto()
    LISTED = auto()
    REVOKED = auto()
    RENUMBERED = auto()
    TAKEN_OVER = auto()
    ECHO = auto()


MEDDLING: Final = {News.UNWANTED, News.LISTED, News.REVOKED, News.RENUMBERED, News.TAKEN_OVER, News.ECHO}

fates = st.sampled_from((*Fate, Fate.TAKEN, Fate.TAKEN_AND_KILLED))
some_news = st.lists(st.sampled_from((*[News.NEXT] * 9, *News, News.ANSWER)), min_size=2, max_size=9)


class Life(Workers):
    """
    Calls of two accounts, several workers that sleep, die and wake up, and a network that tells late, twice or never.
    """

    def __init__(self) -> None:
        super().__init__()
        self.gives_up = False
        self.steps: set[laws.Step] = set()

    def teardown(self) -> None:
        """
        Audit the database as operators do, and forget it.
        """
        try:
            if self.settings is not None:
                assert audit(self.settings, on_progress=lambda _progress: None).finding is None
        finally:
            self.open.close()

    @rule(number=which, fate=fates, news=some_news)
    def go_on(self, number: int, fate: Fate, news: list[News]) -> None:
        """
        A call goes its way for a while, as one news follows the other, so that long lives are met often.
        """
        for one in news:
            self._take_next_step(number, fate, one)
            self.everything_holds()

    @rule(number=which, fate=fates, news=some_news)
    def go_on_once_more(self, number: int, fate: Fate, news: list[News]) -> None:
        """
        The same, as each rule is drawn alike often.
        """
        self.go_on(number, fate, news)

    @rule(number=which, fate=fates, news=some_news)
    def go_on_again(self, number: int, fate: Fate, news: list[News]) -> None:
        """
        The same.
        """
        self.go_on(number, fate, news)

    def _take_next_step(self, number: int, fate: Fate, news: News) -> None:
        calls = self.last().calls
        lease = self.latest((one for one in self.leases if self._goes_on(one, calls[one.leased.id])), number)
        if lease is None:
            if not any(call.state is State.QUEUED for call in calls.values()):
                asked = [(1 + number % 2, CALLEES[self.tokens % len(CALLEES)], "")]
                self.accept(asked, has_key=number > 1, queue_timeout_s=DAY_S)
            self.clock += timedelta(minutes=1)
            self.lease(WORKERS[number % len(WORKERS)], limit=1, calls_max=None)
        elif news in MEDDLING:
            self._meddle(calls[lease.leased.id], news)
        elif lease.sending is None:
            self.send(lease, is_heard=True)
        elif not lease.is_placed:
            self.hand_over(lease, fate)
        else:
            self._hear(lease.attempt, calls[lease.leased.id], news)

    def _meddle(self, call: Call, news: News) -> None:
        """
        Have somebody else do something to a call.
        """
        account_id = call.account_id
        match news:
            case News.UNWANTED:
                self.end_for_client(account_id, call)
            case News.LISTED:
                self.list_number(account_id, call.phone_number, DEFAULT_LIST, 1)
            case News.REVOKED:
                self.change_directory(account_id, None)
            case News.RENUMBERED:
                self.change_directory(account_id, OTHER_NUMBER)
            case News.ECHO:
                for lease in self.overtaken():
                    self._apply(lease.attempt, Answered(attempt_id=lease.attempt.attempt_id, at=self.now()))
            case _:
                rival = WORKERS[call.id % len(WORKERS)]
                self.recover(rival, 0, sees_its_own=False)
                self.clock += timedelta(minutes=1)
                self.lease(rival, limit=3, calls_max=None)

    def _goes_on(self, lease: Lease, call: Call) -> bool:
        is_newest = lease.leased.fence == self.books.fences[lease.leased.id]
        return is_newest and (not call.is_terminal or call.disposition is Disposition.OUTCOME_UNKNOWN)

    def _hear(self, known: Call, call: Call, news: News) -> None:
        """
        Have the network tell what comes next in a good call, or what else there is.
        """
        attempt_id, at = known.attempt_id, self.now()
        end = partial(Ended, attempt_id=attempt_id, at=at)
        match news, call.state:
            case News.SILENCE, State.UNKNOWN:
                self.reconcile(900)
            case News.SILENCE, _:
                self._apply(known, end(disposition=Disposition.OUTCOME_UNKNOWN))
            case (News.END, _) | (News.NEXT, State.IN_PROGRESS | State.SETTLED):
                self._apply(known, end(disposition=Disposition.HANG_UP_CALLEE, talk_s=61))
            case News.ANSWER, _:
                self._apply(known, Answered(attempt_id=attempt_id, at=at))
                self._ask(known, is_reachable=True)
            case News.NEXT, State.RINGING:
                self._apply(known, Answered(attempt_id=attempt_id, at=at))
            case _:
                self._apply(known, Ringing(attempt_id=attempt_id, at=at))

    @precondition(lambda self: self.placed())
    @rule(number=which, kind=st.sampled_from((Ringing, Answered)), late_s=st.sampled_from((0, 0, 3600)))
    def hear(self, number: int, kind: type[Ringing | Answered], late_s: int) -> None:
        """
        The network says that it rings or was answered; perhaps late, perhaps twice, perhaps of a refused order.
        """
        call = self.latest(self.overtaken() or self.placed(), number).attempt
        self._apply(call, kind(attempt_id=call.attempt_id, at=self.now() - timedelta(seconds=late_s)))

    @precondition(lambda self: self.placed())
    @rule(number=which, talk_s=st.sampled_from((0, 0, 1, 61, 600, 2000)), disposition=st.sampled_from(Disposition))
    def end(self, number: int, talk_s: int, disposition: Disposition) -> None:
        """
        The network says that it is over, or that it knows no more of it; perhaps twice.
        """
        call = self.latest(self.placed(), number).attempt
        self._apply(call, Ended(attempt_id=call.attempt_id, at=self.now(), disposition=disposition, talk_s=talk_s))

    def _apply(self, call: Call, event: CallEvent) -> None:
        before = self.call(call)
        if isinstance(event, Answered) or (isinstance(event, Ended) and event.talk_s > 0):
            self.books.answers.add(call.attempt_id)
        if isinstance(event, Ended):
            self.books.talks[call.id].add(event.talk_s)
        after = self.database.transact(partial(progress.apply_event, dialled=call, event=event, patience=PATIENCE))
        assert after == self.call(call)
        if before.attempt_id != call.attempt_id or before.state in UNDIALLED:
            assert before == after

    @precondition(lambda self: self.placed())
    @rule(number=which, is_reachable=st.sampled_from((True, True, False)), is_old=st.booleans())
    def ask_gate(self, number: int, *, is_reachable: bool, is_old: bool) -> None:
        """
        Somebody answers: the conversation begins, or is stopped and costs nothing.
        """
        leases = (is_old and self.overtaken()) or self.placed()
        self._ask(self.latest(leases, number).attempt, is_reachable=is_reachable)

    def _ask(self, call: Call, *, is_reachable: bool) -> None:
        """
        Ask whether a conversation may begin, or stop it as if nobody could be asked.
        """
        before, at = self.call(call), self.now()
        objection: Objection | None = Objection.NOT_CHECKED
        if is_reachable:
            objection = self.database.transact(partial(answering.check_answer, dialled=call, at=at))
        else:
            work = partial(answering.stop_answered, dialled=call, at=at, objection=Objection.NOT_CHECKED)
            self.database.transact(work)
        assert (self._objection(before, call, at) if is_reachable else Objection.NOT_CHECKED) is objection
        if objection is not None:
            self.books.incidents.setdefault((call.id, call.attempt), objection)
        after, can_end = self.call(call), before.state in ON_THE_LINE | {State.UNKNOWN}
        if objection is None or not can_end or before.attempt != call.attempt:
            assert before == after
        else:
            assert (State.SETTLED, objection.disposition, 0, 0, None) == (
                after.state,
                after.disposition,
                after.charge_micros,
                after.talk_s,
                after.answered_at,
            )

    def _objection(self, stored: Call, dialled: Call, at: datetime) -> Objection | None:
        """
        Return what stands against a conversation.
        """
        if (stored.attempt, stored.fence) != (dialled.attempt, dialled.fence):
            return Objection.SUPERSEDED
        if stored.state not in ON_THE_LINE | {State.UNKNOWN}:
            return Objection.OVER
        why = Disposition.CANCELED if stored.hang_up_at is not None else self.books.obstacle(stored, at)
        return Objection(why.value) if why is not None else None

    @precondition(lambda self: self.placed())
    @rule(number=which)
    def close(self, number: int) -> None:
        """
        A worker ends a conversation whose time is up and of which the network says nothing more.
        """
        call = self.latest(self.placed(), number).attempt
        before, at = self.call(call), self.now()
        if before.state is State.IN_PROGRESS and before.answered_at is not None:
            talk_s = (at - before.answered_at).total_seconds()
            self.books.talks[call.id].add(min(int(talk_s), before.max_duration_s))
            self.database.transact(partial(progress.close, dialled=call, at=at, disposition=Disposition.TIME_LIMIT))

    @rule(seconds=st.sampled_from((0, 0, 60, 60, 900, 108_000)))
    def reconcile(self, seconds: int) -> None:
        """
        Time passes, and calls whose time is up are moved on.
        """
        self.clock += timedelta(seconds=seconds)
        at = self.now()
        work = partial(reconciliation.reconcile, limit=2, at=at, patience=PATIENCE)
        while self.database.transact(work):
            pass
        for call in self.stored().calls.values():
            slack = timedelta(seconds=SLACK_S if call.state in ON_THE_LINE else 0)
            until = call.expires_at if call.state is State.QUEUED else call.deadline_at
            is_patient = call.state in TERMINAL | {State.LEASED} or (until is not None and at < until + slack)
            assert is_patient, f"Call {call.id} is {call.state} for ever."

    @precondition(lambda self: len(self.books.over) > 1)
    @rule(restores=st.sampled_from((True, False, False)), limit=st.integers(1, 2))
    def enter_place(self, limit: int, *, restores: bool) -> None:
        """
        A worker makes sure that the database is where it was dialled from; it may have been restored.
        """
        if restores:
            self.database.transact(lambda transaction: transaction.places.leave())
        before = self.stored()
        while ended := self.database.transact(partial(quarantine.enter_place, limit=limit, at=self.now())):
            self.books.quarantined.update(call.id for call in ended)
            assert all(quarantine.is_quarantined(call) for call in ended)
        after = self.stored()
        assert after.is_here
        assert (before.epoch + (not before.is_here)) == after.epoch
        if not before.is_here:
            assert not any(call.state in UNDIALLED for call in after.calls.values())

    @precondition(lambda self: self.books.over)
    @rule(is_copy=st.booleans(), limit=st.integers(1, 2))
    def leave_place(self, limit: int, *, is_copy: bool) -> None:
        """
        The database is promoted under running workers, or it is a copy, in which all that is not over ends.
        """
        if not is_copy:
            self.database.transact(lambda transaction: transaction.places.leave())
            return
        self.gives_up = True
        while ended := self.database.transact(partial(quarantine.quarantine, limit=limit, at=self.now())):
            self.books.quarantined.update(call.id for call in ended if call.state is State.BLOCKED)
        assert all(call.is_terminal for call in self.stored().calls.values())

    @invariant()
    def everything_holds(self) -> None:
        """
        Look at all that is stored, and at what changed of it.
        """
        now = self.stored()
        if self.before is not None:
            self._check_changes(self.before, now)
        if now != self.before:
            laws.check(now, self.books)
        self.before, self.gives_up = now, False
        self.steps.update(step for records in now.records.values() for step in laws.steps_of(records))

    def _check_changes(self, before: Snapshot, now: Snapshot) -> None:
        """
        Nothing that was written changes, and an outcome is given up only when its time is up.
        """
        for call_id, records in before.records.items():
            assert records == now.records[call_id][: len(records)]
        for account_id, ledger in before.ledgers.items():
            assert ledger == now.ledgers[account_id][: len(ledger)]
        for call_id, call in now.calls.items():
            was = before.calls.get(call_id)
            if was is None or was.is_terminal or call.disposition is not Disposition.OUTCOME_UNKNOWN:
                continue
            is_up = was.deadline_at is not None and was.deadline_at <= self.clock
            assert self.gives_up or not call.is_terminal or (was.state is State.UNKNOWN and is_up)
