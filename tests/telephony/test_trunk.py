"""
Addresses and settings of a trunk.
"""

import importlib
from urllib.parse import unquote

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from outdial.adapters.sip import dispatcher
from outdial.adapters.sip.trunk import Trunk
from outdial.domain.model.sip_address import SipAddress, parse_sip_address


@pytest.mark.parametrize(
    ("uri", "host", "port", "transport"),
    [
        ("sip:127.0.0.1:5070;transport=udp", "127.0.0.1", 5070, "udp"),
        ("sip:trunk.example", "trunk.example", 5060, "udp"),
        ("SIP:trunk.example;transport=TCP", "trunk.example", 5060, "tcp"),
        ("sip:trunk.example;transport=tls", "trunk.example", 5061, "tls"),
        ("sips:trunk.example", "trunk.example", 5061, "tls"),
        ("sips:trunk.example:5071;transport=tcp", "trunk.example", 5071, "tls"),
    ],
)
def test_address_is_read(uri: str, host: str, port: int, transport: str) -> None:
    """
    Host, port and transport are taken from the URI, with the defaults of RFC 3261.
    """
    address = parse_sip_address(uri)

    assert (host, port, transport) == (address.host, address.port, address.transport)


@pytest.mark.parametrize(
    ("uri", "words"),
    [
        ("", "looks like"),
        ("trunk.example", "looks like"),
        ("http://trunk.example", "looks like"),
        ("sip:trunk example", "looks like"),
        ("sip:trunk.example:0", "port from 1"),
        ("sip:trunk.example:70000", "port from 1"),
        ("sip:trunk.example;transport=sctp", "'sctp'"),
        ("sips:trunk.example;transport=udp", "asks for TLS"),
        ("sip:trunk.example\n", "looks like"),
        ("\u017fip:trunk.example", "looks like"),
        ("sip:", "looks like"),
        ("sip:@trunk.example", "looks like"),
        ("sip:a@[::1]", "looks like"),
        ("sip:a:b@trunk.example", "looks like"),
        ('sip:<a>"b"@trunk.example', "looks like"),
        ("sip:a%4@trunk.example", "looks like"),
        ("sip:trunk.example;x=<y>", "looks like"),
        ("sip:trunk.example;transport=", "looks like"),
        ("sip:trunk.example?Subject=x", "looks like"),
        ("sip:999.1.1.1", "neither an IPv4 address"),
        ("sip:1234", "neither an IPv4 address"),
        ("sip:-trunk.example", "neither an IPv4 address"),
        ("sip:trunk..example", "neither an IPv4 address"),
        (f"sip:{'x' * 64}.example", "neither an IPv4 address"),
        (f"sip:{'x.' * 127}example", "neither an IPv4 address"),
        (f"sip:{'x' * 600}@example", "at most 512"),
        ("sip:trunk.example;transport=tcp;Transport=udp", "transport once"),
        ("sip:trunk.example;ttl=x", "no parameter ttl"),
        ("sip:trunk.example;maddr=192.0.2.1", "no parameter maddr"),
    ],
)
def test_unusable_address_is_refused_with_a_reason(uri: str, words: str) -> None:
    """
    A wrong address is told apart when it is set, in a sentence.
    """
    with pytest.raises(ValueError, match=words):
        parse_sip_address(uri)


ADDRESSES = st.from_regex(
    r"\A(?i:sips?):([a-zA-Z0-9%_.!~*'()&=+$,/-]{1,9}@)?[a-z0-9.-]{1,9}(:[0-9]{1,5})?"
    r"(;(transport=(udp|tcp|tls)|[a-z0-9%\[\]/:&+$]{1,4}(=[a-z0-9]{1,4})?)){0,2}\Z"
)
"""Texts that are addresses, or nearly."""


@pytest.mark.sip
@given(ADDRESSES)
def test_every_address_that_is_read_can_be_put_into_an_invite(uri: str) -> None:
    """
    The SIP stack reads each Request-URI and writes it in plain ASCII, to the same host and port.
    """
    try:
        address = parse_sip_address(uri)
    except ValueError:
        event("refused")
        return
    event("read")
    dispatcher.install()
    url = importlib.import_module("sippy.SipURL").SipURL(address.request_uri(address.user))

    assert (address.host, address.port if address.has_port else None) == (url.host, url.port)
    assert unquote(address.user) == (url.username or "")
    assert str(url).isascii()
    assert str(url).isprintable()
    assert not set('<>" ') & set(str(url))


@given(st.text())
def test_any_text_is_an_address_or_a_value_error(text: str) -> None:
    """
    Nothing but ValueError comes of a wrong address.
    """
    try:
        address = parse_sip_address(text)
    except ValueError:
        return

    assert isinstance(address, SipAddress)


def test_request_uri_carries_user_port_and_parameters() -> None:
    """
    What was written stands in the Request-URI; a default port does not.
    """
    assert "sip:x@a.example;transport=tls;project=1" == parse_sip_address("sips:y@a.example;project=1").request_uri("x")
    assert "sip:+15@127.0.0.1:5070" == parse_sip_address("sip:127.0.0.1:5070").request_uri("+15")


@pytest.mark.parametrize(
    "settings",
    [
        {"username": "only"},
        {"password": "only"},
        {"bind_port": 65536},
        {"rtp_port_min": 200, "rtp_port_max": 100},
        {"rtp_port_min": 201, "rtp_port_max": 201},
        {"no_answer_from_trunk_s": 0},
        {"address": "nowhere"},
    ],
)
def test_contradictory_settings_are_refused(settings: dict[str, object]) -> None:
    """
    A trunk that can't work is refused when it is described.
    """
    arguments: dict[str, object] = {"address": "sip:trunk.example", **settings}

    with pytest.raises(ValueError):
        Trunk(**arguments)  # type: ignore[arg-type]  # wrong on purpose


def test_password_stays_out_of_logs() -> None:
    """
    The description of a trunk does not show its password.
    """
    trunk = Trunk(address="sip:trunk.example", username="user", password="hush-hush")

    assert ("user", "hush-hush") == trunk.credentials
    assert "hush-hush" not in repr(trunk)
