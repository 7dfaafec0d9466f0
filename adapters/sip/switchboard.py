"""
The running half of the carrier: an endpoint, ports for sound, and the calls that live.
"""

import asyncio
from functools import partial
from typing import Final, assert_never

import attrs
import structlog

from outdial.adapters.sip import g711
from outdial.adapters.sip.announcement import Announcement
from outdial.adapters.sip.bridge import Bridge
from outdial.adapters.sip.call import Call
from outdial.adapters.sip.conversation import Conversation
from outdial.adapters.sip.dialog import Invitation
from outdial.adapters.sip.endpoint import Endpoint
from outdial.adapters.sip.route import NoRouteError
from outdial.adapters.sip.rtp import NoPortLeftError, PortNotOpenedError, PortPool, RtpSender
from outdial.adapters.sip.session_description import Codec, LocalSession
from outdial.adapters.sip.transports import Host
from outdial.adapters.sip.trunk import Trunk
from outdial.domain.model.call_event import Ended
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.ports.carrier import (
    Announce,
    Connect,
    DialOrder,
    OnAnswer,
    Placed,
    RejectedError,
    Report,
    SipUri,
    UncertainError,
)
from outdial.ports.clock import Clock
from outdial.ports.errors import CarrierUnavailableError

_UNREACHABLE: Final = 503
_POLL_S: Final = 0.02
_HANG_UP_S_MAX: Final = 6.0
_DRAIN_S_MAX: Final = 3.0
"""Together less than the 10 s in which a carrier has to stop."""

_EXPIRES_SPARE_S: Final = 5
"""The trunk's own ring time-out comes this much after ours, which a CANCEL enforces as long as we live."""

_PROCESS_LOST: Final = HangUpCause(words="Its process was lost, and another one hung up")

log = structlog.get_logger()


@attrs.define
class _Attempt:
    """
    One attempt, from the moment it is asked for.
    """

    wanted: Disposition | None = None
    call: Call | None = None

    def hang_up(self, disposition: Disposition) -> None:
        """
        End it, even if nothing was sent for it yet.
        """
        self.wanted = self.wanted or disposition
        if self.call is not None:
            self.call.hang_up(disposition)


class Switchboard:
    """
    All calls of one carrier.
    """

    def __init__(self, *, trunk: Trunk, clock: Clock, endpoint: Endpoint, ports: PortPool) -> None:
        self._trunk = trunk
        self._clock = clock
        self._endpoint = endpoint
        self._ports = ports
        self._attempts: dict[str, _Attempt] = {}
        self._lives: set[asyncio.Task[None]] = set()
        self._closing = False

    @classmethod
    async def open(cls, trunk: Trunk, clock: Clock) -> "Switchboard":
        """
        Bind the sockets.

        Raises:
            CarrierUnavailableError: That failed; the message says what to change.
        """
        ports = PortPool(trunk.bind_host, trunk.rtp_port_min, trunk.rtp_port_max)
        try:
            ports.open().close()
            endpoint = await Endpoint.open(trunk)
        except NoPortLeftError as error:
            raise CarrierUnavailableError(
                f"The SIP carrier can't send sound from {trunk.bind_host}: {error}"
            ) from error
        except NoRouteError as error:
            raise CarrierUnavailableError(f"The SIP carrier can't work: {error}") from error
        except PortNotOpenedError as error:
            raise CarrierUnavailableError(
                f"The SIP carrier can't send sound from {trunk.bind_host}: {error} Change the bind host."
            ) from error
        except OSError as error:
            raise CarrierUnavailableError(
                f"The SIP carrier can't use {trunk.bind_host}:{trunk.bind_port} for trunk {trunk.address.host} "
                f"({error}); change the bind host, the bind port, the trunk or the file of certificate authorities."
            ) from error
        for codec in Codec:
            g711.table(codec)  # now, or the first call would stutter
        opened = cls(trunk=trunk, clock=clock, endpoint=endpoint, ports=ports)
        ending = asyncio.get_running_loop().create_task(endpoint.lost_call_ender(trunk).keep_ending())
        opened._lives.add(ending)
        ending.add_done_callback(opened._lives.discard)
        return opened

    async def place(self, order: DialOrder, connect: Connect, report: Report, on_answer: OnAnswer) -> Placed:
        """
        Send one order, once.

        Raises:
            RejectedError: Surely not placed.

            UncertainError: The trunk does not react, or the attempt was placed before and still lives.
        """
        if self._closing:
            raise _rejected("The SIP carrier is stopping")
        if order.attempt_id in self._attempts:
            raise UncertainError(HangUpCause(words="This attempt was placed before"))
        attempt = self._attempts[order.attempt_id] = _Attempt()
        try:
            call = attempt.call = await self._prepare(order, connect, attempt, report=report, on_answer=on_answer)
        except BaseException:
            del self._attempts[order.attempt_id]
            raise
        await self._send(order, call)
        return Placed(reference=self._call_id(order))

    async def reach(self) -> None:
        """
        Get to the trunk as a call would, without one: look its name up and, over TCP and TLS, be connected to it.

        Raises:
            CarrierUnavailableError: That fails now; the message says what.
        """
        address = self._trunk.address
        try:
            await self._endpoint.reach(address)
        except OSError as error:
            raise CarrierUnavailableError(
                f"The trunk {address.host}:{address.port} can't be reached over {address.transport.upper()} now: "
                f"{error or type(error).__name__}."
            ) from error

    def hang_up(self, attempt_id: str, disposition: Disposition) -> None:
        """
        End an attempt; unknown and ended ones are left alone.
        """
        attempt = self._attempts.get(attempt_id)
        if attempt is not None:
            attempt.hang_up(disposition)

    async def find(self, attempt_id: str) -> Ended | None:
        """
        Return how an attempt ended that another process left behind.
        """
        talk_s = await asyncio.to_thread(self._endpoint.lost_calls.talk_s, attempt_id)
        if talk_s is None:
            return None
        return Ended(
            attempt_id=attempt_id,
            at=self._clock.now(),
            disposition=Disposition.DISCONNECTED,
            talk_s=talk_s,
            cause=_PROCESS_LOST,
        )

    async def close(self) -> None:
        """
        End all calls, in bounded time, and free the sockets.
        """
        self._closing = True
        for attempt in list(self._attempts.values()):
            talks = attempt.call is not None and attempt.call.is_answered
            attempt.hang_up(Disposition.DISCONNECTED if talks else Disposition.CANCELED)
        loop = asyncio.get_running_loop()
        until_s = loop.time() + _HANG_UP_S_MAX
        while self._attempts and loop.time() < until_s:  # noqa: ASYNC110 - attempts end in their callers' tasks too
            await asyncio.sleep(_POLL_S)
        for life in self._lives:
            life.cancel()
        if self._lives:
            await asyncio.wait(self._lives)
        await self._endpoint.drain(_DRAIN_S_MAX)
        await self._endpoint.close()

    async def _prepare(
        self, order: DialOrder, connect: Connect, attempt: _Attempt, *, report: Report, on_answer: OnAnswer
    ) -> Call:
        """
        Get everything ready that can fail before anything is sent.
        """
        ring_from_s = asyncio.get_running_loop().time()
        try:
            next_hop = await self._endpoint.reach(self._trunk.address)
            conversation = await self._conversation(order, connect)
        except OSError as error:  # first, as a wrong certificate is a ValueError too
            log.warning("sip_trunk_unreachable", attempt_id=order.attempt_id, error=str(error) or type(error).__name__)
            raise _rejected("The trunk is unreachable", _UNREACHABLE) from error
        except (NoPortLeftError, PortNotOpenedError) as error:
            log.warning("sip_no_port_for_sound", attempt_id=order.attempt_id, error=str(error))
            raise _rejected("No port for sound can be opened") from error
        except ValueError as error:
            log.warning("sip_agent_unusable", attempt_id=order.attempt_id, error=str(error))
            raise _rejected("The agent's SIP address can't be used", is_lasting=True) from error
        if attempt.wanted is not None:
            conversation.close()
            raise _rejected("Hung up before anything was sent", disposition=attempt.wanted)
        invitation = self._invitation(order, next_hop, conversation.offer())
        return Call(
            order=order,
            leg=self._endpoint.leg(invitation, on_offer=conversation.answer),
            conversation=conversation,
            trunk=self._trunk,
            clock=self._clock,
            report=report,
            on_answer=on_answer,
            ring_until_s=ring_from_s + order.ring_timeout_s,
        )

    async def _send(self, order: DialOrder, call: Call) -> None:
        try:
            await call.place()
        except RejectedError:
            call.close()
            del self._attempts[order.attempt_id]
            raise
        except asyncio.CancelledError:
            call.hang_up(Disposition.CANCELED)
            self._let_live(order, call)
            raise
        except UncertainError:
            self._let_live(order, call)
            raise
        self._let_live(order, call)

    def _let_live(self, order: DialOrder, call: Call) -> None:
        life = asyncio.get_running_loop().create_task(call.live())
        self._lives.add(life)

        def forget(life: asyncio.Task[None]) -> None:
            self._lives.discard(life)
            del self._attempts[order.attempt_id]

        life.add_done_callback(forget)

    async def _conversation(self, order: DialOrder, connect: Connect) -> Conversation:
        match connect:
            case Announce():
                return Announcement(connect.audio, await RtpSender.open(self._ports), LocalSession(self._endpoint.host))
            case SipUri():
                return Bridge(
                    endpoint=self._endpoint,
                    order=order,
                    agent=connect,
                    open_sound=partial(RtpSender.open, self._ports),
                    caller_host=self._caller_host,
                    ring_timeout_s=self._trunk.agent_ring_timeout_s,
                )
            case _:
                assert_never(connect)

    def _invitation(self, order: DialOrder, next_hop: Host, offer: str) -> Invitation:
        caller = f"<sip:{order.caller_id.e164}@{self._caller_host}>"
        return Invitation(
            request_uri=self._trunk.address.request_uri(order.callee.e164),
            transport=self._trunk.address.transport,
            next_hop=next_hop,
            peer_name=self._trunk.address.host,
            call_id=self._call_id(order),
            caller=order.caller_id.e164,
            caller_host=self._caller_host,
            offer=offer,
            headers=(("P-Asserted-Identity", caller),),  # RFC 3325: trunks show this one when it differs from From
            credentials=self._trunk.credentials,
            expires_s=order.ring_timeout_s + _EXPIRES_SPARE_S,
        )

    @property
    def _caller_host(self) -> str:
        return self._trunk.caller_id_host or self._trunk.address.host

    def _call_id(self, order: DialOrder) -> str:
        return f"{order.attempt_id}@{self._endpoint.host}"


def _rejected(
    words: str, code: int = 0, *, disposition: Disposition = Disposition.CARRIER_ERROR, is_lasting: bool = False
) -> RejectedError:
    return RejectedError(disposition, HangUpCause(code=code, words=words), is_lasting=is_lasting)
