"""
What a client can do about calls.
"""

from functools import partial
from typing import Final

import attrs
import structlog

from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.decision import Decision, Refused, Replayed
from outdial.domain.model.identifiers import CallReference, read_call_reference
from outdial.domain.model.lifecycle import State
from outdial.domain.model.listing import Page
from outdial.domain.model.principal import Permission
from outdial.domain.model.reason import Reason
from outdial.domain.model.refusal import Refusal
from outdial.domain.rules.preview import Preview
from outdial.domain.service.decisions import (
    DecidedCall,
    RefusalsPage,
    list_refusals,
    view_decision,
    view_refusal,
)
from outdial.domain.service.hanging_up import hang_up
from outdial.domain.service.listing import list_calls
from outdial.domain.service.preflight import preview_call
from outdial.domain.service.reading import CallView, view_call
from outdial.entrypoints.client.event_stream import EventStream
from outdial.entrypoints.client.following import follow_account, follow_call
from outdial.entrypoints.client.front import Front
from outdial.entrypoints.wire.call_requests import CallsQuery
from outdial.ports.tracer import Span

_log = structlog.get_logger()

EVERY_CALL: Final = CallsQuery()

REFUSALS_PER_PAGE: Final = 10
NO_TOKEN: Final = ""
"""Of a call that is not going to be one."""


@attrs.frozen
class CallsClient:
    """
    Calls of one account.
    """

    _front: Front

    async def initiate(self, content: CallFields | Refused, *, idempotency_key: str | None = None) -> Decision:
        """
        Return the decision on a request for a call, after it was committed; the phone is yet to ring.

        Args:
            content: The request's fields, or why they can't be read: a stranger is not told.

            idempotency_key: Names the request, so that asking again is answered again.

        Raises:
            IntakeFullError: Too many requests wait already.

            StorageError: Nothing was accepted.
        """
        with self._front.ports.tracer.step("decide") as span:
            decision = await self._decide(content, idempotency_key, span.trace_parent)
            self._tell(decision, span)
        return decision

    async def _decide(
        self, content: CallFields | Refused, idempotency_key: str | None, trace_parent: str | None
    ) -> Decision:
        front = self._front
        if (refused := await front.count(Permission.INITIATE_CALLS)) is not None:
            return refused
        return await front.ports.intake.submit(
            front.credential,
            content,
            idempotency_key=idempotency_key,
            window=front.window,
            trace_parent=trace_parent,
        )

    def _tell(self, decision: Decision, span: Span) -> None:
        """
        Tell those who watch what was decided.
        """
        self._front.ports.on_decision(decision)
        if isinstance(decision, Refused):
            span.tell(outcome="refused", reason=decision.reason.value)
            _log.debug("call_refused", reason=decision.reason.value)
            return
        is_replayed, call_id = isinstance(decision, Replayed), decision.call.call_id
        span.tell(outcome="replayed" if is_replayed else "accepted", call_id=call_id)
        if "request_id" in structlog.contextvars.get_contextvars():  # one line ties it to the call's; others have none
            _log.info("call_accepted", call_id=call_id, replayed=is_replayed)

    async def preflight(
        self, content: CallFields | Refused, *, idempotency_key: str | None = None
    ) -> Preview | Refused:
        """
        Tell what would be decided about a request for a call, rule by rule; nothing is stored, held or dialled.

        The arguments are those of `initiate`. Fields that can't be read are not judged but refused.

        Raises:
            StorageError: The database can't be read now.
        """
        ports, credential = self._front.ports, self._front.credential
        if isinstance(content, Refused):
            return await self._front.refuse(Permission.INITIATE_CALLS, content)
        request = CallRequest(
            credential=credential,
            content=content,
            token=NO_TOKEN,
            received_at=ports.clock.now(),
            idempotency_key=idempotency_key,
        )
        return await self._front.read(
            Permission.INITIATE_CALLS, lambda reader, _account: preview_call(reader, request, ports.policy)
        )

    async def decision(self, reference: CallReference | None) -> DecidedCall | Refused:
        """
        Return what the acceptance of one of the account's calls rested on.

        Args:
            reference: `None` when the client's name for it can't be one.

        Raises:
            StorageError: The database can't be read now.
        """
        return await self._front.read(Permission.READ_CALLS, partial(view_decision, reference=reference))

    async def refusals(
        self, *, reason: Reason | None = None, before: int | None = None, limit: int = REFUSALS_PER_PAGE
    ) -> RefusalsPage | Refused:
        """
        Return a page of what the account was refused, newest first.

        Args:
            reason: Those for this reason alone.

            before: The `following` of the page before.

            limit: 1 to 100.

        Raises:
            StorageError: The database can't be read now.
        """
        work = partial(list_refusals, reason=reason, before=before, limit=limit)
        return await self._front.read(Permission.READ_CALLS, work)

    async def refusal(self, number: int | None) -> Refusal | Refused:
        """
        Return one of the account's refusals.

        Args:
            number: `None` when the client's name for it can't be one.

        Raises:
            StorageError: The database can't be read now.
        """
        return await self._front.read(Permission.READ_CALLS, partial(view_refusal, number=number))

    async def show(self, reference: CallReference | None) -> CallView | Refused:
        """
        Return one of the account's calls.

        Args:
            reference: `None` when the client's name for it can't be one.

        Raises:
            StorageError: The database can't be read now.
        """
        return await self._front.read(Permission.READ_CALLS, partial(view_call, reference=reference))

    async def hang_up(self, reference: CallReference | None) -> CallView | Refused:
        """
        Cancel one of the account's calls, or have it hung up; again is fine, and one that is over stays as it is.

        Args:
            reference: `None` when the client's name for it can't be one.

        Returns:
            The call as it is now: `canceled` if it was not dialled yet, otherwise about to be hung up.

        Raises:
            StorageError: Nothing was written.
        """
        ports, began_at = self._front.ports, self._front.ports.clock.now()
        view = await self._front.write(Permission.INITIATE_CALLS, partial(hang_up, reference=reference))
        if not isinstance(view, Refused):
            ports.on_hang_up(view.call.id)
            if view.call.state is State.CANCELED and view.call.ended_at is not None and view.call.ended_at >= began_at:
                ports.on_moved(view.call, view.call.ended_at)
        return view

    async def list(self, query: CallsQuery = EVERY_CALL) -> Page[CallView] | Refused:
        """
        Return a page of the account's calls, newest first.

        Raises:
            StorageError: The database can't be read now.
        """
        work = partial(list_calls, wanted=query.filter, page=query.range)
        return await self._front.read(Permission.READ_CALLS, work)

    async def events(
        self, call_id: int | str | None = None, *, last_event_id: str | None = None
    ) -> EventStream | Refused:
        """
        Follow one of the account's calls from its beginning to its end, or all of them from now on.

        Args:
            call_id: The call's row or its `call_...` id.

            last_event_id: Of the last event that was handled: go on behind it instead.

        Raises:
            StorageError: The database can't be read now.
        """
        if call_id is None:
            return await follow_account(self._front, last_event_id)
        return await follow_call(self._front, read_call_reference(str(call_id)), last_event_id)
