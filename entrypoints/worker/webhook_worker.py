"""
The loop that sends what webhooks are to be told, at least once, and never in the way of a call.
"""

import asyncio
import contextlib
from collections.abc import Callable
from functools import partial
from typing import Final

import attrs
import structlog

from outdial.domain.model.delivery import Try
from outdial.domain.model.identifiers import CallReference
from outdial.domain.model.webhook import Message, Webhook
from outdial.domain.model.webhook_signature import signed_headers
from outdial.domain.service.delivery import Sending, record, take
from outdial.entrypoints.wire.webhooks import message_text
from outdial.ports.clock import Clock
from outdial.ports.errors import StorageError
from outdial.ports.storage import Reader, Storage, Transaction
from outdial.ports.webhook_sender import WebhookSender, WebhookSendError
from outdial.version import VERSION

RETRY_AFTER_ERROR_S: Final = 1.0
"""Before the loop goes on after storage failed it."""

STORE_TRIES: Final = 4
"""How often it is tried to write down how a try ended, a second apart; in vain, the message is sent again."""

STOP_TIMEOUT_S: Final = 2.0
"""When the process stops, what is due is begun and may end within this; the rest is sent by the next one."""

RECORD_TIMEOUT_S: Final = 0.5
"""How long it may take to write down that a try was cut off."""

STOPPED: Final = "outdial was stopped before the endpoint answered."

_FIXED_HEADERS: Final = {"content-type": "application/json", "user-agent": f"outdial/{VERSION}"}

_log = structlog.get_logger()


@attrs.frozen(kw_only=True)
class WebhookWorkerSettings:
    """
    How the worker works.

    Attributes:
        sends_max: Messages that this process sends at once.

        endpoint_sends_max: Messages that are sent to one webhook at once, by all processes together.

        poll_s: How often it is looked for what has become due.
    """

    sends_max: int = 64
    endpoint_sends_max: int = 8
    poll_s: float = 0.5


class WebhookWorker:
    """
    Takes what is due and sends each message in a task of its own.
    """

    def __init__(
        self,
        *,
        storage: Storage,
        sender: WebhookSender,
        clock: Clock,
        settings: WebhookWorkerSettings,
        on_tried: Callable[[Message, Try], None] = lambda _message, _tried: None,
    ) -> None:
        """
        Take what it works with.

        Args:
            on_tried: Told each try to send a message.
        """
        self._storage = storage
        self._on_tried = on_tried
        self._sender = sender
        self._clock = clock
        self._settings = settings
        self._awake = asyncio.Event()
        self._sends: set[asyncio.Task[None]] = set()
        self._loop: asyncio.Task[None] | None = None

    @property
    def is_running(self) -> bool:
        """
        Whether messages are being sent.
        """
        return self._loop is not None and not self._loop.done()

    def wake(self) -> None:
        """
        Look for what is due now instead of at the next poll.
        """
        self._awake.set()

    async def start(self) -> None:
        """
        Begin to send.
        """
        self._loop = asyncio.create_task(self._run())

    async def stop(self) -> None:
        """
        Send what is due for the last time and let what is being sent end, within limits. Idempotent.
        """
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.cancel()
            await asyncio.gather(loop, return_exceptions=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await self._send_the_last()
        for _ in ("sending", "writing down that it was stopped"):
            for task in self._sends:
                task.cancel()
            if self._sends:
                await asyncio.wait(self._sends, timeout=RECORD_TIMEOUT_S)

    async def _send_the_last(self) -> None:
        """
        Send what became due by the end of the last calls, and wait for all that is being sent.
        """
        try:
            await self._begin_due()
        except Exception as error:  # noqa: BLE001 - what is due is sent by the next process
            _log.warning("webhooks_not_looked_for", problem=_words(error))
        if self._sends:
            await asyncio.wait(self._sends)

    async def _run(self) -> None:
        """
        Begin what is due, for ever; an error costs a pause, never the loop.
        """
        while True:
            self._awake.clear()
            try:
                is_busy = await self._begin_due()
            except Exception as error:  # noqa: BLE001 - an error costs a pause, never the loop
                _log.warning("webhooks_not_looked_for", problem=_words(error))
                await asyncio.sleep(RETRY_AFTER_ERROR_S)
                continue
            if not is_busy:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._settings.poll_s):
                        await self._awake.wait()

    async def _begin_due(self) -> bool:
        """
        Begin to send what is due, as far as there is room; tell whether there was any.
        """
        free = self._settings.sends_max - len(self._sends)
        if free <= 0:
            return False
        webhooks = await self._storage.read(partial(self._due_webhooks, limit=free))
        if not webhooks:
            return False
        taken = await self._storage.transact(
            partial(
                take,
                webhooks=webhooks,
                at=self._clock.now(),
                sends_max=self._settings.endpoint_sends_max,
                limit=free,
            )
        )
        for sending in taken:
            task = asyncio.create_task(self._see_through(sending), name=sending.delivery.message.id)
            self._sends.add(task)
            task.add_done_callback(self._forget)
        return bool(taken)

    def _due_webhooks(self, reader: Reader, limit: int) -> tuple[Webhook, ...]:
        outbox, at = reader.webhooks.outbox, self._clock.now()
        return outbox.due_webhooks(at, sends_max=self._settings.endpoint_sends_max, limit=limit)

    def _forget(self, task: asyncio.Task[None]) -> None:
        """
        Free a place; what was to be said about it stays to be said by the next try.
        """
        self._sends.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None:
            _log.error("webhook_try_abandoned", message_id=task.get_name(), problem=_words(error))
        self.wake()

    async def _see_through(self, sending: Sending) -> None:
        """
        Send one message and write down what came of it.
        """
        message = sending.delivery.message
        began_at, began_s = self._clock.now(), asyncio.get_running_loop().time()
        try:
            status, problem = await self._send(sending)
        except asyncio.CancelledError:
            status, problem = None, STOPPED
        tried = Try(
            number=sending.delivery.tries,
            at=began_at,
            duration_ms=round(1000 * (asyncio.get_running_loop().time() - began_s)),
            status=status,
            problem=problem,
        )
        _log.info(
            "webhook_tried",
            webhook_id=sending.webhook.id,
            message_id=message.id,
            number=tried.number,
            status=status,
            problem=problem,
        )
        self._on_tried(message, tried)
        await self._record(sending, tried)

    async def _write_body(self, message: Message) -> str:
        """
        Write what a message says, once for all its tries and all who are told.

        Apart from taking it: that locks messages first, and whoever saves a call locks the call first.
        """
        reference = CallReference(number=message.call_id)
        call = await self._storage.read(lambda reader: reader.calls.call(message.account_id, reference))
        if call is None:
            raise LookupError(f"Call {message.call_id} is missing.")
        body = message_text(message, call)

        def keep(transaction: Transaction) -> str:
            return transaction.webhooks.outbox.keep_body(message, body)

        return await self._storage.transact(keep)

    async def _send(self, sending: Sending) -> tuple[int | None, str | None]:
        """
        Send a message, and return the status that was answered, or why there was none.
        """
        webhook, message = sending.webhook, sending.delivery.message
        try:
            text = message.body if message.body is not None else await self._write_body(message)
            body, now = text.encode(), self._clock.now()
            signed = signed_headers(webhook.secrets_at(now), message_id=message.id, at=now, body=body)
            return await self._sender.send(webhook.url, {**_FIXED_HEADERS, **signed}, body), None
        except WebhookSendError as error:
            return None, str(error)
        except Exception:  # noqa: BLE001 - whatever it was, it is tried again
            _log.exception("webhook_sender_failed", webhook_id=webhook.id)
            return None, "The message could not be sent."

    async def _record(self, sending: Sending, tried: Try) -> None:
        """
        Write down how a try ended; what can't be written is taken for lost, and sent again.
        """
        work = partial(record, sending=sending, tried=tried, at=self._clock.now())
        for _ in range(STORE_TRIES - 1):
            try:
                return await self._storage.transact(work)
            except StorageError:
                await asyncio.sleep(RETRY_AFTER_ERROR_S)
        return await self._storage.transact(work)


def _words(error: BaseException) -> str:
    return str(error) if isinstance(error, StorageError) else type(error).__name__
