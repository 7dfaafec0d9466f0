"""
The runtime `announce`: the agent's greeting is spoken once, then the line is hung up.
"""

from outdial.domain.model.call import Call
from outdial.ports.carrier import Announce
from outdial.ports.speech import Speech


class AnnounceRuntime:
    """
    Speaks rendered greetings with one voice.
    """

    def __init__(self, speech: Speech) -> None:
        self._speech = speech

    async def prepare(self, call: Call) -> Announce:
        """
        Speak the call's greeting as it was rendered at accept.

        Raises:
            SpeechError: The voice failed.
        """
        return Announce(audio=await self._speech.speak(call.script.greeting))
