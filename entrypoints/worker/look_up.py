"""
Asks the network how calls ended of which nobody hears any more.
"""

import asyncio
import math
from collections.abc import Callable, Collection, Iterable
from datetime import datetime
from typing import Final

import attrs
import structlog

from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Ended
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.lifecycle import State
from outdial.domain.service.progress import apply_event
from outdial.entrypoints.worker.line import Line
from outdial.ports.storage import Reader, Transaction

FIRST_PAUSE_S: Final = 5.0
PAUSE_MAX_S: Final = 60.0
"""A call is asked for again after 5, 10, 20, 40, 60, 60 s and so on."""

CALLS_A_PASS: Final = 100
AT_ONCE: Final = 10
"""Look-ups of one pass, and of those how many run at the same time."""

LOOK_UP_S: Final = 5.0
PASS_S: Final = 20.0
"""How long one look-up may take, and all of a pass together; what a pass leaves out waits for the next."""

UNKNOWN_MAX: Final = 1000
"""Of more unknown calls than these, the youngest have to wait until older ones are over."""

_NEVER_S: Final = -math.inf
_log = structlog.get_logger()


@attrs.frozen
class _Asked:
    """
    How often a call was asked for, and when it last was, by the loop's clock.
    """

    times: int = 0
    at_s: float = _NEVER_S

    def is_due(self, now_s: float) -> bool:
        """
        Tell whether it is to be asked for again.
        """
        return now_s - self.at_s >= min(PAUSE_MAX_S, FIRST_PAUSE_S * 2.0 ** min(self.times - 1, 16))


@attrs.define(kw_only=True, eq=False)
class LookUp:
    """
    Looks up unknown calls of all processes; several may do so at once, and each may be killed at any time.

    Only an end counts: it ends the call as a late report would. Whatever else the network says, or does not, leaves
    the call to its deadline, and it is never dialled again.

    Attributes:
        attended: Rows of calls that this process hears of by itself; they are left out.

        on_moved: Told each call that it ended, and when.
    """

    _line: Line
    _attended: Collection[int]
    _on_moved: Callable[[Call, datetime], None]
    _asked: dict[int, _Asked] = attrs.field(factory=dict, init=False)

    async def ask_due(self) -> None:
        """
        Ask for the calls whose turn it is, those first that were asked for the longest ago.

        Raises:
            StorageError: The database can't be used now.
        """
        now_s = _now_s()
        unknown = await self._unknown()
        self._asked = {call.id: self._asked.get(call.id, _Asked()) for call in unknown}
        due = [call for call in unknown if self._asked[call.id].is_due(now_s)]
        await self._ask_all(sorted(due, key=lambda call: self._asked[call.id].at_s), until_s=now_s + PASS_S)

    async def ask_overdue(self, *, until_s: float) -> None:
        """
        Ask once more for the oldest calls whose deadlines have passed, before they end as `outcome_unknown`.

        Args:
            until_s: Where to stop, by the loop's clock.

        Raises:
            StorageError: The database can't be used now.
        """
        at = self._line.clock.now()
        overdue = [call for call in await self._unknown() if call.deadline_at is None or call.deadline_at <= at]
        await self._ask_all(overdue, until_s=until_s)

    async def _unknown(self) -> list[Call]:
        found = await self._line.storage.read(_unknown_calls)
        return [call for call in found if call.id not in self._attended]

    async def _ask_all(self, calls: Iterable[Call], *, until_s: float) -> None:
        places = asyncio.Semaphore(AT_ONCE)
        asking = [self._ask(call, places) for call in list(calls)[:CALLS_A_PASS]]
        try:
            async with asyncio.timeout_at(until_s):
                await asyncio.gather(*asking)
        except TimeoutError:
            _log.warning("look_ups_too_slow", calls=len(asking))

    async def _ask(self, call: Call, places: asyncio.Semaphore) -> None:
        """
        Ask for one call; whatever goes wrong costs only this look-up.
        """
        async with places:
            self._asked[call.id] = _Asked(self._asked.get(call.id, _Asked()).times + 1, _now_s())
            try:
                async with asyncio.timeout(LOOK_UP_S):
                    ended = await self._line.carrier.find(call.attempt_id)
                if ended is not None:
                    await self._write(call, ended)
            except Exception as error:  # noqa: BLE001 - others have to be asked for as well, and this one again
                _log.warning("look_up_failed", call_id=call.call_id, problem=str(error) or type(error).__name__)

    async def _write(self, call: Call, ended: Ended) -> None:
        def work(transaction: Transaction) -> Call | None:
            before = transaction.calls.call_of_any_account(CallReference(number=call.id))
            after = apply_event(transaction, call, ended, patience=self._line.patience)
            return after if after != before else None

        changed = await self._line.storage.transact(work)
        if changed is not None:
            _log.info("call_looked_up", call_id=call.call_id, state=changed.state, disposition=changed.disposition)
            self._on_moved(changed, self._line.clock.now())


def _unknown_calls(reader: Reader) -> tuple[Call, ...]:
    return reader.calls.in_states(frozenset({State.UNKNOWN}), UNKNOWN_MAX)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
