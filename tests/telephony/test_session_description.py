"""
Session descriptions: what we say, and what we understand.
"""

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from outdial.adapters.sip.session_description import Codec, Direction, LocalSession, RemoteMedia, parse_media
from tests.telephony.scripted_callee import describe

LINES = st.sampled_from(
    [
        "v=0",
        "c=IN IP4 192.0.2.1",
        "c=IN IP6 ::1",
        "c=IN IP4 999.1.1.1",
        "m=audio 4000 RTP/AVP 0 8",
        "m=audio 0 RTP/AVP 0",
        "m=audio 99999 RTP/AVP 0",
        "m=audio 4000/2 RTP/AVP 8",
        "m=audio",
        "m=video 5000 RTP/AVP 96",
        "a=rtpmap:96 PCMA/8000",
        "a=sendonly",
        "a=inactive",
        "=",
        "",
    ]
)
DESCRIPTIONS = st.lists(LINES).map("\r\n".join) | st.text() | st.binary().map(lambda data: data.decode("latin-1"))


@given(DESCRIPTIONS)
def test_any_description_is_safe(description: str) -> None:
    """
    Whatever the far end sends as a description is read, relayed and answered without an exception, in ASCII.
    """
    media = parse_media(description)
    session = LocalSession("192.0.2.9")
    answer = session.answer(description, 4000)

    event("media" if media is not None else "no media")
    assert (media is None) == (answer is None)
    assert session.relay(description).isascii()


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        (describe(4000), (Codec.PCMU, 0)),
        (describe(4000, formats="8 0"), (Codec.PCMU, 0)),
        (describe(4000, formats="8 101"), (Codec.PCMA, 8)),
        (describe(4000, formats="97") + "a=rtpmap:97 pcma/8000/1\r\n", (Codec.PCMA, 97)),
    ],
)
def test_best_codec_is_chosen(description: str, expected: tuple[Codec, int]) -> None:
    """
    PCMU is preferred and PCMA is taken, whatever number it goes by.
    """
    media = parse_media(description)

    assert media is not None
    assert expected == (media.codec, media.payload_type)


@pytest.mark.parametrize(
    "description",
    [
        "",
        describe(0),
        describe(70000),
        describe(4000, formats="18"),
        describe(4000).replace("RTP/AVP", "RTP/SAVP"),
        describe(4000).replace("c=IN IP4", "c=IN IP6"),
        describe(4000, host="1.2.3.456"),
        describe(4000, formats="128") + "a=rtpmap:128 PCMU/8000\r\n",  # no number that fits into a packet
    ],
)
def test_media_we_cannot_send_is_none(description: str) -> None:
    """
    No sound, no G.711, encrypted sound and addresses we can't reach are all no media.
    """
    assert parse_media(description) is None


def test_media_level_lines_beat_those_of_the_session() -> None:
    """
    The address and direction of the sound's own section count (RFC 8866, 5.7).
    """
    description = describe(4000, host="192.0.2.1", direction="inactive") + "c=IN IP4 192.0.2.2\r\n"

    expected = RemoteMedia(host="192.0.2.2", port=4000, codec=Codec.PCMU, payload_type=0, direction=Direction.INACTIVE)
    assert expected == parse_media(description)


@pytest.mark.parametrize(
    ("description", "listens"),
    [
        (describe(4000), True),
        (describe(4000, direction="recvonly"), True),
        (describe(4000, direction="sendonly"), False),
        (describe(4000, direction="inactive"), False),
        (describe(4000, host="0.0.0.0"), False),  # noqa: S104 - the old way to hold
    ],
)
def test_hold_is_recognised(description: str, *, listens: bool) -> None:
    """
    A far end on hold gets no sound, by the old way and the new.
    """
    media = parse_media(description)

    assert media is not None
    assert listens == media.listens


def test_answer_mirrors_the_offer() -> None:
    """
    An answer has one codec, the mirrored direction and a port 0 for every other medium (RFC 3264, 6).
    """
    offer = describe(4000, direction="sendonly") + "m=video 5000 RTP/AVP 96\r\n"

    answer = LocalSession("192.0.2.9").answer(offer, 6000)

    assert answer is not None
    assert "m=audio 6000 RTP/AVP 0\r\n" in answer
    assert "a=recvonly\r\n" in answer
    assert "m=video 0 RTP/AVP 96\r\n" in answer


def test_versions_of_a_session_count_up() -> None:
    """
    Each description of a session has the same id and the next version (RFC 3264, 8).
    """
    session = LocalSession("192.0.2.9")

    first, second = (session.offer(4000).splitlines()[1].split() for _ in range(2))

    assert first[1] == second[1]
    assert int(first[2]) + 1 == int(second[2])


def test_relayed_description_keeps_the_media_under_our_own_origin() -> None:
    """
    The other party's address, codecs and attributes are passed on, but not its origin or that it was on hold.
    """
    description = describe(4000, host="192.0.2.1", direction="inactive") + "a=ptime:20\r\n"

    relayed = LocalSession("192.0.2.9").relay(description)

    media = parse_media(relayed)
    assert RemoteMedia(host="192.0.2.1", port=4000, codec=Codec.PCMU, payload_type=0) == media
    assert "a=ptime:20\r\n" in relayed
    assert "o=scripted" not in relayed
