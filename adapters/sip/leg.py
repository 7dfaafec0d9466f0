"""
One call leg to await: it responds, is answered or fails, and ends.
"""

import asyncio
from collections.abc import Callable
from typing import Any, Final

import attrs
from sippy.CCEvents import (
    CCEventConnect,
    CCEventDisconnect,
    CCEventFail,
    CCEventPreConnect,
    CCEventRedirect,
    CCEventRing,
    CCEventUpdate,
)

from outdial.adapters.sip.dialog import Dialog, Invitation, body
from outdial.adapters.sip.lost_calls import LostCalls
from outdial.adapters.sip.outcomes import TRYING, q850_cause
from outdial.adapters.sip.transactions import TransactionManager

_RINGING: Final = frozenset({180, 183})
_GLARE: Final = 491
_GLARE_WAIT_S: Final = 2.1
"""RFC 3261, 14.1: the owner of the Call-ID waits 2.1 to 4 s before it offers again."""


@attrs.frozen(kw_only=True)
class Answer:
    """
    The far end took the call.

    Attributes:
        description: Its session description; empty when it sent none.

        at_s: When, by the loop's clock.
    """

    description: str
    at_s: float


@attrs.frozen(kw_only=True)
class Failure:
    """
    The call did not come about.

    Attributes:
        code: SIP status.

        words: The reason phrase and what else the far end said of it.

        q850: Cause in the `Reason` header.

        local: Whether the status was made up here, for want of any from the far end.
    """

    code: int
    words: str
    q850: int | None = None
    local: bool = False


class Leg:
    """
    An INVITE on its way, then a call. Its futures are never cancelled and never hold exceptions.

    Attributes:
        responded: Done at the first response of the far end, or when none can come any more.

        progressed: Done at the first of them that is more than a 100.

        ringing: Done at the first 180 or 183.

        outcome: The answer, or why there is none.

        ended: Done when the far end hangs up; holds its reason, often empty.

        provisional: The 1xx statuses so far.
    """

    def __init__(
        self,
        transactions: TransactionManager,
        invitation: Invitation,
        *,
        lost_calls: LostCalls,
        on_offer: Callable[[str | None], str | None] = lambda _offer: None,
    ) -> None:
        loop = asyncio.get_running_loop()
        self.responded: asyncio.Future[None] = loop.create_future()
        self.progressed: asyncio.Future[None] = loop.create_future()
        self.outcome: asyncio.Future[Answer | Failure] = loop.create_future()
        self.ended: asyncio.Future[str] = loop.create_future()
        self.ringing: asyncio.Future[None] = loop.create_future()
        self.provisional: list[int] = []
        self.cancelled = False
        self.on_offer = on_offer
        self._transactions = transactions
        self._lost_calls = lost_calls
        self._call_id = invitation.call_id
        self._updated: asyncio.Future[int] | None = None
        self._dialog = Dialog(transactions, invitation, self)
        self._dialog.on_bye_answered = lambda _code: lost_calls.forget(invitation.call_id)

    def invite(self) -> None:
        """
        Send the INVITE, once in the leg's life.
        """
        self._dialog.invite()

    def give_up(self) -> None:
        """
        Stop repeating an INVITE that nobody reacts to; a late response is still heard.
        """
        if self._dialog.tr is not None:
            self._transactions.give_up(self._dialog.tr)

    def hang_up(self) -> None:
        """
        CANCEL before the answer, BYE after it; again is fine.

        A CANCEL waits for the first 1xx (RFC 3261, 9.1). A 200 that crosses it gets its ACK and a BYE.
        """
        if self.cancelled or self.ended.done():
            return
        self.cancelled = True
        self._lost_calls.count_no_more(self._call_id)
        self._dialog.stop_authenticating()
        self._dialog.recvEvent(CCEventDisconnect())

    async def offer(self, description: str, timeout_s: float) -> bool:
        """
        Offer other media in a re-INVITE; tell whether the far end took it.
        """
        code = await self._reinvite(description, timeout_s)
        if code == _GLARE:
            await asyncio.sleep(_GLARE_WAIT_S)
            code = await self._reinvite(description, timeout_s)
        return code // 100 == 2  # noqa: PLR2004 - 2xx

    async def _reinvite(self, description: str, timeout_s: float) -> int:
        self._updated = asyncio.get_running_loop().create_future()
        previous = self._dialog.lSDP
        self._dialog.recvEvent(CCEventUpdate(body(description)))
        self._keep()
        waited: set[asyncio.Future[Any]] = {self._updated, self.ended}
        done, _ = await asyncio.wait(waited, timeout=timeout_s, return_when="FIRST_COMPLETED")
        if self._updated in done:
            if self._dialog.lSDP is None:  # sippy forgets it when an offer is refused
                self._dialog.lSDP = previous
            return self._updated.result()
        return 0

    # What follows are the dialog's calls back.

    def on_event(self, event: Any) -> None:
        """
        Take sippy's event.
        """
        data = event.getData()
        if isinstance(event, CCEventRing):
            self.on_provisional(data[0])
        elif isinstance(event, CCEventConnect | CCEventPreConnect):
            self._on_success(data)
        elif isinstance(event, CCEventFail | CCEventRedirect):
            self._on_failure()
        elif isinstance(event, CCEventDisconnect):
            self._end(str(event.reason_rfc3326 or ""))

    def on_final_after_cancel(self, response: Any) -> None:
        """
        Learn how an INVITE that was canceled came out.
        """
        self._settle(self._failure_of(response))
        self._end("")

    def on_broken(self) -> None:
        """
        Give the leg up: what the far end says can't be read.
        """
        if self.outcome.done():
            return
        self._settle(Failure(code=502, words="The response was not understood", local=True))
        self._end("")

    def on_provisional(self, code: int) -> None:
        """
        Take note of a 1xx.
        """
        if self.outcome.done():
            return
        self.provisional.append(code)
        _settle(self.responded, None)
        if code != TRYING:
            _settle(self.progressed, None)
        if code in _RINGING:
            _settle(self.ringing, None)

    def _on_success(self, data: Any) -> None:
        self._keep()
        if self._updated is not None:
            _settle(self._updated, data[0])
            return
        description = "" if data[2] is None else str(data[2])
        self._settle(Answer(description=description, at_s=asyncio.get_running_loop().time()))

    def _keep(self) -> None:
        """
        Have the dialog ended by somebody else, should this process be killed.
        """
        if not (self.cancelled or self.ended.done()):
            self._lost_calls.keep(self._dialog.as_kept())

    def _on_failure(self) -> None:
        failure = self._failure_of(self._dialog.last_response)
        if self.outcome.done():
            if self._updated is not None:
                _settle(self._updated, failure.code)
            return
        self._settle(failure)
        self._end("")

    def _settle(self, outcome: Answer | Failure) -> None:
        _settle(self.outcome, outcome)
        _settle(self.responded, None)
        _settle(self.progressed, None)

    def _end(self, reason: str) -> None:
        self._lost_calls.forget(self._call_id)
        _settle(self.ended, reason)

    def _failure_of(self, response: Any) -> Failure:
        code, words = response.getSCode()
        retry_after = _raw(response, "retry-after")
        return Failure(
            code=code,
            words=words + (f" (Retry-After: {retry_after[0]})" if retry_after else ""),
            q850=q850_cause(_raw(response, "reason")),
            local=getattr(response, "is_local", False),
        )


def _raw(message: Any, name: str) -> list[str]:
    """
    Return a header's values as they were written.
    """
    return [str(header.body.body or "") for header in message.getHFs(name)]


def _settle(future: asyncio.Future[Any], result: object) -> None:
    if not future.done():
        future.set_result(result)
