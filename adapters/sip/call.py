"""
One attempt over the trunk, from its only INVITE to its only `Ended`.
"""

import asyncio
import math
from typing import Any, Final, assert_never

import structlog

from outdial.adapters.sip.conversation import Conversation, Ending
from outdial.adapters.sip.leg import Answer, Failure, Leg
from outdial.adapters.sip.outcomes import CHALLENGES, PASSING, TRYING, disposition_of, proof_of
from outdial.adapters.sip.trunk import Trunk
from outdial.domain.model.call_event import Answered, CallEvent, Ended, Ringing
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.ports.carrier import DialOrder, OnAnswer, Proof, RejectedError, Report, UncertainError
from outdial.ports.clock import Clock

_RANG: Final = range(180, 190)

log = structlog.get_logger()


class Call:
    """
    A leg to the callee and a conversation for it, under the order's time limits.

    Attributes of construction:
        ring_until_s: Give up ringing at this time of the loop's clock.
    """

    def __init__(
        self,
        *,
        order: DialOrder,
        leg: Leg,
        conversation: Conversation,
        trunk: Trunk,
        clock: Clock,
        report: Report,
        on_answer: OnAnswer,
        ring_until_s: float,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._order = order
        self._leg = leg
        self._conversation = conversation
        self._trunk = trunk
        self._clock = clock
        self._report = report
        self._on_answer = on_answer
        self._ring_until_s = ring_until_s
        self._wanted: asyncio.Future[Disposition] = self._loop.create_future()
        self._answered_at_s: float | None = None
        self._over = False

    def hang_up(self, disposition: Disposition) -> None:
        """
        End with this disposition, unless it is ending already.
        """
        if not self._wanted.done():
            self._wanted.set_result(disposition)

    async def place(self) -> None:
        """
        Send the INVITE and wait for the trunk to take it. Unless `RejectedError` is raised, `live` has to follow.

        A 100 says only that the INVITE has arrived (RFC 3261, 17.2.1): what comes after it tells what became of it.

        Raises:
            RejectedError: The trunk refused, and the phone never rang.

            UncertainError: The trunk does not react, or by a status that proves nothing. The INVITE is not repeated.
        """
        self._leg.invite()
        until_s = min(self._loop.time() + self._trunk.no_answer_from_trunk_s, self._ring_until_s)
        await self._first_of(self._leg.responded, self._wanted, until_s=until_s)
        if self._wanted.done() and not self._leg.responded.done():
            self._leg.hang_up()
            until_s = min(until_s, self._loop.time() + self._trunk.cancel_wait_s)
            await self._first_of(self._leg.responded, until_s=until_s)
        if not self._leg.responded.done():
            self._leg.give_up()
            raise UncertainError(HangUpCause(words="The trunk did not react to the INVITE"))
        await self._first_of(self._leg.progressed, self._wanted, until_s=self._ring_until_s)
        if not self._leg.outcome.done() or set(self._leg.provisional) - {TRYING}:
            return
        outcome = self._leg.outcome.result()
        if isinstance(outcome, Failure):
            self._refuse(outcome)

    def _refuse(self, failure: Failure) -> None:
        match proof_of(failure.code, local=failure.local):
            case Proof.PLACED:  # a 200 crossed our CANCEL: the phone did ring
                return
            case Proof.NOT_PLACED:
                is_lasting = failure.code not in PASSING
                raise RejectedError(self._disposition_of(failure), self._cause_of(failure), is_lasting=is_lasting)
            case Proof.AMBIGUOUS:
                raise UncertainError(self._cause_of(failure))
            case unknown:
                assert_never(unknown)

    async def live(self) -> None:
        """
        See the call through to its end and report it.
        """
        self._leg.ringing.add_done_callback(
            lambda _: self._tell(Ringing(attempt_id=self._order.attempt_id, at=self._clock.now()))
        )
        try:
            ending = await self._course()
        except asyncio.CancelledError:  # the carrier stops, and can't wait any longer
            ending = self._without_outcome()
        except Exception:  # whatever happens in one call stays in it
            log.exception("sip_call_failed", attempt_id=self._order.attempt_id)
            ending = Ending(Disposition.CARRIER_ERROR, HangUpCause(words="The SIP adapter failed"))
        talk_s = self._talk_s()
        try:
            self._leg.hang_up()
        except Exception:  # the far end will notice the silence
            log.exception("sip_hang_up_failed", attempt_id=self._order.attempt_id)
        self.close()
        ended = Ended(
            attempt_id=self._order.attempt_id,
            at=self._clock.now(),
            disposition=ending.disposition,
            talk_s=talk_s,
            cause=ending.cause,
        )
        self._tell(ended)
        self._over = True

    @property
    def is_answered(self) -> bool:
        """
        Whether somebody talks, or did.
        """
        return self._answered_at_s is not None

    def close(self) -> None:
        """
        Free what the call holds.
        """
        self._conversation.close()

    async def _course(self) -> Ending:
        await self._first_of(self._leg.outcome, self._wanted, until_s=self._ring_until_s)
        if not self._leg.outcome.done():
            self._leg.hang_up()
            await self._first_of(self._leg.outcome, until_s=self._loop.time() + self._trunk.cancel_wait_s)
        if not self._leg.outcome.done():
            return self._without_outcome()
        match self._leg.outcome.result():
            case Answer() as answer:
                return await self._talk(answer)
            case Failure() as failure:
                return Ending(self._disposition_of(failure), self._cause_of(failure))

    async def _talk(self, answer: Answer) -> Ending:
        self._answered_at_s = answer.at_s
        self._tell(Answered(attempt_id=self._order.attempt_id, at=self._clock.now()))
        talking = self._loop.create_task(self._converse(answer.description))
        try:
            until_s = answer.at_s + self._order.max_duration_s
            await self._first_of(talking, self._leg.ended, self._wanted, until_s=until_s)
            if self._leg.ended.done():
                return Ending(Disposition.HANG_UP_CALLEE, self._cause(words=self._leg.ended.result()))
            if self._wanted.done():
                return Ending(self._wanted.result(), self._cause())
            if talking.done():
                ending = talking.result()
                return Ending(ending.disposition, self._cause(ending.cause.code, ending.cause.words))
            return Ending(Disposition.TIME_LIMIT, self._cause())
        finally:
            talking.cancel()
            await asyncio.gather(talking, return_exceptions=True)

    async def _converse(self, description: str) -> Ending:
        """
        Ask whether the conversation may begin, and hold it; or say what takes its place.
        """
        instead = await self._on_answer()
        if instead is None:
            return await self._conversation.talk(self._leg, description)
        return await self._conversation.announce(self._leg, description, instead.audio)

    async def _first_of(self, *waited: asyncio.Future[Any], until_s: float) -> None:
        await asyncio.wait(waited, timeout=max(0.0, until_s - self._loop.time()), return_when="FIRST_COMPLETED")

    def _without_outcome(self) -> Ending:
        if self._leg.responded.done():
            ending = Ending(Disposition.NO_ANSWER, self._cause(words="The trunk did not answer the CANCEL"))
        else:
            ending = Ending(Disposition.OUTCOME_UNKNOWN, self._cause(words="The trunk did not react to the INVITE"))
        return Ending(self._wanted.result(), ending.cause) if self._wanted.done() else ending

    def _disposition_of(self, failure: Failure) -> Disposition:
        if self._wanted.done():
            return self._wanted.result()
        if failure.code // 100 == 2:  # noqa: PLR2004 - a 200 crossed our CANCEL
            return Disposition.NO_ANSWER
        if failure.local and not self._leg.provisional:
            return Disposition.OUTCOME_UNKNOWN
        rang = any(code in _RANG for code in self._leg.provisional)
        return disposition_of(code=failure.code, q850=failure.q850, rang=rang, local=failure.local)

    def _cause_of(self, failure: Failure) -> HangUpCause:
        words = failure.words
        if failure.code in CHALLENGES and not failure.local:
            known = self._trunk.credentials is not None
            words += ": the trunk refused our credentials" if known else ": the trunk wants credentials, we have none"
        if failure.q850 is not None:
            words += f" (Q.850 cause {failure.q850})"
        return self._cause(failure.code, words)

    def _cause(self, code: int = 0, words: str = "") -> HangUpCause:
        return HangUpCause(code=code, words=words, provisional=tuple(self._leg.provisional))

    def _talk_s(self) -> int:
        if self._answered_at_s is None:
            return 0
        return max(1, math.ceil(self._loop.time() - self._answered_at_s))

    def _tell(self, event: CallEvent) -> None:
        if not self._over:
            self._report(event)
