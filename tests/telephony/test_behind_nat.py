"""
What a trunk is told of us where it reaches us at another address than the one we bind.
"""

import asyncio

import pytest

from outdial.entrypoints import composition
from outdial.entrypoints.settings import read_settings
from outdial.ports.carrier import RejectedError
from tests.telephony.calls import Reports, order, run, sound
from tests.telephony.ports import free_port
from tests.telephony.scripted_callee import Request, scripted_callee

pytestmark = pytest.mark.sip


def invite_with(**variables: str) -> tuple[Request, int, int]:
    """
    Dial with some `OUTDIAL_SIP_...` variables set; return the INVITE, the port we bind and the trunk's.
    """

    async def scenario() -> None:
        async with scripted_callee() as callee:
            ports.append(callee.port)
            settings = {
                "OUTDIAL_CARRIER": "sip",
                "OUTDIAL_SIP_BIND": f"127.0.0.1:{ports[0]}",
                "OUTDIAL_SIP_TRUNK": f"sip:127.0.0.1:{callee.port}",
                **{f"OUTDIAL_SIP_{name.upper()}": value for name, value in variables.items()},
            }
            carrier = composition.carrier(read_settings(settings))
            await carrier.start()
            placing = asyncio.create_task(carrier.place(order(), sound(), Reports()))
            invites.append(await callee.receive("INVITE"))
            callee.respond(invites[0], "486 Busy Here")
            with pytest.raises(RejectedError):
                await placing
            await carrier.stop()

    ports: list[int] = [free_port()]
    invites: list[Request] = []
    run(scenario())
    return invites[0], ports[0], ports[1]


def test_trunk_is_told_the_advertised_address_for_sip_and_sound() -> None:
    """
    Via, Contact and the session description hold it, with the port that we bind; packets leave from the bound one.
    """
    invite, port, _trunk_port = invite_with(advertised_host="203.0.113.7")

    assert ("127.0.0.1", port) == invite.source
    assert f"203.0.113.7:{port}" in invite.header("Via")
    assert f"@203.0.113.7:{port}" in invite.header("Contact")
    assert "c=IN IP4 203.0.113.7\r\n" in invite.body
    assert "127.0.0.1" not in invite.body


def test_caller_id_has_the_host_that_was_set() -> None:
    """
    From and P-Asserted-Identity hold it; the Request-URI stays the trunk's.
    """
    invite, _port, trunk_port = invite_with(caller_id_host="voice.example.com")

    assert "<sip:+15550001111@voice.example.com>" in invite.header("From")
    assert "<sip:+15550001111@voice.example.com>" == invite.header("P-Asserted-Identity")
    assert invite.text.startswith(f"INVITE sip:+15557654321@127.0.0.1:{trunk_port} SIP/2.0")


def test_without_settings_the_trunk_sees_what_is_bound() -> None:
    """
    The address that we bind, and the trunk's host behind the caller ID.
    """
    invite, port, _trunk_port = invite_with()

    assert f"@127.0.0.1:{port}" in invite.header("Contact")
    assert "c=IN IP4 127.0.0.1\r\n" in invite.body
    assert "<sip:+15550001111@127.0.0.1>" in invite.header("From")
