"""
The question that is asked when somebody answers a call, before anything is said to them.
"""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from outdial.domain.model.call import Call
from outdial.domain.model.disposition import Disposition
from outdial.domain.service.answering import check_answer
from outdial.ports.carrier import Announce
from outdial.ports.clock import Clock
from outdial.ports.storage import Storage

ANSWER_WITHIN_S: Final = 2.0
"""People hang up on silence. A database that needs longer is taken for one that can't be asked."""

_log = structlog.get_logger()


class AnswerGate:
    """
    Lets one attempt's conversation begin, or has an apology take its place.

    Attributes:
        why: What stands against the conversation; `None` when nothing does, or nothing is known yet.

        keeps_line: Whether the line is kept although the call may be over: to find out, or to apologize.
    """

    def __init__(self, *, storage: Storage, clock: Clock, apology: Announce, call: Callable[[], Call]) -> None:
        """
        Take what it works with.

        Args:
            call: Returns the call as the attempt knows it.
        """
        self._storage = storage
        self._clock = clock
        self._apology = apology
        self._call = call
        self.why: Disposition | None = None
        self.keeps_line = False

    async def ask(self) -> Announce | None:
        """
        Return `None` when the conversation may begin, otherwise the apology: also when the database can't be asked.
        """
        call = self._call()
        self.keeps_line = True
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                work = partial(check_answer, dialled=call, at=self._clock.now())
                self.why = await self._storage.transact(work)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows whether the conversation may begin
            self.why = Disposition.CANCELED
            _log.warning("answer_not_checked", call_id=call.call_id, problem=str(error) or type(error).__name__)
        if self.why is None:
            self.keeps_line = False
            return None
        _log.error("answered_call_stopped", call_id=call.call_id, attempt_id=call.attempt_id, why=self.why.value)
        return self._apology
