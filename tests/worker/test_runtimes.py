"""
What agents are got ready with.
"""

import asyncio
from datetime import timedelta

import pytest

from outdial.adapters.memory.clock import ManualClock
from outdial.adapters.memory.speech import CHARACTERS_PER_SECOND, SilentSpeech
from outdial.adapters.runtimes.announce import AnnounceRuntime
from outdial.adapters.runtimes.sip_uri import CALL_HEADER, SipUriRuntime
from outdial.domain.model.agent import RuntimeKind
from outdial.domain.model.call import Script
from outdial.ports.carrier import SipUri
from outdial.ports.errors import SpeechError
from tests import builders


@pytest.mark.parametrize(("length", "duration_s"), [(0, 1), (1, 1), (15, 1), (150, 10)])
def test_silence_lasts_as_long_as_the_text(length: int, duration_s: float) -> None:
    """
    The simulator's voice needs the time of a speaker, and a second at least.
    """
    audio = asyncio.run(SilentSpeech().speak("x" * length))

    assert duration_s == audio.duration_s
    assert 15 == CHARACTERS_PER_SECOND


def test_an_announcement_is_the_rendered_greeting() -> None:
    """
    What was rendered at accept is spoken, whatever the agent's greeting is by now.
    """
    call = builders.call(script=Script(greeting="x" * 45, instructions="", variables={}))

    connect = asyncio.run(AnnounceRuntime(SilentSpeech()).prepare(call))

    assert 3 == connect.audio.duration_s


def test_an_agent_of_its_own_is_reached_at_its_address() -> None:
    """
    Its platform is told which call it joins.
    """
    call = builders.call(runtime=RuntimeKind.SIP_URI, sip_uri="sip:agent@example.com")

    connect = asyncio.run(SipUriRuntime().prepare(call))

    assert SipUri(uri="sip:agent@example.com", headers={CALL_HEADER: call.call_id}) == connect


def test_an_agent_without_an_address_is_not_ready() -> None:
    """
    It is said before anything is dialled.
    """
    with pytest.raises(SpeechError, match="no SIP URI"):
        asyncio.run(SipUriRuntime().prepare(builders.call(sip_uri=None)))


def test_a_manual_clock_stands_still_until_it_is_moved() -> None:
    """
    It goes forward and back, as real clocks do.
    """
    clock = ManualClock(builders.NOW)

    clock.advance(90)
    later = clock.now()
    clock.advance(-100)

    assert builders.NOW + timedelta(seconds=90) == later
    assert builders.NOW - timedelta(seconds=10) == clock.now()
