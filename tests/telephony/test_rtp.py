"""
Sound: G.711, ports, and packets on time.
"""

import asyncio
import errno
import os
import socket
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.adapters.sip import g711
from outdial.adapters.sip.rtp import (
    FRAME_SAMPLES,
    TAIL_FRAMES,
    NoPortLeftError,
    PortNotOpenedError,
    PortPool,
    RtpSender,
)
from outdial.adapters.sip.session_description import Codec, Direction, RemoteMedia
from tests.telephony.calls import run, sound
from tests.telephony.ports import free_port
from tests.telephony.rtp_receiver import a_law_decoded, mu_law_decoded, rtp_receiver

DECODED = {Codec.PCMU: mu_law_decoded, Codec.PCMA: a_law_decoded}


SAMPLES = st.integers(-32768, 32767)


def heard(sample: int, codec: Codec) -> int:
    """
    Compress and expand one sample.
    """
    return DECODED[codec](g711.encode(sample.to_bytes(2, "little", signed=True), codec)[0])


@given(SAMPLES, st.sampled_from(Codec))
def test_compression_errs_by_half_a_step_at_most(sample: int, codec: Codec) -> None:
    """
    Steps grow with loudness: half of one is at most 1/32 of the sample, and a little near zero.
    """
    assert abs(heard(sample, codec) - sample) <= (abs(sample) + 264) / 32


@given(SAMPLES, SAMPLES, st.sampled_from(Codec))
def test_compression_keeps_the_order(one: int, other: int, codec: Codec) -> None:
    """
    What is louder is not heard as quieter.
    """
    quieter, louder = sorted((one, other))

    assert heard(quieter, codec) <= heard(louder, codec)


@pytest.mark.parametrize("codec", Codec)
def test_expanded_bytes_compress_to_themselves(codec: Codec) -> None:
    """
    Every byte but mu-law's second zero survives a round trip.
    """
    for byte in set(range(256)) - ({0x7F} if codec is Codec.PCMU else set()):
        pcm = DECODED[codec](byte).to_bytes(2, "little", signed=True)

        assert bytes([byte]) == g711.encode(pcm, codec)


@pytest.mark.parametrize(("codec", "silence"), [(Codec.PCMU, 0xFF), (Codec.PCMA, 0xD5)])
def test_silence_is_silent(codec: Codec, silence: int) -> None:
    """
    Zeros become the byte which ITU-T G.711 gives to silence.
    """
    assert bytes([silence]) * 3 == g711.encode(bytes(6), codec)


def test_pool_gives_even_ports_until_none_is_left() -> None:
    """
    Each port is given once; when all are taken, an error says so.
    """
    first = free_port(neighbours=6)
    pool = PortPool("127.0.0.1", first - 1, first + 5)
    sockets = [pool.open() for _ in range(3)]
    try:
        assert {first, first + 2, first + 4} == {bound.getsockname()[1] for bound in sockets}
        with pytest.raises(NoPortLeftError, match="widen the range"):
            pool.open()
        sockets.pop().close()
        sockets.append(pool.open())
    finally:
        for bound in sockets:
            bound.close()


@pytest.mark.parametrize("host", ["192.0.2.1", "::1"])
def test_pool_names_an_address_that_is_not_ours(host: str) -> None:
    """
    The range of ports has nothing to do with it, and no other port is tried.
    """
    with pytest.raises(PortNotOpenedError, match=f"UDP port [0-9]+ of {host} can't be opened: ") as raised:
        PortPool(host, 20000, 29998).open()

    assert "range" not in str(raised.value)


def test_pool_tells_that_no_socket_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A process at its limit of open files is told apart from a range that is taken.
    """

    def refused(*_arguments: object) -> None:
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(socket, "socket", refused)

    with pytest.raises(PortNotOpenedError, match="Too many open files"):
        PortPool("127.0.0.1", 20000, 29998).open()


@pytest.mark.parametrize(("codec", "payload_type"), [(Codec.PCMU, 0), (Codec.PCMA, 8)])
def test_sound_arrives_whole_in_order_and_on_time(codec: Codec, payload_type: int) -> None:
    """
    Packets of 20 ms count up by one and by 160, the first is marked, and the clock does not drift.
    """

    async def scenario() -> None:
        pcm = sound(0.5).audio.pcm
        async with rtp_receiver() as receiver:
            sender = await RtpSender.open(PortPool("127.0.0.1", 20000, 29998))
            sender.direct(RemoteMedia(host="127.0.0.1", port=receiver.port, codec=codec, payload_type=payload_type))
            started_s = asyncio.get_running_loop().time()
            await sender.play(pcm)
            elapsed_s = asyncio.get_running_loop().time() - started_s
            await asyncio.sleep(0.05)
            sender.close()
        packets = receiver.packets

        assert 25 + TAIL_FRAMES == len(packets)
        assert [True] + [False] * (len(packets) - 1) == [packet.marker for packet in packets]
        assert {(0x80, payload_type, sender.port)} == {(p.first_byte, p.payload_type, p.source_port) for p in packets}
        assert {1} == {(after.sequence - before.sequence) % 2**16 for before, after in pairwise(packets)}
        assert {FRAME_SAMPLES} == {(after.timestamp - before.timestamp) % 2**32 for before, after in pairwise(packets)}
        assert 1 == len({packet.ssrc for packet in packets})
        assert len(packets) * 0.02 - 0.02 == pytest.approx(elapsed_s, abs=0.1)
        sent = b"".join(packet.payload for packet in packets)
        assert g711.encode(pcm, codec) + g711.encode(bytes(2 * FRAME_SAMPLES * TAIL_FRAMES), codec) == sent

    run(scenario())


def test_odd_last_byte_and_short_last_frame_are_filled_with_silence() -> None:
    """
    Every packet is whole, whatever the length of the sound.
    """

    async def scenario() -> None:
        async with rtp_receiver() as receiver:
            sender = await RtpSender.open(PortPool("127.0.0.1", 20000, 29998))
            sender.direct(RemoteMedia(host="127.0.0.1", port=receiver.port, codec=Codec.PCMU, payload_type=0))
            await sender.play(b"\x01" * 333)
            await asyncio.sleep(0.05)
            sender.close()

        assert {FRAME_SAMPLES} == {len(packet.payload) for packet in receiver.packets}

    run(scenario())


def test_sound_waits_while_on_hold() -> None:
    """
    Nothing is sent to a far end on hold; afterwards the rest follows, marked, its time having gone on.
    """

    async def scenario() -> None:
        async with rtp_receiver() as receiver:
            media = RemoteMedia(host="127.0.0.1", port=receiver.port, codec=Codec.PCMU, payload_type=0)
            held = RemoteMedia(
                host="127.0.0.1", port=receiver.port, codec=Codec.PCMU, payload_type=0, direction=Direction.INACTIVE
            )
            sender = await RtpSender.open(PortPool("127.0.0.1", 20000, 29998))
            sender.direct(media)
            playing = asyncio.create_task(sender.play(sound(0.4).audio.pcm))
            await asyncio.sleep(0.1)
            sender.direct(held)
            await asyncio.sleep(0.05)
            before = len(receiver.packets)
            await asyncio.sleep(0.2)
            assert before == len(receiver.packets)
            sender.direct(media)
            await playing
            await asyncio.sleep(0.05)
            sender.close()
        packets = receiver.packets

        assert 20 + TAIL_FRAMES == len(packets)
        assert [0, before] == [index for index, packet in enumerate(packets) if packet.marker]
        assert packets[before].sequence == (packets[before - 1].sequence + 1) % 2**16
        assert packets[before].timestamp - packets[before - 1].timestamp > 8 * FRAME_SAMPLES

    run(scenario())
