"""
Mistakes that a service under test can be given, each of which the invariants must catch.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any, Final

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.lifecycle import State
from outdial.domain.service.outbox import save_call
from outdial.entrypoints.worker import attempt as attempts
from outdial.entrypoints.worker import look_up, roll
from outdial.ports.carrier import RejectedError
from outdial.ports.storage import Transaction
from tests.crash.network_carrier import NetworkCarrier


def _queue_again(transaction: Transaction, *, worker_id: str, silent_s: float, limit: int, **given: Any) -> list[Call]:
    """
    Do what a job queue does with the jobs of a process that was lost: give them to the next.
    """
    attended: Collection[int] = given["attended"]
    found = transaction.calls.unattended(worker_id, silent_s=silent_s, limit=limit + len(attended))
    again = [
        attrs.evolve(call, state=State.QUEUED, version=call.version + 1) for call in found if call.id not in attended
    ]
    for call in again:
        save_call(transaction, call, given["at"])
    return again


def _queue_begun_calls_again(_carrier: NetworkCarrier) -> None:
    vars(roll)["recover"] = _queue_again


def _send_orders_again(carrier: NetworkCarrier) -> None:
    carrier.tries = 3


def _take_doubt_for_a_refusal(_carrier: NetworkCarrier) -> None:
    async def take_back(attempt: Any, cause: HangUpCause) -> None:
        await attempt._take_back(RejectedError(Disposition.CARRIER_ERROR, cause))  # noqa: SLF001 - the mistake itself

    vars(attempts)["Attempt"]._doubt = take_back  # noqa: SLF001


def _take_not_found_for_a_refusal(_carrier: NetworkCarrier) -> None:
    async def ask(asking: Any, call: Call, _places: Any) -> None:
        def work(transaction: Transaction) -> None:
            save_call(transaction, attrs.evolve(call, state=State.QUEUED, version=call.version + 1), line.clock.now())

        line = asking._line  # noqa: SLF001 - the mistake itself
        if call.attempt == 1 and await line.carrier.find(call.attempt_id) is None:
            await line.storage.transact(work)

    vars(look_up)["LookUp"]._ask = ask  # noqa: SLF001


def _let_all_answers_pass(_carrier: NetworkCarrier) -> None:
    async def ask(_gate: Any) -> None:
        return None

    vars(attempts)["AnswerGate"].ask = ask


MISTAKES: Final[Mapping[str, Callable[[NetworkCarrier], None]]] = {
    "naive re-queue": _queue_begun_calls_again,
    "retrying client": _send_orders_again,
    "retry after doubt": _take_doubt_for_a_refusal,
    "not found is no dial": _take_not_found_for_a_refusal,
    "answer gate off": _let_all_answers_pass,
}
