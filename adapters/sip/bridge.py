"""
An agent with a SIP address of its own, joined to the callee by signalling alone (RFC 3725, flow IV turned round).

The callee is invited with a held offer, then the agent with the callee's media, then the callee again with the
agent's: neither gets an INVITE without an offer, which several platforms refuse, and the agent gets no re-INVITE.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Final

import attrs
import structlog

from outdial.adapters.sip.conversation import Ending
from outdial.adapters.sip.dialog import Invitation
from outdial.adapters.sip.endpoint import Endpoint
from outdial.adapters.sip.leg import Answer, Failure, Leg
from outdial.adapters.sip.rtp import NoPortLeftError, PortNotOpenedError, RtpSender
from outdial.adapters.sip.session_description import DISCARD_PORT, Direction, LocalSession, parse_media
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.domain.model.sip_address import SipAddress, parse_sip_address
from outdial.ports.carrier import Audio, DialOrder, SipUri

ATTEMPT_HEADER: Final = "X-Outdial-Attempt"
_REINVITE_S: Final = 10.0
_NAME: Final = re.compile(r"[A-Za-z0-9.!%*_+`'~-]+")
_VALUE: Final = re.compile(r"[^\x00-\x08\x0a-\x1f\x7f]*")
_OURS: Final = frozenset(
    {
        *(
            "via",
            "v",
            "from",
            "f",
            "to",
            "t",
            "call-id",
            "i",
            "cseq",
            "contact",
            "m",
            "max-forwards",
            "expires",
            "allow",
        ),
        *("content-type", "c", "content-length", "l", "content-encoding", "e", "route", "record-route", "user-agent"),
        *("authorization", "proxy-authorization", "require", "proxy-require", ATTEMPT_HEADER.lower()),
    }
)

log = structlog.get_logger()


def read_agent(agent: SipUri) -> SipAddress:
    """
    Read where the agent is.

    Raises:
        ValueError: Its address or one of its headers can't be put into an INVITE.
    """
    for name, value in agent.headers.items():
        if _NAME.fullmatch(name) is None or _VALUE.fullmatch(value) is None or name.lower() in _OURS:
            raise ValueError(f"An agent's INVITE can't have the header {name!r}, or not with this value.")
    return parse_sip_address(agent.uri)


@attrs.define(kw_only=True)
class _Side:
    """
    What we tell one of the two, and where its sound is.
    """

    session: LocalSession
    media: tuple[str, int] | None = None
    told: str | None = None

    def listen(self, description: str) -> bool:
        """
        Learn from its description where its sound is; tell whether it can have any.
        """
        media = parse_media(description)
        self.media = None if media is None else (media.host, media.port)
        return media is not None

    def tell(self, other: str, direction: Direction = Direction.SENDRECV) -> str:
        """
        Describe the other one's media to it.
        """
        self.told = other
        return self.session.relay(other, direction)

    def answer(self, offer: str | None) -> str | None:
        """
        Let it refresh the session or hold; refuse to move its sound, as the other one would not follow.
        """
        if self.told is None:
            return self.session.offer(DISCARD_PORT, Direction.INACTIVE)
        if offer is None:
            return self.session.relay(self.told)
        media = parse_media(offer)
        if media is None or (media.listens and (media.host, media.port) != self.media):
            return None
        return self.session.relay(self.told, media.direction.mirrored)


class Bridge:
    """
    Joins the callee to the agent for as long as both stay.
    """

    def __init__(
        self,
        *,
        endpoint: Endpoint,
        order: DialOrder,
        agent: SipUri,
        open_sound: Callable[[], Awaitable[RtpSender]],
        caller_host: str,
        ring_timeout_s: float,
    ) -> None:
        """
        Take what it works with.

        Args:
            open_sound: Opens what the callee hears us from, should it not be joined to the agent.
        """
        self._endpoint = endpoint
        self._order = order
        self._agent = agent
        self._open_sound = open_sound
        self._address = read_agent(agent)
        self._caller_host = caller_host
        self._ring_timeout_s = ring_timeout_s
        self._callee_side = _Side(session=LocalSession(endpoint.host))
        self._agent_side = _Side(session=LocalSession(endpoint.host))

    def offer(self) -> str:
        """
        Offer sound on hold: there is nobody to hear yet.
        """
        return self._callee_side.session.offer(DISCARD_PORT, Direction.INACTIVE)

    def answer(self, offer: str | None) -> str | None:
        """
        Answer the callee's re-INVITE with the agent's media.
        """
        return self._callee_side.answer(offer)

    async def talk(self, callee: Leg, description: str) -> Ending:
        """
        Invite the agent, give each the other's media, and wait until the agent hangs up.
        """
        if not self._callee_side.listen(description):
            return _failed(488, "The callee's answer names no sound we can use")
        try:
            leg = await self._invite_agent(description)
        except OSError as error:
            attempt_id = self._order.attempt_id
            log.warning("sip_agent_unreachable", attempt_id=attempt_id, error=str(error) or type(error).__name__)
            return _failed(503, "The agent is unreachable")
        try:
            return await self._join(callee, leg)
        finally:
            leg.hang_up()

    async def announce(self, callee: Leg, description: str, audio: Audio) -> Ending:
        """
        Take the callee off hold to ourselves and play something; the agent is not invited.
        """
        media = parse_media(description)
        if media is None:
            return _failed(488, "The callee's answer names no sound we can use")
        try:
            sound = await self._open_sound()
        except (NoPortLeftError, PortNotOpenedError) as error:
            log.warning("sip_no_port_for_sound", attempt_id=self._order.attempt_id, error=str(error))
            return _failed(503, "No port for sound can be opened")
        try:
            if not await callee.offer(self._callee_side.session.offer(sound.port), _REINVITE_S):
                return _failed(488, "The callee's side refused our media")
            sound.direct(attrs.evolve(media, direction=Direction.SENDRECV))  # it answered our hold with a hold
            await sound.play(audio.pcm)
        finally:
            sound.close()
        return Ending(Disposition.HANG_UP_AGENT)

    async def _invite_agent(self, description: str) -> Leg:
        address = self._address
        invitation = Invitation(
            request_uri=address.request_uri(address.user),
            transport=address.transport,
            next_hop=await self._endpoint.reach(address),
            peer_name=address.host,
            call_id=f"{self._order.attempt_id}.agent@{self._endpoint.host}",
            caller=self._order.caller_id.e164,
            caller_host=self._caller_host,
            offer=self._agent_side.tell(description),
            headers=(*self._agent.headers.items(), (ATTEMPT_HEADER, self._order.attempt_id)),
            expires_s=int(self._ring_timeout_s) + 1,
        )
        leg = self._endpoint.leg(invitation, on_offer=self._agent_side.answer)
        leg.invite()
        return leg

    async def _join(self, callee: Leg, agent: Leg) -> Ending:
        await asyncio.wait([agent.outcome], timeout=self._ring_timeout_s)
        if not agent.outcome.done():
            return _failed(408, "The agent did not answer")
        match agent.outcome.result():
            case Failure() as failure:
                return _failed(failure.code, f"Agent: {failure.words}")
            case Answer() as answer:
                if not self._agent_side.listen(answer.description):
                    return _failed(488, "The agent's answer names no sound we can use")
                if not await callee.offer(self._callee_side.tell(answer.description), _REINVITE_S):
                    return _failed(488, "The callee's side refused the agent's media")
                await asyncio.wait([agent.ended])  # awaited itself, a cancelled talk would cancel it too
                return Ending(Disposition.HANG_UP_AGENT, HangUpCause(words=agent.ended.result()))

    def close(self) -> None:
        """
        Hold nothing: the agent's leg ends with the talk.
        """


def _failed(code: int, words: str) -> Ending:
    return Ending(Disposition.CARRIER_ERROR, HangUpCause(code=code, words=words))
