"""
Everything that a process runs that dials: the worker, what wakes it, and what is sent and tidied up beside it.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import datetime, timedelta
from typing import Final

import attrs

from outdial.domain.model.call import Call
from outdial.domain.model.delivery import Try
from outdial.domain.model.webhook import Message, event_of
from outdial.entrypoints import composition
from outdial.entrypoints.settings import Settings
from outdial.entrypoints.worker.call_worker import CallWorker, CallWorkerSettings
from outdial.entrypoints.worker.line import OnIncident
from outdial.entrypoints.worker.place import PlaceKeeper
from outdial.entrypoints.worker.pruner import RefusalPruner
from outdial.entrypoints.worker.webhook_worker import WebhookWorker, WebhookWorkerSettings
from outdial.ports.clock import Clock
from outdial.ports.storage import Storage

WORKER_ID_LENGTH: Final = 16


@attrs.frozen(kw_only=True)
class Workers:
    """
    The loops of a process that dials.

    Attributes:
        calls: Sees calls through.

        mail: Tells webhooks of them.
    """

    calls: CallWorker
    mail: WebhookWorker


@attrs.frozen(kw_only=True)
class Listeners:
    """
    Who is told what is done.

    Attributes:
        on_moved: Told each call that is brought into another state, and when.

        on_tried: Told each try to send a message to a webhook.

        on_incident: Told that somebody was reached who should not have been.
    """

    on_moved: Callable[[Call, datetime], None]
    on_tried: Callable[[Message, Try], None]
    on_incident: OnIncident


@asynccontextmanager
async def dialling(settings: Settings, storage: Storage, clock: Clock, listeners: Listeners) -> AsyncIterator[Workers]:
    """
    Dial what is queued, as long as it is held open.

    Raises:
        StorageError: The database can't be used, or another process dials from it.

        CarrierUnavailableError: The carrier can't place calls as it is configured.

        SpeechError: There is no voice.
    """
    async with AsyncExitStack() as running:
        running.enter_context(composition.dialling_rights(settings))
        mail = await running.enter_async_context(_mailing(settings, storage, clock, listeners.on_tried))

        def moved(call: Call, at: datetime) -> None:
            listeners.on_moved(call, at)
            if event_of(call) is not None:
                mail.wake()

        place = PlaceKeeper(storage=storage, witness=composition.witness(settings), clock=clock, on_moved=moved)
        await place.enter()
        running.push_async_callback(place.stop)
        place.start()
        worker = CallWorker(
            storage=storage,
            carrier=place.witnessed(composition.carrier(settings)),
            runtimes=composition.runtimes(settings),
            clock=clock,
            settings=CallWorkerSettings(
                patience=settings.patience,
                live_calls_max=settings.live_calls_max,
                worker_id=composition.randomness().base62(WORKER_ID_LENGTH),
                trunk=settings.trunk,
                capacity=settings.capacity,
                has_rivals=composition.is_shared(settings),
            ),
            apology=await composition.apology(settings),
            on_incident=listeners.on_incident,
            on_moved=moved,
        )
        running.push_async_callback(worker.stop)
        await worker.start()
        await running.enter_async_context(composition.queue_signal(settings, worker.wake))
        pruner = RefusalPruner(storage=storage, clock=clock, retention=timedelta(days=settings.refusal_retention_days))
        running.push_async_callback(pruner.stop)
        pruner.start()
        yield Workers(calls=worker, mail=mail)


@asynccontextmanager
async def _mailing(
    settings: Settings, storage: Storage, clock: Clock, on_tried: Callable[[Message, Try], None]
) -> AsyncIterator[WebhookWorker]:
    """
    Tell webhooks of calls; opened before calls are dialled, it is closed after the last one has ended.
    """
    mail = WebhookWorker(
        storage=storage,
        sender=composition.webhook_sender(settings),
        clock=clock,
        settings=WebhookWorkerSettings(
            sends_max=settings.webhook_sends_max, endpoint_sends_max=settings.webhook_endpoint_sends_max
        ),
        on_tried=on_tried,
    )
    await mail.start()
    try:
        yield mail
    finally:
        await mail.stop()
