"""
outdial inside a Python process: `async with outdial.open() as dialer: await dialer.dial(...)`.

The same decisions as over HTTP, by the same code.
"""

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime
from typing import Self

import structlog

from outdial.domain.model.call import Call
from outdial.domain.model.call_request import CallFields, CallRequest
from outdial.domain.model.decision import Decision, Refused
from outdial.domain.model.facts import Facts, look_ups
from outdial.domain.model.idempotency import named
from outdial.domain.model.identifiers import CallReference, read_call_reference
from outdial.domain.model.money import NO_CURRENCY
from outdial.domain.model.principal import Account, Credential, Operator, PresentedKey
from outdial.domain.model.reason import Reason
from outdial.domain.rules.ladder import decide
from outdial.domain.rules.preview import Preview, preview
from outdial.domain.service.decisions import DecidedCall
from outdial.domain.service.reading import CallView
from outdial.entrypoints import adopting, composition
from outdial.entrypoints.administration import Administration
from outdial.entrypoints.client.calls import CallsClient
from outdial.entrypoints.client.client import Client
from outdial.entrypoints.client.event_hub import EventHub
from outdial.entrypoints.client.front import Ports
from outdial.entrypoints.client.request_counter import RequestCounter
from outdial.entrypoints.logs import set_up_own_logging
from outdial.entrypoints.metrics import Metrics
from outdial.entrypoints.readiness import Readiness, readiness_of
from outdial.entrypoints.settings import Settings, read_settings
from outdial.entrypoints.watching import any_call, watch
from outdial.entrypoints.wire.call_requests import read_fields
from outdial.entrypoints.worker.dialling import Listeners, Workers, dialling


class Dialer:
    """
    outdial, opened; see `open`.

    Attributes:
        settings: What it was opened with.

        metrics: What this process did, in numbers.

        tracer: Follows what it does.

        administration: Accounts, keys, agents, lists, prices.
    """

    def __init__(self, settings: Settings, *, credential: Credential | None = None) -> None:
        self.settings = settings
        self._credential = credential
        self._clock = composition.clock()
        self._storage = composition.storage(settings)
        self._workers: Workers | None = None
        self._dials = False
        self._open = AsyncExitStack()
        self.metrics = Metrics()
        self.tracer = composition.tracer(settings)
        randomness = composition.randomness()
        self.administration = Administration(self._storage, self._clock, randomness)
        self._limiter = composition.rate_limiter(settings, self._clock)
        self._ports = Ports(
            storage=self._storage,
            intake=composition.intake(
                settings,
                self._storage,
                clock=self._clock,
                randomness=randomness,
                on_accepted=self._wake,
                on_committed=self.metrics.committed,
            ),
            requests=RequestCounter(self._storage, self._limiter, self._clock),
            clock=self._clock,
            randomness=randomness,
            policy=settings.policy,
            allows_loopback_webhooks=settings.webhook_allow_http_loopback,
            on_hang_up=self._hang_up,
            events=EventHub(self._storage),
            on_decision=self.metrics.decided,
            on_moved=self._moved,
            tracer=self.tracer,
        )

    async def start(self, *, dials: bool) -> Self:
        """
        Open the database and, if `dials`, begin to dial what is queued.

        Raises:
            StorageError: The database can't be used, or another process dials from it.

            CarrierUnavailableError: The carrier can't place calls as it is configured.

            SpeechError: There is no voice.
        """
        self._dials = dials
        try:
            await self._storage.start()
            self._open.push_async_callback(self._storage.stop)
            self._open.push_async_callback(self._ports.events.stop)
            self._open.push_async_callback(self._limiter.stop)
            self._open.push_async_callback(self.tracer.stop)
            if dials:
                await self._start_dialling()
        except BaseException:
            await self.stop()
            raise
        return self

    async def drain(self, *, within_s: float | None = None) -> None:
        """
        Take no more calls from the queue, let the live ones go on for a while, then hang them up; to be stopped next.

        Requests are answered and calls accepted for whoever dials next. Asked again meanwhile, the shorter time counts.

        Args:
            within_s: How long they may go on; the setting `drain_s` if absent.
        """
        if self._workers is not None:
            await self._workers.calls.stop(drain_s=self.settings.drain_s if within_s is None else within_s)

    async def stop(self) -> None:
        """
        Take no more calls, hang up the live ones, settle them and close the database. Idempotent.
        """
        await self._open.aclose()

    async def dial(
        self,
        phone_number: object,
        agent_id: object,
        *,
        contact_id: object = None,
        variables: Mapping[str, object] | None = None,
        api_key: str | None = None,
        idempotency_key: str | None = None,
    ) -> Decision:
        """
        Ask for a call; returns after the decision was committed, while the phone is yet to ring.

        Args:
            phone_number: E.164, such as `+15551234567`.

            agent_id: The agent's row or its `assistant_...` id.

            contact_id: The row of a contact.

            variables: Values for the agent's `{{variables}}`.

            api_key: Whom to act for; without any key, the operator acts for the agent's own account.

            idempotency_key: Names the request, 1 to 255 visible ASCII characters: asked again with the same one, the
                same call is answered (`Replayed`) and nothing is dialled.

        Raises:
            IntakeFullError: Too many requests wait already.

            StorageError: Nothing was accepted.
        """
        keys = [idempotency_key] if idempotency_key is not None else []
        content, key = named(_content(phone_number, agent_id, contact_id, variables), keys)
        credential = await self._credential_for(content, api_key)
        if credential is None:
            return decide(*self._without_account(content))
        return await self.acting(credential).calls.initiate(content, idempotency_key=key)

    async def preflight(
        self,
        phone_number: object,
        agent_id: object,
        *,
        contact_id: object = None,
        variables: Mapping[str, object] | None = None,
        api_key: str | None = None,
        idempotency_key: str | None = None,
    ) -> Preview | Refused:
        """
        Tell what would be decided about a call, rule by rule; nothing is stored, held or dialled.

        The arguments are those of `dial`.

        Returns:
            What each rule says; or why nothing is told, to strangers and of fields that can't be read.

        Raises:
            StorageError: The database can't be read now.
        """
        keys = [idempotency_key] if idempotency_key is not None else []
        content, key = named(_content(phone_number, agent_id, contact_id, variables), keys)
        credential = await self._credential_for(content, api_key)
        if credential is not None:
            return await self.acting(credential).calls.preflight(content, idempotency_key=key)
        return content if isinstance(content, Refused) else preview(*self._without_account(content))

    def acting(self, credential: Credential) -> Client:
        """
        Return everything that a credential may do.
        """
        return Client.of(self._ports, credential)

    def client(self, *, api_key: str | None = None, account_id: int | None = None) -> Client:
        """
        Return everything that can be done with an API key, or by the operator for an account.

        Raises:
            ValueError: Neither was given, here or to `open`.
        """
        given = self._given(api_key)
        if given is None:
            if account_id is None:
                raise ValueError("Say whom to act for: an API key or, as the operator, an account.")
            given = Operator(account_id=account_id)
        return self.acting(given)

    async def call(self, call_id: int | str, *, api_key: str | None = None) -> CallView | Refused:
        """
        Return a call by its row or its `call_...` id.
        """
        reference = read_call_reference(str(call_id))
        calls = await self._calls_with(reference, api_key)
        return Refused(reason=Reason.NOT_FOUND) if calls is None else await calls.show(reference)

    async def decision(self, call_id: int | str, *, api_key: str | None = None) -> DecidedCall | Refused:
        """
        Return why a call was accepted, by its row or its `call_...` id.
        """
        reference = read_call_reference(str(call_id))
        calls = await self._calls_with(reference, api_key)
        return Refused(reason=Reason.NOT_FOUND) if calls is None else await calls.decision(reference)

    async def hang_up(self, call_id: int | str, *, api_key: str | None = None) -> CallView | Refused:
        """
        Cancel a call, by its row or its `call_...` id, or have it hung up; returns it as it is now, without waiting.

        Again is fine, and a call that is over stays as it is.

        Raises:
            StorageError: Nothing was written.
        """
        reference = read_call_reference(str(call_id))
        calls = await self._calls_with(reference, api_key)
        return Refused(reason=Reason.NOT_FOUND) if calls is None else await calls.hang_up(reference)

    async def adopt(self, call_id: int | str, *, even_if_it_rang: bool = False) -> Decision:
        """
        Ask again, as the operator, for a call that was given up when its database was restored; twice makes one call.

        Raises:
            ValueError: The call was not given up; or it may have rung, and that was not allowed for.
        """
        if self._credential is not None:
            raise ValueError("Only the operator adopts calls: open outdial without a key.")
        return await adopting.adopt(self._storage, self.acting, call_id, even_if_it_rang=even_if_it_rang)

    async def watch(self, call: Call, *, timeout_s: float) -> AsyncIterator[Call]:
        """
        Yield a call now and whenever its state changed, until it is over.

        Raises:
            TimeoutError: It is not over after `timeout_s`.

            UnknownRecordError: It is not in this database.
        """
        async for current in watch(self._storage, call, timeout_s=timeout_s):
            yield current

    async def wait(self, call: Call, *, timeout_s: float) -> Call:
        """
        Return a call when it is over.

        Raises:
            TimeoutError: It is not over after `timeout_s`.

            UnknownRecordError: It is not in this database.
        """
        async for current in self.watch(call, timeout_s=timeout_s):
            call = current
        return call

    def end_streams(self) -> None:
        """
        End all streams of events and open no more: their clients go on elsewhere.
        """
        self._ports.events.close()

    async def readiness(self) -> Readiness:
        """
        Tell of each part whether it is ready, or what is wrong with it.
        """
        limiter = self._limiter if self.settings.rate_limit_storage else None
        return await readiness_of(self._storage, limiter, self._workers, dials=self._dials)

    async def scrape(self) -> bytes:
        """
        Return the numbers of this process and its database in Prometheus' text format.
        """
        return await self.metrics.scrape(self._storage, self._clock)

    def _moved(self, call: Call, at: datetime) -> None:
        self.metrics.moved(call, at)
        self.tracer.moved(call, at)

    def _wake(self) -> None:
        if self._workers is not None:
            self._workers.calls.wake()

    def _hang_up(self, call_id: int) -> None:
        if self._workers is not None:
            self._workers.calls.hang_up(call_id)

    async def _start_dialling(self) -> None:
        told = Listeners(on_moved=self._moved, on_tried=self.metrics.tried, on_incident=self.metrics.caught)
        workers = await self._open.enter_async_context(dialling(self.settings, self._storage, self._clock, told))
        self._workers = workers
        self.metrics.live_calls.set_function(lambda: workers.calls.live_calls)

    def _given(self, api_key: str | None) -> Credential | None:
        return PresentedKey(text=api_key) if api_key is not None else self._credential

    async def _credential_for(self, content: CallFields | Refused, api_key: str | None) -> Credential | None:
        """
        Return whom a request is made for: a key, or the operator for the agent's own account, if there is the agent.
        """
        given = self._given(api_key)
        if given is not None or isinstance(content, Refused):
            return given
        agent_id = content.agent_id
        agent = await self._storage.read(lambda reader: reader.directory.agent_of_any_account(agent_id))
        return Operator(account_id=agent.account_id) if agent is not None else None

    def _without_account(self, content: CallFields | Refused) -> tuple[CallRequest, Facts]:
        """
        Return what the rules see of an operator's request that names no agent: an account that has nothing.
        """
        policy = self.settings.policy
        request = CallRequest(
            credential=Operator(account_id=0), content=content, token="", received_at=self._clock.now()
        )
        account = Account(id=0, name="nobody", currency=NO_CURRENCY, created_at=request.received_at)
        callee = look_ups(request, account, policy).callee
        return request, Facts(now=request.received_at, policy=policy, call_number=0, account=account, callee=callee)

    async def _calls_with(self, reference: CallReference | None, api_key: str | None) -> CallsClient | None:
        """
        Return the calls of a key's account, or for the operator those of the call's own, if there is the call.
        """
        given = self._given(api_key)
        if given is None and reference is not None and (call := await any_call(self._storage, reference)) is not None:
            given = Operator(account_id=call.account_id)
        return self.acting(given).calls if given is not None else None


@asynccontextmanager
async def open(  # noqa: A001 - `outdial.open`, as in `dbm.open` or `shelve.open`
    settings: Settings | None = None, *, api_key: str | None = None, dials: bool = True
) -> AsyncIterator[Dialer]:
    """
    Open outdial in this process. At the end of the block, calls that live may go on for `drain_s` of the settings.

    Args:
        settings: Taken from `OUTDIAL_*` variables when absent. `Settings(database="memory:")` needs no file and no
            network.

        api_key: Whom to act for; without any, the operator.

        dials: Whether to dial what is queued; one process a database does.

    Raises:
        SettingsError: A variable's value is not allowed.

        OutdialError: As by `Dialer.start`.
    """
    chosen = settings if settings is not None else read_settings(os.environ)
    if not structlog.is_configured():  # its defaults write to standard output, and local variables with each traceback
        set_up_own_logging(chosen)
    dialer = Dialer(chosen, credential=PresentedKey(text=api_key) if api_key is not None else None)
    await dialer.start(dials=dials)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(dialer.stop)
        closing.push_async_callback(dialer.drain)
        yield dialer


def _content(
    phone_number: object, agent_id: object, contact_id: object, variables: Mapping[str, object] | None
) -> CallFields | Refused:
    """
    Read a call's fields as if they had come as JSON.
    """
    return read_fields(
        {"phone_number": phone_number, "agent_id": agent_id, "contact_id": contact_id, "variables": variables}
    )
