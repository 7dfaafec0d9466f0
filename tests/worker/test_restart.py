"""
Processes that are killed while they dial, and those that come after them.
"""

import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Final

import attrs
import pytest

from outdial.adapters.system.clock import SystemClock
from outdial.domain.model.call import Call
from outdial.domain.model.decision import Accepted
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.lifecycle import State
from outdial.domain.model.wallet import EntryKind
from outdial.domain.service.reconciliation import reconcile
from outdial.ports.storage import Reader
from tests import builders
from tests.contract.storage.database import FILE_NAME, Database, furnish, open_sqlite
from tests.service.calls import wallet
from tests.worker.dialling_process import SLOW_AGENT, SLOW_NETWORK

LONG_AFTER: Final = datetime(2100, 1, 1, tzinfo=UTC)
ROOT: Final = Path(__file__).parents[2]
DEPOSIT_MICROS: Final = 10**12
WAIT_S: Final = 40.0
POLL_S: Final = 0.02
EVERY_STATE: Final = frozenset(State)

ANSWERED: Final = "+15555550100"
NEVER_ANSWERED: Final = "+15555550102"
NEVER_RANG: Final = "+15555550109"
LONG_NAME: Final = "x" * 6000
"""Takes the agent some minutes to say."""


@attrs.frozen
class _Machine:
    """
    A database file, and the network's own log of the orders that reached it.
    """

    folder: Path
    database: Database

    @property
    def orders(self) -> list[str]:
        """
        Attempts that reached the network, in order.
        """
        log = self.folder / "orders"
        return log.read_text().splitlines() if log.exists() else []

    @contextmanager
    def process(self, *, time_scale: float, live_calls_max: int, slow: bool = False) -> Iterator[None]:
        """
        Dial in a process of its own, which is killed in the end.
        """
        options = [
            *("--database", self.folder / FILE_NAME, "--log", self.folder / "orders"),
            *("--time-scale", time_scale, "--live-calls-max", live_calls_max, *(["--slow"] if slow else [])),
        ]
        output = (self.folder / "output").open("ab")
        with (
            output,
            subprocess.Popen(
                [sys.executable, "-m", "tests.worker.dialling_process", *map(str, options)],
                cwd=ROOT,
                stdout=output,
                stderr=output,
            ) as running,
        ):
            try:
                yield
                assert running.poll() is None, (self.folder / "output").read_text()
            finally:
                running.kill()

    def accept(self, callee: str, **variables: str) -> Call:
        """
        Have a call accepted, beside the process that dials.
        """
        content = builders.fields(phone_number=callee, variables=variables)
        (decision,) = self.database.accept(builders.request(content=content, received_at=SystemClock().now()))
        assert isinstance(decision, Accepted)
        return decision.call

    def calls(self) -> tuple[Call, ...]:
        """
        Return all calls as they are now.
        """
        return self.database.read(lambda reader: reader.calls.in_states(EVERY_STATE, 1000))

    def states(self) -> list[State]:
        """
        Return where all calls are now.
        """
        return [call.state for call in self.calls()]

    def until(self, holds: Callable[[], bool]) -> None:
        """
        Wait until something holds.
        """
        end_s = time.monotonic() + WAIT_S
        while not holds():
            assert time.monotonic() < end_s, (self.states(), (self.folder / "output").read_text())
            time.sleep(POLL_S)

    def has_taken(self, count: int) -> bool:
        """
        Tell whether so many orders reached the network, or no more will.
        """
        return len(self.orders) >= count or self.all_over()

    def all_over(self) -> bool:
        """
        Tell whether nothing more will happen before any deadline.
        """
        return all(call.is_terminal or call.state is State.UNKNOWN for call in self.calls())

    def in_doubt(self) -> list[Call]:
        """
        Return the calls of which nobody knows the outcome yet.
        """
        return [call for call in self.calls() if call.state is State.UNKNOWN]

    def give_up(self) -> None:
        """
        Let the deadlines of all unknown calls pass.
        """
        work = partial(reconcile, limit=1000, at=LONG_AFTER, patience=builders.PATIENCE)
        self.database.transact(work)


@pytest.fixture
def machine(tmp_path: Path) -> Iterator[_Machine]:
    """
    A machine whose database holds an account with some money.
    """
    database = Database(open_sqlite(tmp_path))
    database.transact(lambda transaction: furnish(transaction, deposit_micros=DEPOSIT_MICROS))
    database.transact(lambda transaction: transaction.rulebook.set_rate(builders.rate()))
    yield _Machine(tmp_path, database)
    database.close()


def _check_books(reader: Reader) -> None:
    """
    No money was lost, nothing is held any more, and each call passed its point of no return once at most.
    """
    calls = reader.calls.in_states(EVERY_STATE, 1000)
    wallet = reader.wallets.wallet(builders.ACCOUNT_ID)
    entries = reader.wallets.entries(builders.ACCOUNT_ID)
    kinds = Counter((entry.call_id, entry.kind) for entry in entries if entry.call_id is not None)
    assert wallet is not None
    assert 0 == wallet.held_micros
    assert DEPOSIT_MICROS == wallet.balance_micros + sum(call.charge_micros for call in calls)
    assert {1} == set(kinds.values())
    assert len(calls) == sum(1 for _, kind in kinds if kind is EntryKind.HOLD)
    for call in calls:
        states = [record.state for record in reader.calls.records(call.id)]
        assert call.attempt == states.count(State.SENDING)


def test_a_killed_process_leaves_no_call_behind_and_dials_none_twice(machine: _Machine) -> None:
    """
    Whatever a killed process had not dialled is dialled by the next; whatever it had stays unknown, and costs nothing.
    """
    expected = {
        machine.accept(SLOW_AGENT).id: State.LEASED,
        machine.accept(SLOW_NETWORK).id: State.SENDING,
        machine.accept(NEVER_RANG).id: State.UNKNOWN,
        machine.accept(NEVER_ANSWERED).id: State.RINGING,
        machine.accept(ANSWERED, customer_name=LONG_NAME).id: State.IN_PROGRESS,
        machine.accept(ANSWERED).id: State.QUEUED,
        machine.accept(ANSWERED).id: State.QUEUED,
    }
    with machine.process(time_scale=0.1, live_calls_max=5, slow=True):
        machine.until(lambda: machine.states() == list(expected.values()))
    left_behind = {call.id: call.state for call in machine.calls()}
    ordered_before = machine.orders

    with machine.process(time_scale=0.01, live_calls_max=5):
        machine.until(machine.all_over)
    unknown, held_micros = machine.in_doubt(), wallet(machine.database).held_micros
    machine.give_up()

    assert expected == left_behind
    assert 4 == len(ordered_before)
    assert 4 == len(unknown)
    assert held_micros == sum(call.hold_micros for call in unknown)
    was_dialled = {State.SENDING, State.UNKNOWN, State.RINGING, State.IN_PROGRESS}
    for call in machine.calls():
        if expected[call.id] in was_dialled:
            assert (Disposition.OUTCOME_UNKNOWN, 0) == (call.disposition, call.charge_micros)
        else:
            assert (Disposition.HANG_UP_AGENT, 50_000) == (call.disposition, call.charge_micros)
    assert sorted(call.attempt_id for call in machine.calls()) == sorted(machine.orders)
    machine.database.read(_check_books)


def test_processes_that_are_killed_again_and_again_work_the_queue_off(machine: _Machine) -> None:
    """
    Killed in the midst of dialling, time after time, no call is lost and none is dialled twice.
    """
    count, orders_a_process, kills, live_calls_max = 40, 9, 4, 4
    for _ in range(count):
        machine.accept(ANSWERED)

    for _ in range(kills):
        goal = len(machine.orders) + orders_a_process
        with machine.process(time_scale=0.03, live_calls_max=live_calls_max):
            machine.until(partial(machine.has_taken, goal))
    with machine.process(time_scale=0.01, live_calls_max=live_calls_max):
        machine.until(machine.all_over)
    machine.give_up()

    dispositions = Counter(call.disposition for call in machine.calls())
    assert set(machine.orders) <= {call.attempt_id for call in machine.calls() if call.attempt == 1}
    assert {1} == set(Counter(machine.orders).values())
    assert {Disposition.HANG_UP_AGENT, Disposition.OUTCOME_UNKNOWN} == set(dispositions)
    assert dispositions[Disposition.OUTCOME_UNKNOWN] <= live_calls_max * kills
    machine.database.read(_check_books)
