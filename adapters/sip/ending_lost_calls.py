"""
Hanging up what another process left behind: calls that talk, and phones that are answered after it had gone.
"""

import asyncio
from collections.abc import Mapping
from typing import Any, Final

import attrs
import structlog

from outdial.adapters.sip.dialog import Dialog, Invitation
from outdial.adapters.sip.lost_calls import LostCalls, LostDialog
from outdial.adapters.sip.streams import StreamTransport
from outdial.adapters.sip.transactions import TransactionManager
from outdial.adapters.sip.transports import Host, Server

LOOK_S: Final = 3.0
BEAT_S: Final = 1.0
"""How often is looked for such calls, and how often this process notes that its own still talk."""

AT_ONCE: Final = 100
PAUSE_S: Final = 0.02
"""How many are being ended at the same time, and between two of them: a trunk gets 50 BYEs a second at most."""

TRIES_AFTER_S: Final = (0.0, 30.0, 120.0)
"""A far end that can't be reached or says nothing gets its BYE again after these pauses; then after the next start."""

ANSWER_S: Final = 35.0
"""A BYE is repeated for 32 s over UDP."""

_SUCCESS: Final = range(200, 300)
_NO_SUCH_DIALOG: Final = 481

log = structlog.get_logger()


@attrs.define(kw_only=True, eq=False)
class LostCallEnder:
    """
    Sends a BYE for each dialog that was left behind, and writes down which are surely over.

    Attributes:
        host: Ours, which stands in the Call-ID of each of our calls.

        credentials: The trunk's; agents get none.
    """

    lost_calls: LostCalls
    transactions: TransactionManager
    streams: Mapping[str, StreamTransport]
    host: str
    credentials: tuple[str, str] | None = attrs.field(repr=False)
    _ending: set["asyncio.Task[None]"] = attrs.field(factory=set, init=False)

    async def keep_ending(self) -> None:
        """
        Look for such dialogs, for ever; of processes that were gone at the start, and of those that go later.
        """
        async with asyncio.TaskGroup() as group:
            group.create_task(self._keep_beating())
            self.transactions.on_stray = lambda *stray: self._take_stray(group, *stray)
            try:
                while True:
                    room = AT_ONCE - len(self._ending)
                    for lost in await asyncio.to_thread(self.lost_calls.left_behind, room) if room else ():
                        self._begin(group, lost, is_stray=False)
                        await asyncio.sleep(PAUSE_S)
                    await asyncio.sleep(LOOK_S)
            finally:
                self.transactions.on_stray = lambda *_stray: None

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(BEAT_S)
            await asyncio.to_thread(self.lost_calls.beat)

    def _take_stray(self, group: asyncio.TaskGroup, response: Any, source: Host, server: Server) -> None:
        """
        Acknowledge an answer to a call of another process and hang up: whoever answered would hear nothing.

        It comes again for half a minute, should there be too many.
        """
        call_id = str(response.getHFBody("call-id"))
        if len(self._ending) >= AT_ONCE or not call_id.endswith(f"@{self.host}") or not response.countHFs("contact"):
            log.warning("sip_stray_answer_dropped", sip_call_id=call_id)
            return
        peer = source if server.reliable else (self.host, 0)
        dialog = self._dialog(target="", transport=server.transport, peer=peer, call_id=call_id)
        lost = dialog.acknowledge_stray(response, server)
        log.warning("sip_stray_answer", sip_call_id=call_id)
        self._begin(group, lost, is_stray=True)

    def _begin(self, group: asyncio.TaskGroup, lost: LostDialog, *, is_stray: bool) -> None:
        task = group.create_task(self._end(lost, is_stray=is_stray))
        self._ending.add(task)
        task.add_done_callback(self._ending.discard)

    async def _end(self, lost: LostDialog, *, is_stray: bool) -> None:
        for tries, pause_s in enumerate(TRIES_AFTER_S):
            await asyncio.sleep(pause_s)
            # A BYE whose challenge is answered takes two numbers.
            code = await self._hang_up(attrs.evolve(lost, sequence=lost.sequence + 2 * tries))
            if code in _SUCCESS or code == _NO_SUCH_DIALOG:
                log.warning("sip_lost_call_ended", sip_call_id=lost.call_id, code=code)
                if not is_stray:
                    self.lost_calls.note_over(lost.call_id)
                elif lost.call_id not in self.transactions.req_consumers:  # else another phone of a call that lives
                    self.lost_calls.note_unheard(lost.call_id)
                return
        if not is_stray:
            self.lost_calls.give_up(lost.call_id)

    async def _hang_up(self, lost: LostDialog) -> int:
        """
        Send one BYE and return its final answer's status; 0 when there is none.
        """
        try:
            stream = self.streams.get(lost.transport)
            if stream is not None:
                await stream.connect(lost.peer, lost.name or None)
            async with asyncio.timeout(ANSWER_S):
                code = await self._answer_to_bye(lost)
        except OSError as error:  # a time-out is one, too
            log.warning("sip_lost_call_unreachable", sip_call_id=lost.call_id, error=str(error) or type(error).__name__)
            return 0
        except Exception as error:  # noqa: BLE001 - files are what they are; others have to be ended all the same
            log.warning("sip_lost_call_unreadable", sip_call_id=lost.call_id, error=type(error).__name__)
            return 0
        if code not in _SUCCESS and code != _NO_SUCH_DIALOG:
            log.warning("sip_lost_call_not_ended", sip_call_id=lost.call_id, code=code)
        return code

    async def _answer_to_bye(self, lost: LostDialog) -> int:
        answered: asyncio.Future[int] = asyncio.get_running_loop().create_future()

        def settle(code: int) -> None:
            if not answered.done():
                answered.set_result(code)

        credentials = self.credentials if lost.authenticates else None
        dialog = self._dialog(
            target=lost.target,
            transport=lost.transport,
            peer=lost.peer,
            call_id=lost.call_id,
            name=lost.name,
            credentials=credentials,
        )
        dialog.on_bye_answered = settle
        dialog.end_lost(lost)
        return await answered

    def _dialog(self, *, target: str, peer: Host, name: str = "", **invitation: Any) -> Dialog:
        invited = Invitation(
            request_uri=target,
            next_hop=peer,
            peer_name=name,
            caller="",
            caller_host=self.host,
            offer="",
            **invitation,
        )
        return Dialog(self.transactions, invited, _Nobody())


class _Nobody:
    """
    Hears nothing of a dialog in which there is nothing left to hear but the answer to its BYE.
    """

    def on_event(self, event: object) -> None:
        """
        Ignore it.
        """

    def on_provisional(self, code: int) -> None:
        """
        Ignore it.
        """

    def on_final_after_cancel(self, response: object) -> None:
        """
        Ignore it.
        """

    def on_offer(self, offer: str | None) -> str | None:
        """
        Refuse it.
        """

    def on_broken(self) -> None:
        """
        Ignore it.
        """
