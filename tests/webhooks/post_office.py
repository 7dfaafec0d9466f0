"""
Calls and a webhook in memory, in virtual time, and endpoints that answer as a test wants.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final

import attrs

from outdial.adapters.memory.storage import MemoryStorage
from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Answered, Ended
from outdial.domain.model.decision import Accepted
from outdial.domain.model.delivery import Delivery, DeliveryState, Try
from outdial.domain.model.disposition import Disposition
from outdial.domain.model.policy import Policy
from outdial.domain.model.webhook import Webhook
from outdial.domain.rules.ladder import decide_all
from outdial.domain.service.dialling import pass_no_return
from outdial.domain.service.progress import apply_event
from outdial.entrypoints.worker.webhook_worker import WebhookWorker, WebhookWorkerSettings
from outdial.ports.storage import Transaction
from outdial.ports.webhook_sender import WebhookSendError
from tests import builders
from tests.contract.storage.database import furnish
from tests.service.calls import take
from tests.worker.unreliable_storage import UnreliableStorage
from tests.worker.virtual_time import LoopClock, elapsed_s

PATIENCE_S: Final = 900_000.0


@attrs.frozen
class Sent:
    """
    What an endpoint got.
    """

    at_s: float
    url: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        """
        Which message it is.
        """
        return self.headers["webhook-id"]


Respond = Callable[[Sent], Awaitable[int]]


def always(status: int, *, after_s: float = 0.0) -> Respond:
    """
    Return what answers everything alike.
    """

    async def respond(_sent: Sent) -> int:
        await asyncio.sleep(after_s)
        return status

    return respond


def in_turn(*statuses: int | str) -> Respond:
    """
    Return what answers with each status once and with the last for ever; a text is a problem instead.
    """
    left = list(statuses)

    async def respond(_sent: Sent) -> int:
        status = left.pop(0) if len(left) > 1 else left[0]
        if isinstance(status, str):
            raise WebhookSendError(status)
        return status

    return respond


class Endpoints:
    """
    Notes what is sent, and how much at once.
    """

    def __init__(self, respond: Respond) -> None:
        self.respond = respond
        self.sent: list[Sent] = []
        self.now = self.most = 0

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> int:
        """
        Take a message.
        """
        sent = Sent(elapsed_s(), url, headers, body)
        self.sent.append(sent)
        self.now += 1
        self.most = max(self.most, self.now)
        try:
            return await self.respond(sent)
        finally:
            self.now -= 1


@attrs.define
class PostOffice:
    """
    A database with an account and its webhooks, and whoever sends to them.
    """

    endpoints: Endpoints
    storage: UnreliableStorage = attrs.field(factory=lambda: UnreliableStorage(MemoryStorage()))
    clock: LoopClock = attrs.field(factory=LoopClock)
    accepted: int = 0

    def worker(self, **changes: Any) -> WebhookWorker:
        """
        Make a worker; it has to be started and stopped.
        """
        return WebhookWorker(
            storage=self.storage, sender=self.endpoints, clock=self.clock, settings=WebhookWorkerSettings(**changes)
        )

    async def subscribe(self, **changes: Any) -> Webhook:
        """
        Store a webhook.
        """
        webhook = builders.webhook(**changes)
        await self.storage.reliable.transact(lambda transaction: transaction.webhooks.add(webhook))
        return webhook

    async def answer(self) -> Call:
        """
        Have a call accepted, dialled and answered.
        """
        request = builders.request(token=builders.token(self.accepted), received_at=self.clock.now())
        self.accepted += 1
        (decision,) = await self.storage.reliable.accept([request], Policy(), decide_all)
        assert isinstance(decision, Accepted)
        leased, at = attrs.evolve(decision.call, fence=1), self.clock.now()

        def work(transaction: Transaction) -> Call:
            take(transaction, limit=1, at=at)
            sending = pass_no_return(transaction, leased, at=at, patience=builders.PATIENCE)
            assert sending is not None
            return apply_event(
                transaction, sending, Answered(attempt_id=sending.attempt_id, at=at), patience=builders.PATIENCE
            )

        return await self.storage.reliable.transact(work)

    async def hang_up(self, call: Call) -> None:
        """
        Have a call's callee hang up.
        """
        event = Ended(attempt_id=call.attempt_id, at=self.clock.now(), disposition=Disposition.HANG_UP_CALLEE, talk_s=1)
        await self.storage.reliable.transact(
            lambda transaction: apply_event(transaction, call, event, patience=builders.PATIENCE)
        )

    async def mail(self, webhook: Webhook | None = None) -> list[Delivery]:
        """
        Return what became of all messages to a webhook, oldest first.
        """
        wanted = webhook or builders.webhook()
        found = await self.storage.reliable.read(
            lambda reader: reader.webhooks.outbox.deliveries(wanted, state=None, before=None, limit=9999)
        )
        return [*reversed(found)]

    async def tries(self, delivery: Delivery) -> tuple[Try, ...]:
        """
        Return a delivery's history.
        """
        webhook, number = builders.webhook(id=delivery.webhook_id), delivery.message.number
        history = await self.storage.reliable.read(lambda reader: reader.webhooks.outbox.tries(webhook, [number]))
        return history.get(delivery.message.id, ())

    async def settled(self, webhook: Webhook | None = None, *, step_s: float = 0.25) -> list[Delivery]:
        """
        Return the same when nothing is on its way any more, as is looked for every `step_s`.
        """
        async with asyncio.timeout(PATIENCE_S):
            while any(delivery.is_open for delivery in await self.mail(webhook)):
                await asyncio.sleep(step_s)
        return await self.mail(webhook)

    async def sent(self, count: int) -> list[Sent]:
        """
        Return what was sent once it is as much as this.
        """
        async with asyncio.timeout(PATIENCE_S):
            while len(self.endpoints.sent) < count:
                await asyncio.sleep(0.05)
        return self.endpoints.sent


@asynccontextmanager
async def post_office(respond: Respond | None = None) -> AsyncIterator[PostOffice]:
    """
    Open a post office without webhooks.
    """
    opened = PostOffice(Endpoints(respond or always(200)))
    await opened.storage.start()
    await opened.storage.transact(lambda transaction: furnish(transaction, deposit_micros=10**12))
    yield opened
    assert 0 == opened.endpoints.now


@asynccontextmanager
async def sending(worker: WebhookWorker) -> AsyncIterator[None]:
    """
    Start a worker, and stop it in the end.
    """
    await worker.start()
    try:
        yield
    finally:
        await worker.stop()


def states(mail: list[Delivery]) -> list[DeliveryState]:
    """
    Return how far deliveries came.
    """
    return [delivery.state for delivery in mail]
