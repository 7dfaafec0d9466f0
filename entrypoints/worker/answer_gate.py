"""
The question that is asked when somebody answers a call, before anything is said to them.
"""

import asyncio
import math
from collections.abc import Callable
from functools import partial
from typing import Final

import structlog

from outdial.domain.model.call import Call
from outdial.domain.model.incident import IncidentKind, Objection
from outdial.domain.service.answering import check_answer
from outdial.entrypoints.worker.line import Line
from outdial.ports.carrier import Announce

ANSWER_WITHIN_S: Final = 2.0
"""People hang up on silence. A database that needs longer is taken for one that can't be asked."""

SURE_FOR_S: Final = 7.5
"""Half of the silence after which others end a worker's calls: until then nobody else has touched the call."""

_log = structlog.get_logger()


class AnswerGate:
    """
    Lets one attempt's conversation begin, or has an apology take its place.

    Attributes:
        objection: What stands against the conversation; `None` when nothing does, or nothing is known yet.

        keeps_line: Whether the line is kept although the call may be over: to find out, or to apologize.
    """

    def __init__(self, line: Line, call: Callable[[], Call]) -> None:
        """
        Take what it works with.

        Args:
            call: Returns the call as the attempt knows it.
        """
        self._line = line
        self._call = call
        self._confirmed_at_s, self._confirmed_at = -math.inf, line.clock.now()
        self.objection: Objection | None = None
        self.keeps_line = False

    def confirm(self) -> None:
        """
        Note that the database has just said that the call is this attempt's.
        """
        self._confirmed_at_s, self._confirmed_at = asyncio.get_running_loop().time(), self._line.clock.now()

    async def ask(self) -> Announce | None:
        """
        Return `None` when the conversation may begin, otherwise the apology.

        A database that can't be asked stops no conversation as long as the call is surely this attempt's. If it does
        stop one, nothing is written of it yet: that is left to the attempt.
        """
        call = self._call()
        self.keeps_line = True
        try:
            async with asyncio.timeout(ANSWER_WITHIN_S):
                work = partial(check_answer, dialled=call, at=self._line.clock.now())
                self.objection = await self._line.storage.transact(work)
        except Exception as error:  # noqa: BLE001 - whatever it is, nobody knows whether the conversation may begin
            self.objection = None if self._is_sure else Objection.NOT_CHECKED
            _log.warning("answer_not_checked", call_id=call.call_id, problem=str(error) or type(error).__name__)
        if self.objection is None:
            self.keeps_line = False
            return None
        why = self.objection.value
        _log.error("answered_call_stopped", call_id=call.call_id, attempt_id=call.attempt_id, why=why)
        self._line.on_incident(IncidentKind.ANSWER_STOPPED, self.objection)
        return self._line.apology

    @property
    def _is_sure(self) -> bool:
        """
        Whether nobody else can have ended the call since it was confirmed; the steady clock leaves out a suspension.
        """
        steady_s = asyncio.get_running_loop().time() - self._confirmed_at_s
        return max(steady_s, (self._line.clock.now() - self._confirmed_at).total_seconds()) < SURE_FOR_S
