"""
An agent of one sentence: it plays a recording to whoever answers.
"""

import attrs

from outdial.adapters.sip.conversation import Ending
from outdial.adapters.sip.leg import Leg
from outdial.adapters.sip.rtp import RtpSender
from outdial.adapters.sip.session_description import LocalSession, parse_media
from outdial.domain.model.disposition import Disposition, HangUpCause
from outdial.ports.carrier import Audio


@attrs.define
class Announcement:
    """
    Says its piece after the answer, never on early media, and is through.
    """

    _audio: Audio
    _rtp: RtpSender
    _session: LocalSession

    def offer(self) -> str:
        """
        Offer to send from our port.
        """
        return self._session.offer(self._rtp.port)

    def answer(self, offer: str | None) -> str | None:
        """
        Follow the callee's media to another address, onto hold and back.
        """
        if offer is None:
            return self.offer()
        media = parse_media(offer)
        if media is not None:
            self._rtp.direct(media)
        return self._session.answer(offer, self._rtp.port)

    async def talk(self, callee: Leg, description: str) -> Ending:
        """
        Play the recording.
        """
        return await self.announce(callee, description, self._audio)

    async def announce(self, callee: Leg, description: str, audio: Audio) -> Ending:
        """
        Play another one.
        """
        del callee
        media = parse_media(description)
        if media is None:
            return Ending(
                Disposition.CARRIER_ERROR, HangUpCause(code=488, words="The answer names no sound we can send")
            )
        self._rtp.direct(media)
        await self._rtp.play(audio.pcm)
        return Ending(Disposition.HANG_UP_AGENT)

    def close(self) -> None:
        """
        Free the port.
        """
        self._rtp.close()
