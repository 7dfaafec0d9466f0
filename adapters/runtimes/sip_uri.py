"""
The runtime `sip_uri`: the agent has a SIP address of its own and is joined to the callee.
"""

from outdial.domain.model.call import Call
from outdial.ports.carrier import SipUri
from outdial.ports.errors import SpeechError

CALL_HEADER = "X-Outdial-Call"
"""Tells the agent's platform which call it joins."""


class SipUriRuntime:
    """
    Hands the call to the agent's own platform.
    """

    async def prepare(self, call: Call) -> SipUri:
        """
        Return the agent's address.

        Raises:
            SpeechError: The agent has none.
        """
        if call.sip_uri is None:
            raise SpeechError("The agent has no SIP URI.")
        return SipUri(uri=call.sip_uri, headers={CALL_HEADER: call.call_id})
