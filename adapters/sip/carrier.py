"""
The carrier that dials over a SIP trunk. Importing it needs no SIP stack; starting it does.
"""

from typing import TYPE_CHECKING

from outdial.adapters.sip import dispatcher
from outdial.adapters.sip.trunk import Trunk
from outdial.domain.model.call_event import Ended
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.ports.carrier import Connect, DialOrder, OnAnswer, Placed, RejectedError, Report, no_objection
from outdial.ports.clock import Clock
from outdial.ports.errors import CarrierUnavailableError

if TYPE_CHECKING:
    from outdial.adapters.sip.switchboard import Switchboard


class SipCarrier:
    """
    Places calls over one trunk, several at once, and speaks to whoever answers or joins them to an agent.
    """

    def __init__(self, trunk: Trunk, clock: Clock) -> None:
        self._trunk = trunk
        self._clock = clock
        self._switchboard: Switchboard | None = None

    async def start(self) -> None:
        """
        Load the SIP stack, look for a way to the trunk and bind the sockets. Idempotent.

        A trunk that is down or whose name can't be looked up does not keep the carrier from starting.

        Raises:
            CarrierUnavailableError: It can't work as configured; the message says what to change.
        """
        if self._switchboard is not None:
            return
        try:
            dispatcher.install()
        except ImportError as error:
            raise CarrierUnavailableError("The SIP carrier needs the SIP stack: pip install 'outdial[sip]'.") from error
        except RuntimeError as error:
            raise CarrierUnavailableError(f"The SIP carrier needs the process for itself: {error}") from error
        # Not above: these modules import sippy, which has to find our dispatcher in place.
        from outdial.adapters.sip.switchboard import Switchboard  # noqa: PLC0415

        self._switchboard = await Switchboard.open(self._trunk, self._clock)

    async def reach(self) -> None:
        """
        Look whether a started carrier gets to its trunk now; no call is tried.

        Raises:
            CarrierUnavailableError: Its name is not found or, over TCP and TLS, it takes no connection.
        """
        if self._switchboard is not None:
            await self._switchboard.reach()

    async def stop(self) -> None:
        """
        Cancel what rings, hang up what talks, and free the sockets, within 10 s. Idempotent.
        """
        switchboard, self._switchboard = self._switchboard, None
        if switchboard is not None:
            await switchboard.close()

    async def place(
        self, order: DialOrder, connect: Connect, report: Report, on_answer: OnAnswer = no_objection
    ) -> Placed:
        """
        Send one INVITE; a second one leaves only to answer a digest challenge.

        Raises:
            RejectedError: The trunk refused before the phone rang, can't be reached, or nothing could be sent.

            UncertainError: The INVITE was sent and the trunk did not react.
        """
        if self._switchboard is None:
            cause = HangUpCause(words="The SIP carrier is not started")
            raise RejectedError(Disposition.CARRIER_ERROR, cause)
        return await self._switchboard.place(order, connect, report, on_answer)

    async def hang_up(self, attempt_id: str, disposition: Disposition) -> None:
        """
        CANCEL or BYE; the attempt's `Ended` follows with this disposition.
        """
        if self._switchboard is not None:
            self._switchboard.hang_up(attempt_id, disposition)

    async def find(self, attempt_id: str) -> Ended | None:
        """
        Return how an attempt ended whose process was lost: a trunk can't be asked, but its answer to our BYE is proof.

        Its talk counts until the last sign of life of that process, see `LostCalls`.
        """
        return None if self._switchboard is None else await self._switchboard.find(attempt_id)
