"""
Dialling only from where the database was dialled from before; a restored or copied database rings nobody.
"""

import asyncio
from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import Final

import attrs
import structlog

from outdial.domain.model.call import Call
from outdial.domain.model.call_event import Ended
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.service.quarantine import enter_place
from outdial.ports.carrier import (
    Carrier,
    Connect,
    DialOrder,
    OnAnswer,
    Placed,
    RejectedError,
    Report,
    no_objection,
)
from outdial.ports.clock import Clock
from outdial.ports.dialling_place import DiallingPlace
from outdial.ports.errors import StorageError
from outdial.ports.storage import Storage
from outdial.ports.witness import Witness

ENDED_AT_ONCE: Final = 100
"""Calls ended in one transaction, so that others can write between."""

LOOK_S: Final = 3.0
"""How often a running process looks; until it has looked, nothing is leased at a new place anyway."""

_log = structlog.get_logger()


class PlaceKeeper:
    """
    Notices that the database is not the one last dialled from here, and then gives up what waits to be dialled.
    """

    def __init__(
        self, *, storage: Storage, witness: Witness, clock: Clock, on_moved: Callable[[Call, datetime], None]
    ) -> None:
        self._storage = storage
        self._witness = witness
        self._clock = clock
        self._on_moved = on_moved
        self._loop: asyncio.Task[None] | None = None

    async def enter(self) -> None:
        """
        Make sure that nothing is dialled which may have been dialled elsewhere; to be done before anything is leased.

        May be killed at any moment and done again.

        Raises:
            StorageError: The database or its witness can't be used.
        """
        place = await self._place()
        if place.is_here and not await self._witness.confirms(place):
            await self._storage.transact(lambda transaction: transaction.places.leave())
        await self._quarantine()
        await self._witness.note(await self._place())

    def start(self) -> None:
        """
        Go on looking: a server may be promoted while this process runs.
        """
        self._loop = asyncio.create_task(self._keep_looking())

    async def stop(self) -> None:
        """
        Look no more. Idempotent.
        """
        if self._loop is not None:
            self._loop.cancel()
            await asyncio.gather(self._loop, return_exceptions=True)
            self._loop = None

    def witnessed(self, carrier: Carrier) -> Carrier:
        """
        Return a carrier that gets no order before the witness knows of the dial, where it has to.
        """
        return _WitnessedCarrier(carrier, self) if self._witness.hears_of_dials else carrier

    async def note_dial(self) -> None:
        """
        Have the witness know of all dials so far.

        Raises:
            StorageError: It does not.
        """
        await self._witness.note(await self._place())

    async def _place(self) -> DiallingPlace:
        return await self._storage.read(lambda reader: reader.places.current())

    async def _quarantine(self) -> None:
        if (before := await self._place()).is_here:
            return
        count = 0
        while calls := await self._storage.transact(partial(enter_place, limit=ENDED_AT_ONCE, at=self._clock.now())):
            count += len(calls)
            for call in calls:
                self._on_moved(call, self._clock.now())
        epoch = (await self._place()).epoch
        _log.warning("epoch_begun", epoch=epoch, epoch_before=before.epoch, quarantined=count)

    async def _keep_looking(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            try:
                await self._quarantine()
            except Exception as error:  # noqa: BLE001 - an error costs a look, never the loop
                _log.warning("place_unreadable", problem=str(error))


@attrs.frozen
class _WitnessedCarrier:
    """
    Places an order only after the witness wrote it down.
    """

    _carrier: Carrier
    _keeper: PlaceKeeper

    async def start(self) -> None:
        await self._carrier.start()

    async def stop(self) -> None:
        await self._carrier.stop()

    async def place(
        self, order: DialOrder, connect: Connect, report: Report, on_answer: OnAnswer = no_objection
    ) -> Placed:
        try:
            await self._keeper.note_dial()
        except StorageError as error:
            _log.error("dial_not_witnessed", attempt_id=order.attempt_id, problem=str(error))
            cause = HangUpCause(words="Not dialled: it could not be written down beside the database.")
            raise RejectedError(Disposition.CARRIER_ERROR, cause) from error
        return await self._carrier.place(order, connect, report, on_answer)

    async def hang_up(self, attempt_id: str, disposition: Disposition) -> None:
        await self._carrier.hang_up(attempt_id, disposition)

    async def find(self, attempt_id: str) -> Ended | None:
        return await self._carrier.find(attempt_id)
