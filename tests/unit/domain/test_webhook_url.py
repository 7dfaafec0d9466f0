"""
Which addresses a stranger may have outdial connect to.
"""

from ipaddress import IPv4Address, IPv6Address, ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from outdial.domain.model.public_address import is_loopback, is_public
from outdial.domain.model.webhook_url import LENGTH_MAX, Endpoint, parse_url

INSIDE = (
    *("0.0.0.0", "0.1.2.3", "10.0.0.1", "100.64.0.1", "100.100.100.200", "127.0.0.1", "127.9.9.9", "168.63.129.16"),  # noqa: S104 - nothing is bound
    *("169.254.169.254", "172.16.0.1", "172.31.255.255", "192.0.0.1", "192.0.0.192", "192.0.2.1", "192.88.99.1"),
    *("192.168.1.1", "198.18.0.1", "198.51.100.1", "203.0.113.9", "224.0.0.1", "239.255.255.255", "240.0.0.1"),
    *("255.255.255.255", "::", "::1", "::ffff:10.0.0.1", "::ffff:93.184.216.34", "::93.184.216.34", "64:ff9b::a00:1"),
    *("64:ff9b::5db8:d822", "64:ff9b:1::a00:1", "100::1", "2001::1", "2001:0:4136:e378:8000:63bf:3fff:fdd2"),
    *("2001:db8::1", "2001:10::1", "2001:20::1", "2002:a00:1::", "2002:5db8:d822::1", "3ffe::1", "3fff::1", "4000::1"),
    *("fc00::1", "fd00:ec2::254", "fe80::1", "fe80::1%eth0", "fec0::1", "ff02::1", "::ffff:0:10.0.0.1"),
    *("2606:4700::5efe:10.0.0.1", "2606:4700::200:5efe:a00:1", "2606:4700::1%eth0", "", "localhost", "93.184.216.34 "),
)
OUTSIDE = ("1.1.1.1", "93.184.216.34", "100.128.0.1", "172.32.0.1", "192.0.1.1", "2606:4700:4700::1111", "2a00:1450::1")


@pytest.mark.parametrize("address", INSIDE)
def test_an_address_inside_is_not_public(address: str) -> None:
    """
    Private, local, shared, reserved, documentation, metadata of clouds, and whatever stands for another address.
    """
    assert not is_public(address)


@pytest.mark.parametrize("address", OUTSIDE)
def test_an_address_of_the_internet_is_public(address: str) -> None:
    """
    Next to the ranges above, too.
    """
    assert is_public(address)


def embeddings(inner: IPv4Address) -> list[IPv6Address]:
    """
    Return every known way to hide an IPv4 address in one of IPv6.
    """
    number = int(inner)
    words = (
        0xFFFF << 32 | number,  # mapped
        number,  # compatible
        0xFFFF << 48 | number,  # translated
        0x64_FF9B << 96 | number,  # NAT64
        0x64_FF9B_0001 << 80 | number,
        0x2002 << 112 | number << 80,  # 6to4
        0x2001_0000 << 96 | number << 64 | (number ^ 0xFFFF_FFFF),  # Teredo: server and client
        0x2606_4700 << 96 | 0x5EFE << 32 | number,  # ISATAP
        0x2606_4700 << 96 | 0x0200_5EFE << 32 | number,
    )
    return [IPv6Address(word) for word in words]


@given(st.integers(0, 2**32 - 1).map(IPv4Address))
def test_no_address_hides_another(inner: IPv4Address) -> None:
    """
    Whether that is public or not: nobody has a reason to write it so.
    """
    assert [] == [str(outer) for outer in embeddings(inner) if is_public(str(outer))]


@given(st.integers(0, 2**32 - 1).map(IPv4Address) | st.integers(0, 2**128 - 1).map(IPv6Address))
def test_what_is_public_is_global_unicast(address: IPv4Address | IPv6Address) -> None:
    """
    No address passes that the standard library takes for anything else.
    """
    text = str(address)

    assert not is_public(text) or (
        address.is_global
        and not (address.is_private or address.is_loopback or address.is_link_local or address.is_multicast)
        and not (address.is_reserved or address.is_unspecified)
    )


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
def test_this_machine_is_loopback(address: str) -> None:
    """
    By its two usual addresses.
    """
    assert is_loopback(address)


@pytest.mark.parametrize("address", ["127.0.0.2", "10.0.0.1", "::2", "::ffff:127.0.0.1", "localhost", ""])
def test_nothing_else_is_loopback(address: str) -> None:
    """
    Names are none, before they are looked up.
    """
    assert not is_loopback(address)


@pytest.mark.parametrize(
    ("url", "host", "port", "target"),
    [
        ("https://hooks.example.com", "hooks.example.com", 443, "/"),
        ("https://Hooks.EXAMPLE.com:8443/a/b?c=d&e=%20", "hooks.example.com", 8443, "/a/b?c=d&e=%20"),
        ("https://example.com?x=1", "example.com", 443, "/?x=1"),
        ("https://xn--bcher-kva.example/@me;v=1", "xn--bcher-kva.example", 443, "/@me;v=1"),
        ("https://93.184.216.34/", "93.184.216.34", 443, "/"),
        ("https://[2606:4700:4700::1111]:1/", "2606:4700:4700::1111", 1, "/"),
        ("https://a_b.example.com/", "a_b.example.com", 443, "/"),
    ],
)
def test_a_public_address_is_read(url: str, host: str, port: int, target: str) -> None:
    """
    Host in lower case, port, path and query; whether this machine is allowed changes nothing.
    """
    expected = Endpoint(is_local=False, host=host, port=port, target=target)

    assert expected == parse_url(url, allows_loopback=False) == parse_url(url, allows_loopback=True)


@pytest.mark.parametrize(
    ("url", "authority"),
    [
        ("https://example.com/", "example.com"),
        ("https://example.com:443/", "example.com"),
        ("https://example.com:80/", "example.com:80"),
        ("https://[2606:4700:4700::1111]/", "[2606:4700:4700::1111]"),
        ("http://[::1]:8080/", "[::1]:8080"),
        ("http://localhost/", "localhost"),
    ],
)
def test_an_authority_is_written_as_http_wants_it(url: str, authority: str) -> None:
    """
    Brackets around IPv6, no port where it is the usual one.
    """
    assert authority == parse_url(url, allows_loopback=True).authority


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "http://[::1]/a", "http://localhost:8080/?b"])
def test_this_machine_is_an_endpoint_where_that_is_allowed(url: str) -> None:
    """
    And only there.
    """
    assert parse_url(url, allows_loopback=True).is_local
    with pytest.raises(ValueError, match="It has to begin with https://"):
        parse_url(url, allows_loopback=False)


REFUSED = (
    *("", "hooks.example.com", "//hooks.example.com/", "ftp://example.com/", "HTTPS://example.com/", "https:/a.b/"),
    *("https://", "https:///path", "https://user@example.com/", "https://user:pw@example.com/", "https://:pw@a.bc/"),
    *("https://example.com@10.0.0.1/", "https://example.com\\@10.0.0.1/", "https://example.com#@10.0.0.1/"),
    *("https://example.com/#fragment", "https://example.com/ ", " https://example.com/", "https://exa mple.com/"),
    *("https://example.com/\r\nHost: a", "https://example.com/\x00", "https://example.com/ü", "https://exämple.com/"),
    *("https://exam\u200bple.com/", "https://example。com/", "https://example.com./", "https://.example.com/"),
    *("https://-example.com/", "https://example-.com/", "https://localhost/", "https://intranet/", "https://com/"),
    *("https://2130706433/", "https://0x7f000001/", "https://0x7f.1/", "https://0177.0.0.1/", "https://127.1/"),
    *("https://1.1.1.1.1/", "https://example.1/", "https://example.0x1/", "https://1.1.1.01/", "https://1.1.1.1./"),
    *("https://127.0.0.1/", "https://10.0.0.1/", "https://169.254.169.254/latest", "https://[::1]/", "https://[::]/"),
    *("https://[fe80::1%25eth0]/", "https://[fe80::1%eth0]/", "https://[::ffff:1.1.1.1]/", "https://[1.1.1.1]/"),
    *("https://2606:4700:4700::1111/", "https://[2606:4700:4700::1111/", "https://[]/", "https://[v1.a]/"),
    *("https://example.com:0/", "https://example.com:65536/", "https://example.com:/", "https://example.com:8a/"),
    *("https://example.com:-1/", "https://example.com:٤٤٣/", "https://example.com/%zz", "https://example.com/%2"),
    *("https://example.com/a|b", "https://example.com/<a>", 'https://example.com/"', "https://example.com/a\\b"),
    *("http://example.com/", "http://10.0.0.1/", "http://127.0.0.2/", "http://127.1/", "http://localhost.example.com/"),
    *("http://[::ffff:127.0.0.1]/", "http://user@127.0.0.1/", "http://127.0.0.1@10.0.0.1/", "http://0.0.0.0/"),
    *(
        f"https://{'a' * 64}.example.com/",
        f"https://{'a.' * 126}example.com/",
        "https://example.com/" + "a" * LENGTH_MAX,
    ),
)


@pytest.mark.parametrize("url", REFUSED, ids=range(len(REFUSED)))
def test_whatever_may_be_read_in_two_ways_is_refused(url: str) -> None:
    """
    Schemes, user names, numbers in odd forms, dots at the end, other scripts, zones; with a sentence.
    """
    with pytest.raises(ValueError, match=r"^It[s ].*\.$"):
        parse_url(url, allows_loopback=True)


hosts = st.from_regex(r"[0-9A-Za-z.\[\]:%@xX_-]{1,40}", fullmatch=True)


@given(st.sampled_from(["https://", "http://"]), hosts | st.sampled_from(INSIDE), st.booleans())
def test_no_address_inside_passes(scheme: str, host: str, allows_loopback: bool) -> None:  # noqa: FBT001 - drawn
    """
    Whatever is read as an address is a public one, or this machine where that is allowed.
    """
    try:
        endpoint = parse_url(f"{scheme}{host}/", allows_loopback=allows_loopback)
    except ValueError:
        return
    try:
        address = ip_address(endpoint.host)
    except ValueError:
        assert "." in endpoint.host or (endpoint.is_local and endpoint.host == "localhost")
        assert not endpoint.host.rpartition(".")[2].isdigit()
    else:
        assert is_public(str(address)) or (endpoint.is_local and allows_loopback and address.is_loopback)
