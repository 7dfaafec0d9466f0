"""
Everything a dialler works with, in virtual time.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

from outdial.adapters.memory.speech import SilentSpeech
from outdial.adapters.memory.storage import MemoryStorage
from outdial.adapters.runtimes.announce import AnnounceRuntime
from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Call
from outdial.domain.model.decision import Accepted
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.patience import Patience
from outdial.domain.model.policy import Policy
from outdial.domain.model.wallet import EntryKind, Wallet
from outdial.domain.rules.ladder import decide_all
from outdial.domain.service.hanging_up import hang_up
from outdial.domain.service.reading import CallView
from outdial.entrypoints.worker.call_worker import NO_WORDS, CallWorker, CallWorkerSettings
from outdial.entrypoints.worker.line import OnIncident
from outdial.ports.carrier import Announce, Carrier
from outdial.ports.runtime import Runtime
from outdial.ports.storage import Reader
from tests import builders
from tests.contract.storage.database import furnish
from tests.worker.scripted_carrier import Fate, ScriptedCarrier, conversation
from tests.worker.unreliable_storage import UnreliableStorage
from tests.worker.virtual_time import LoopClock

T = TypeVar("T")

DEPOSIT_MICROS: Final = 10**12
RING_TIMEOUT_S: Final = 40
PATIENCE: Final = Patience(ring_timeout_s=RING_TIMEOUT_S, evidence_lag_s=60, attempts_max=1)
WATCH_S: Final = 0.5
PATIENCE_S: Final = 100_000.0

CONVERSATION: Final = [
    State.QUEUED,
    State.LEASED,
    State.SENDING,
    State.DIALING,
    State.RINGING,
    State.IN_PROGRESS,
    State.ENDED,
    State.SETTLED,
]
"""The states of a call that is answered, in order."""


class Office:
    """
    A database with an account, and whoever dials from it.
    """

    def __init__(self) -> None:
        self.clock = LoopClock()
        self.storage = UnreliableStorage(MemoryStorage())
        self.policy = Policy(max_call_duration_s=600)
        self._accepted = 0
        self._rivals = 0

    async def accept(self, count: int = 1, *, callee: str = builders.CALLEE.e164) -> list[Call]:
        """
        Have calls accepted.
        """
        requests = [
            builders.request(
                content=builders.fields(phone_number=callee),
                token=builders.token(self._accepted + number),
                received_at=self.clock.now(),
            )
            for number in range(count)
        ]
        self._accepted += count
        decisions = await self.storage.accept(requests, self.policy, decide_all)
        calls = [decision.call for decision in decisions if isinstance(decision, Accepted)]
        assert count == len(calls)
        return calls

    def dialler(
        self,
        carrier: Carrier,
        *,
        runtimes: Mapping[RuntimeKind, Runtime] | None = None,
        live_calls_max: int = 100,
        poll_s: float = 0.5,
        has_rivals: bool = False,
        patience: Patience = PATIENCE,
        apology: Announce = NO_WORDS,
        on_incident: OnIncident = lambda _kind, _objection: None,
    ) -> CallWorker:
        """
        Make a dialler; it has to be started and stopped. The first one with rivals is called as those without.
        """
        self._rivals += has_rivals
        return CallWorker(
            storage=self.storage,
            carrier=carrier,
            runtimes=runtimes or {RuntimeKind.ANNOUNCE: AnnounceRuntime(SilentSpeech())},
            clock=self.clock,
            settings=CallWorkerSettings(
                patience=patience,
                live_calls_max=live_calls_max,
                poll_s=poll_s,
                has_rivals=has_rivals,
                worker_id="worker" if self._rivals < 2 else f"worker {self._rivals}",
            ),
            apology=apology,
            on_incident=on_incident,
        )

    def carrier(self, fate: Fate = conversation) -> ScriptedCarrier:
        """
        Make a carrier that hangs up in order.
        """
        return ScriptedCarrier(self.clock, fate)

    async def hang_up(self, call: Call) -> Call:
        """
        Have a client hang up a call in another process, which can tell no dialler, and return what it is answered.
        """
        reference, at = CallReference(number=call.id), self.clock.now()
        view = await self.storage.reliable.transact(
            lambda transaction: hang_up(transaction, builders.account(), at, reference=reference)
        )
        assert isinstance(view, CallView)
        return view.call

    async def see_through(self, carrier: Carrier) -> Call:
        """
        Dial one call and return it when it is over.
        """
        (call,) = await self.accept()
        async with running(self.dialler(carrier)):
            return await self.over(call)

    async def call(self, call: Call) -> Call:
        """
        Return a call as it is now, however the storage fails.
        """

        def find(reader: Reader) -> Call:
            found = reader.calls.call_of_any_account(CallReference(number=call.id))
            assert found is not None
            return found

        return await self._look(find)

    async def over(self, call: Call) -> Call:
        """
        Return a call when nothing more happens to it.
        """
        return await self.reached(call, *(state for state in State if builders.call(state=state).is_terminal))

    async def reached(self, call: Call, *states: State) -> Call:
        """
        Return a call when it is in one of some states.
        """
        async with asyncio.timeout(PATIENCE_S):
            while (current := await self.call(call)).state not in states:
                await asyncio.sleep(WATCH_S)
        return current

    @staticmethod
    async def pass_time(seconds: float = WATCH_S) -> None:
        """
        Let time pass.
        """
        await asyncio.sleep(seconds)

    async def states(self, call: Call) -> list[State]:
        """
        Return the states that a call reached, in order.
        """
        return [record.state for record in await self._look(lambda reader: reader.calls.records(call.id))]

    async def money(self, call: Call) -> dict[EntryKind, int]:
        """
        Return what the ledger says of a call.
        """
        entries = await self._look(lambda reader: reader.wallets.entries(builders.ACCOUNT_ID))
        return {entry.kind: entry.micros for entry in entries if entry.call_id == call.id}

    async def wallet(self) -> Wallet:
        """
        Return the account's wallet.
        """
        wallet = await self._look(lambda reader: reader.wallets.wallet(builders.ACCOUNT_ID))
        assert wallet is not None
        return wallet

    async def _look(self, work: Callable[[Reader], T]) -> T:
        return await self.storage.reliable.read(work)


@asynccontextmanager
async def office() -> AsyncIterator[Office]:
    """
    Open an office, and check in the end that no money was lost.
    """
    opened = Office()
    await opened.storage.start()
    await opened.storage.transact(lambda transaction: furnish(transaction, deposit_micros=DEPOSIT_MICROS))
    await opened.storage.transact(lambda transaction: transaction.rulebook.set_rate(builders.rate()))
    yield opened
    await _check_books(opened)


@asynccontextmanager
async def running(dialler: CallWorker) -> AsyncIterator[CallWorker]:
    """
    Start a dialler, and stop it in the end.
    """
    await dialler.start()
    try:
        yield dialler
    finally:
        await dialler.stop()


async def _check_books(opened: Office) -> None:
    def check(reader: Reader) -> None:
        calls = reader.calls.in_states(frozenset(State), 100_000)
        wallet = reader.wallets.wallet(builders.ACCOUNT_ID)
        assert wallet is not None
        captured = sum(call.charge_micros for call in calls)
        assert DEPOSIT_MICROS == wallet.available_micros + wallet.held_micros + captured
        assert wallet.held_micros == sum(call.hold_micros for call in calls if not call.is_terminal)
        for call in calls:
            states = [record.state for record in reader.calls.records(call.id)]
            assert states.count(State.SENDING) == call.attempt

    await opened.storage.reliable.read(check)


async def released(bureau: Office, call: Call) -> bool:
    """
    Tell whether a call's whole hold was given back.
    """
    return await bureau.money(call) == {EntryKind.HOLD: call.hold_micros, EntryKind.RELEASE: call.hold_micros}
