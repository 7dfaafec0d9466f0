"""
Messages over real sockets: to receivers that take them, stall, talk without end or are not who they say.
"""

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Final

import pytest

from outdial.adapters.webhook_http.look_up import look_up
from outdial.adapters.webhook_http.network import READ_BYTES_MAX, CheckedNetwork
from outdial.adapters.webhook_http.sender import HttpWebhookSender
from outdial.ports.webhook_sender import WebhookSendError
from tests.telephony.tls_terminator import Certificate, make_certificate
from tests.webhooks.receiver import OK, Answer, Received, raw, receiver, status

BODY: Final = b'{"a":1}'
HEADERS: Final = {"content-type": "application/json", "webhook-id": "msg_1"}
NAME: Final = "hooks.example.com"


def sender(**changes: object) -> HttpWebhookSender:
    """
    Return a sender that may reach this machine.
    """
    return HttpWebhookSender(**{"allows_loopback": True, "deadline_s": 5.0, **changes})  # type: ignore[arg-type]


async def post(url: str, **changes: object) -> int:
    """
    Send the body.
    """
    return await sender(**changes).send(url, HEADERS, BODY)


def problem_of(url: str, **changes: object) -> str:
    """
    Return why the body could not be sent.
    """
    with pytest.raises(WebhookSendError) as caught:
        asyncio.run(post(url, **changes))
    return str(caught.value)


def to_receiver(*answers: Answer, **changes: object) -> tuple[int | str, list[Received]]:
    """
    Send the body to a receiver, and return the status or the problem, and what arrived.
    """

    async def run() -> tuple[int | str, list[Received]]:
        async with receiver(*answers) as listening:
            try:
                return await post(listening.url, **changes), listening.received
            except WebhookSendError as error:
                return str(error), listening.received

    return asyncio.run(run())


def test_a_message_arrives_as_it_is() -> None:
    """
    One POST with the headers, the length and the body; what is answered is its status.
    """
    answered, (received,) = to_receiver()

    assert 200 == answered
    assert "POST /hooks?a=1 HTTP/1.1" == received.line
    assert BODY == received.body
    assert HEADERS.items() <= received.headers.items()
    assert received.headers["host"].startswith("127.0.0.1:")
    assert "close" == received.headers["connection"]


@pytest.mark.parametrize("code", [204, 301, 302, 307, 410, 500])
def test_a_status_is_an_answer_whatever_it_says(code: int) -> None:
    """
    Nobody follows a redirect.
    """
    answered, received = to_receiver(status(code, "location: http://127.0.0.1:1/"))

    assert code == answered
    assert 1 == len(received)


async def stall(_received: Received, _writer: asyncio.StreamWriter) -> None:
    """
    Answer nothing.
    """
    await asyncio.sleep(60)


async def stall_after_status(_received: Received, writer: asyncio.StreamWriter) -> None:
    """
    Begin an answer that never ends.
    """
    writer.write(b"HTTP/1.1 202 Accepted\r\ncontent-length: 9\r\n\r\n")
    await asyncio.sleep(60)


async def reset(_received: Received, writer: asyncio.StreamWriter) -> None:
    """
    Break the connection, without a farewell.
    """
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()


def test_a_receiver_that_stalls_is_given_up() -> None:
    """
    At the deadline; one that has told its status has answered.
    """
    assert ("The endpoint did not answer within 15 s.", 1) == (
        (answer := to_receiver(stall, deadline_s=0.1))[0],
        len(answer[1]),
    )
    assert 202 == to_receiver(stall_after_status, deadline_s=0.1)[0]


def endless(first: bytes, part: bytes) -> tuple[Answer, list[int]]:
    """
    Return what answers without end, and counts what the other side let it write.
    """
    written: list[int] = []

    async def answer(_received: Received, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(part)
            await writer.drain()
            written.append(len(part))

    return answer, written


@pytest.mark.parametrize(
    ("first", "part", "expected"),
    [
        (b"HTTP/1.1 200 OK\r\ncontent-length: 999999999\r\n\r\n", b"x" * 1024, 200),
        (b"HTTP/1.1 200 OK\r\n", b"x-header: " + b"y" * 1000 + b"\r\n", "The endpoint sent more than 64 KiB."),
        (b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 40, "The endpoint sent more than 64 KiB."),
    ],
    ids=["body", "headers", "interim-answers"],
)
def test_only_so_much_is_read(first: bytes, part: bytes, expected: int | str) -> None:
    """
    Of bodies, headers and interim answers together; the sender leaves early, not at the deadline.
    """
    answer, written = endless(first, part)

    answered, _received = to_receiver(answer)

    assert expected == answered
    assert sum(written) < 200 * READ_BYTES_MAX  # the rest is in the buffers of the two sockets


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (raw(b"SSH-2.0-OpenSSH_9.9\r\n"), "The endpoint gave no answer that is HTTP."),
        (raw(b""), "The endpoint gave no answer that is HTTP."),
        (reset, "The connection broke before the endpoint answered."),
    ],
    ids=["no-http", "nothing", "reset"],
)
def test_no_answer_is_told_in_a_sentence(answer: Answer, problem: str) -> None:
    """
    Whatever the receiver does instead.
    """
    assert problem == to_receiver(answer)[0]


def test_a_port_without_listener_is_told() -> None:
    """
    Nobody is there.
    """

    async def run() -> int:
        async with receiver() as gone:
            pass
        return await post(gone.url)

    with pytest.raises(WebhookSendError, match=r"^The endpoint can't be reached\.$"):
        asyncio.run(run())


def test_this_machine_is_reached_only_where_that_is_allowed() -> None:
    """
    A webhook from a time when it was allowed gets nothing.
    """
    problem = problem_of("http://127.0.0.1:9/", allows_loopback=False)

    assert "The webhook's URL can't be used any more. It has to begin with https://." == problem


def names(*answers: list[str]) -> Callable[[str, int], Awaitable[list[str]]]:
    """
    Return a look-up that answers one after the other.
    """
    left = list(answers)

    async def find(_host: str, _port: int) -> list[str]:
        return left.pop(0) if len(left) > 1 else left[0]

    return find


@pytest.mark.parametrize(
    "addresses",
    [["127.0.0.1"], ["93.184.216.34", "10.0.0.1"], ["::1"], ["169.254.169.254"], ["::ffff:93.184.216.34"]],
    ids=str,
)
def test_a_name_that_leads_inside_is_refused(addresses: list[str]) -> None:
    """
    Every address of it is looked at before any is connected to; the problem tells nothing of what was found.
    """
    problem = problem_of(f"https://{NAME}/", look_up=names(addresses))

    assert "The endpoint's name leads to an address that webhooks are not sent to." == problem


def test_without_the_check_a_name_leads_inside() -> None:
    """
    A negative control: with the check switched off, this machine gets the connection that the test above refuses.
    """

    async def run() -> int:
        async with receiver() as inside:
            url = f"https://{NAME}:{inside.port}/"
            for is_allowed in (None, lambda _address: True):
                options = {} if is_allowed is None else {"is_allowed": is_allowed}
                with pytest.raises(WebhookSendError):
                    await post(url, look_up=names(["127.0.0.1"]), deadline_s=0.3, **options)
                assert (is_allowed is not None) == (inside.connections > 0)
            return inside.connections

    assert 1 == asyncio.run(run())


@pytest.fixture
def certificate(tmp_path: Path) -> Certificate:
    """
    One that only those trust who know it.
    """
    return make_certificate(tmp_path, f"DNS:{NAME}")


def over_tls(certificate: Certificate, url_name: str = NAME, **changes: object) -> tuple[int, list[Received]]:
    """
    Send the body over TLS to a receiver whose name leads to this machine.
    """
    served = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    served.load_cert_chain(certificate.certificate, certificate.key)
    trusted = ssl.create_default_context(cafile=certificate.certificate)

    async def run() -> tuple[int, list[Received]]:
        async with receiver(raw(OK), tls=served) as listening:
            url = f"https://{url_name}:{listening.port}/"
            options = {"tls": trusted, "look_up": names(["127.0.0.1"]), "is_allowed": lambda _address: True, **changes}
            return await post(url, **options), listening.received

    return asyncio.run(run())


def test_a_message_goes_over_tls_to_the_name(certificate: Certificate) -> None:
    """
    The certificate has to be that of the name, wherever the name leads.
    """
    answered, (received,) = over_tls(certificate)

    assert 200 == answered
    assert received.headers["host"].startswith(f"{NAME}:")
    assert BODY == received.body


@pytest.mark.parametrize(
    ("url_name", "changes", "problem"),
    [
        (NAME, {"tls": ssl.create_default_context()}, "certificate is not valid: self-signed certificate"),
        ("other.example.com", {}, "certificate is not valid: Hostname mismatch"),
    ],
    ids=["unknown", "other-name"],
)
def test_a_certificate_is_checked(
    certificate: Certificate, url_name: str, changes: dict[str, object], problem: str
) -> None:
    """
    One that nobody vouches for, or another name's, gets no message.
    """
    with pytest.raises(WebhookSendError, match=problem):
        over_tls(certificate, url_name, **changes)


def test_a_receiver_without_tls_is_told() -> None:
    """
    TLS that does not come about is a sentence, too.
    """

    async def run() -> int:
        async with receiver(raw(b"HTTP/1.1 200 OK\r\n\r\n")) as plain:
            url = f"https://{NAME}:{plain.port}/"
            return await post(url, look_up=names(["127.0.0.1"]), is_allowed=lambda _address: True, deadline_s=0.2)

    with pytest.raises(WebhookSendError, match=r"TLS|did not answer"):
        asyncio.run(run())


def test_a_name_is_asked_for_once(certificate: Certificate) -> None:
    """
    One that leads to a public address first and inside later leads to the first: that very one is connected to.
    """
    asked: list[str] = []

    def is_allowed(address: str) -> bool:
        asked.append(address)
        return address == "127.0.0.1"  # stands for the public address here

    answered, _received = over_tls(certificate, look_up=names(["127.0.0.1"], ["127.0.0.66"]), is_allowed=is_allowed)

    assert (200, ["127.0.0.1"]) == (answered, asked)


def test_the_next_address_is_tried() -> None:
    """
    Where nobody listens on the first.
    """

    async def run() -> str:
        async with receiver() as listening:
            network = CheckedNetwork(look_up=names(["127.0.0.9", "127.0.0.1"]), is_allowed=lambda _address: True)
            stream = await network.connect_tcp(NAME, listening.port)
            host, _port = stream.get_extra_info("server_addr")
            await stream.aclose()
            return str(host)

    assert "127.0.0.1" == asyncio.run(run())


@pytest.mark.parametrize("addresses", [[], None], ids=["none", "error"])
def test_a_name_without_address_is_told(addresses: list[str] | None) -> None:
    """
    Whether the resolver says so or fails.
    """

    async def find(_host: str, _port: int) -> list[str]:
        if addresses is None:
            raise OSError
        return addresses

    assert "The endpoint's name has no address." == problem_of(f"https://{NAME}/", look_up=find)


def test_the_resolver_of_the_system_is_asked() -> None:
    """
    An address stands for itself, each once; a name that can't be one has none; who leaves early leaves nothing behind.
    """

    async def run() -> None:
        assert ["127.0.0.1"] == await look_up("127.0.0.1", 80)
        assert ["::1"] == await look_up("::1", 80)
        with pytest.raises(OSError, match="has no address"):
            await look_up("a" * 64 + ".example", 80)  # so long that no server is asked
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0):
                await look_up("127.0.0.1", 80)
        await asyncio.sleep(0.05)

    asyncio.run(run())


def test_no_proxy_of_the_environment_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """
    A proxy would look names up by itself, unchecked.
    """
    for name in ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")

    assert 200 == to_receiver()[0]
