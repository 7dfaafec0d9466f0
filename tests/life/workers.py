"""
What workers do to calls: leasing and dialling them, sleeping, dying, and caring for those that others left behind.
"""

from enum import Enum, auto
from functools import partial
from typing import Final

import attrs
from hypothesis import strategies as st
from hypothesis.stateful import precondition, rule

from outdial.domain.model.call import Call
from outdial.domain.model.capacity import Capacity
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import BEGUN, State
from outdial.domain.model.patience import Patience
from outdial.domain.service import dialling, progress, reconciliation
from tests.life.desk import Desk, which

WORKERS: Final = ("ann", "bob", "cid")
PATIENCE: Final = Patience(ring_timeout_s=40, evidence_lag_s=60, attempts_max=2)
CAUSE: Final = HangUpCause(code=503, words="Service Unavailable")
UNDIALLED: Final = frozenset({State.QUEUED, State.LEASED})
SILENT_FOR_EVER_S: Final = 1e9

workers = st.sampled_from(WORKERS)


class Fate(Enum):
    """
    What becomes of an order, and what the worker hears of that.
    """

    TAKEN = auto()
    TAKEN_UNHEARD = auto()
    TAKEN_AND_KILLED = auto()
    LOST = auto()
    BUSY = auto()
    TROUBLE = auto()
    LASTING_TROUBLE = auto()


TAKEN: Final = {Fate.TAKEN, Fate.TAKEN_UNHEARD, Fate.TAKEN_AND_KILLED}
REFUSED: Final = {Fate.BUSY, Fate.TROUBLE, Fate.LASTING_TROUBLE}


@attrs.define
class Lease:
    """
    What a worker remembers of a call that it leased: however long it sleeps, it goes on from there.

    Attributes:
        sending: The call past its point of no return, once the worker has heard of that.

        is_placed: Whether the network has had the order.
    """

    worker: str
    leased: Call
    sending: Call | None = None
    is_placed: bool = False

    @property
    def attempt(self) -> Call:
        """
        The call as the worker knows it.
        """
        return self.sending or self.leased


class Workers(Desk):
    """
    Several workers over one database; what each remembers may be old.
    """

    def __init__(self) -> None:
        super().__init__()
        self.leases: list[Lease] = []

    @rule(worker=workers, limit=st.integers(1, 3), calls_max=st.sampled_from((None, None, 1)))
    def lease(self, worker: str, limit: int, calls_max: int | None) -> None:
        """
        A worker takes calls, as far as they may be dialled now and caps allow.
        """
        before, at = self.stored(), self.now()
        work = partial(dialling.lease, worker_id=worker, trunk="trunk", limit=limit, at=at)
        leased = self.database.transact(partial(work, capacity=Capacity(account_calls_max=calls_max)))
        assert before.is_here or not leased
        for call in leased:
            waiting = before.calls[call.id]
            assert waiting.state is State.QUEUED
            assert waiting.not_before is None or waiting.not_before <= at
            assert at < waiting.expires_at
            assert call.fence > self.books.fences.get(call.id, 0)
            self.books.fences[call.id] = call.fence
            self.leases.append(Lease(worker, call))
        if calls_max is None or not leased:
            return
        live = [call.account_id for call in self.stored().calls.values() if call.state in BEGUN]
        assert all(live.count(call.account_id) <= calls_max for call in leased)

    @precondition(lambda self: self.unsent())
    @rule(number=which, is_heard=st.sampled_from((True, True, False)))
    def pass_no_return(self, number: int, *, is_heard: bool) -> None:
        """
        Some holder of some lease wants to dial; it asks again when it hears no answer.
        """
        self.send(self.latest(self.unsent(), number), is_heard=is_heard)

    def send(self, lease: Lease, *, is_heard: bool) -> None:
        """
        Pass the point of no return, as far as that is allowed.
        """
        at = self.now()
        before, is_here = self.call(lease.leased), self.is_here()
        sending = self.database.transact(
            partial(dialling.pass_no_return, leased=lease.leased, at=at, patience=PATIENCE)
        )
        after = self.call(lease.leased)
        is_newest = lease.leased.fence == self.books.fences[before.id]
        if before.state is State.LEASED and is_newest and is_here:
            why = Disposition.EXPIRED if before.expires_at <= at else self.books.obstacle(before, at)
            assert (State.SENDING if why is None else State.BLOCKED, why) == (after.state, after.disposition)
        else:
            assert before == after
        if sending is None:
            return
        assert is_newest
        if before != after:
            self.books.passes[before.id].append(sending.attempt_id)
        if is_heard:
            lease.sending = sending

    @precondition(lambda self: self.asleep())
    @rule(number=which, is_ready=st.booleans())
    def wake_up(self, number: int, *, is_ready: bool) -> None:
        """
        A worker wakes up that had leased a call which another has leased since.
        """
        lease = self.latest(self.asleep(), number)
        if is_ready:
            self.send(lease, is_heard=True)
        else:
            self.give_up_lease(lease)

    @precondition(lambda self: self.unsent())
    @rule(number=which)
    def give_up(self, number: int) -> None:
        """
        The agent can't be got ready.
        """
        self.give_up_lease(self.latest(self.unsent(), number))

    def give_up_lease(self, lease: Lease) -> None:
        """
        End a leased call as far as it is the worker's.
        """
        before = self.call(lease.leased)
        work = partial(dialling.give_up, leased=lease.leased, at=self.now(), cause=CAUSE)
        self.database.transact(work)
        is_its_own = before.state is State.LEASED and before.fence == lease.leased.fence
        assert (State.BLOCKED if is_its_own else before.state) is self.call(before).state
        self.leases.remove(lease)

    @precondition(lambda self: self.unplaced())
    @rule(number=which, fate=st.sampled_from([*Fate, Fate.TAKEN, Fate.TAKEN, Fate.TROUBLE]))
    def place(self, number: int, fate: Fate) -> None:
        """
        A worker hands an order to the network, once, however late that is.
        """
        self.hand_over(self.latest(self.unplaced(), number), fate)

    def hand_over(self, lease: Lease, fate: Fate) -> None:
        """
        Place an order, and write down what is heard of it.
        """
        call, before, at = lease.attempt, self.call(lease.leased), self.now()
        lease.is_placed = True
        if fate in TAKEN:
            self.books.take_order(call)
        if fate is Fate.TAKEN:
            self.database.transact(partial(progress.mark_placed, dialled=call, at=at, patience=PATIENCE))
        elif fate in {Fate.TAKEN_UNHEARD, Fate.LOST}:
            work = partial(progress.mark_doubtful, dialled=call, at=at, cause=CAUSE, patience=PATIENCE)
            self.database.transact(work)
        elif fate in REFUSED:
            self.books.refused.add(call.attempt_id)
            self._take_back(call, before, fate)

    def _take_back(self, call: Call, before: Call, fate: Fate) -> None:
        """
        Write down, and once more as if nobody had heard the answer, that an order was refused.
        """
        disposition = Disposition.BUSY if fate is Fate.BUSY else Disposition.CARRIER_ERROR
        said = {"disposition": disposition, "cause": CAUSE, "is_lasting": fate is Fate.LASTING_TROUBLE}
        at = self.now()
        work = partial(dialling.refuse, dialled=call, at=at, patience=PATIENCE, **said)  # type: ignore[arg-type]
        after = self.database.transact(work)
        assert after == self.database.transact(work) == self.call(call)
        if after.state is State.QUEUED and before != after:
            assert fate is Fate.TROUBLE
            assert before.state is State.SENDING
            assert before.hang_up_at is None
            assert after.attempt < PATIENCE.attempts_max
            assert after.not_before is not None
            assert at < after.not_before < after.expires_at

    @rule(worker=workers, silent_s=st.sampled_from((0, SILENT_FOR_EVER_S)), sees_its_own=st.booleans())
    def recover(self, worker: str, silent_s: float, *, sees_its_own: bool) -> None:
        """
        A worker brings order into what others left behind, or seem to have; its own it still sees through, or not.
        """
        before = self.stored().calls
        begun = {call.id for call in before.values() if call.state in BEGUN - {State.UNKNOWN}}
        own = frozenset(one for one in begun if before[one].worker_id == worker)
        attended = own if sees_its_own else frozenset()
        self.database.transact(lambda transaction: transaction.workers.beat(worker))
        work = partial(reconciliation.recover, worker_id=worker, attended=attended, silent_s=silent_s, limit=2)
        while self.database.transact(partial(work, at=self.now(), patience=PATIENCE)):
            pass
        after = self.stored().calls
        for call_id in begun:
            was, now = before[call_id].state, after[call_id].state
            expected = State.QUEUED if was is State.LEASED else State.UNKNOWN
            assert now is was if call_id in attended else now in {was, expected}
            assert now is expected or call_id in attended or silent_s > 0

    @rule(worker=workers)
    def kill(self, worker: str) -> None:
        """
        A worker and its memory are lost, and the database is opened anew.
        """
        self.leases = [lease for lease in self.leases if lease.worker != worker or lease.is_placed]
        self.database.restart()

    def is_here(self) -> bool:
        """
        Tell whether the database is where it was dialled from last.
        """
        return self.database.read(lambda reader: reader.places.current()).is_here

    def unsent(self) -> list[Lease]:
        """
        Leases whose holders have not heard that they may dial.
        """
        return [lease for lease in self.leases if lease.sending is None]

    def unplaced(self) -> list[Lease]:
        """
        Leases whose holders are about to dial.
        """
        return [lease for lease in self.leases if lease.sending is not None and not lease.is_placed]

    def placed(self) -> list[Lease]:
        """
        Leases of orders that the network has had.
        """
        return [lease for lease in self.leases if lease.is_placed]

    def asleep(self) -> list[Lease]:
        """
        Leases of calls that were leased again before anything was sent.
        """
        return [lease for lease in self.unsent() if lease.leased.fence < self.books.fences[lease.leased.id]]

    def overtaken(self) -> list[Lease]:
        """
        Leases of orders that the network has had, of calls that were leased again.
        """
        return [lease for lease in self.placed() if lease.leased.fence < self.books.fences[lease.leased.id]]
