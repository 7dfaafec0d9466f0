"""
Everything that reads what strangers send, but for SIP's messages, which need an event loop.
"""

import io
from collections.abc import Callable, Mapping
from typing import Any, Final

from starlette.datastructures import QueryParams

from outdial.adapters.sip.session_description import LocalSession, parse_media
from outdial.adapters.speech.wav import parse_wav
from outdial.domain.model.canonical_number import is_canonical
from outdial.domain.model.idempotency import read_idempotency_key
from outdial.domain.model.identifiers import read_agent_reference, read_call_reference, read_key, read_place, read_row
from outdial.domain.model.look_alike import read_look_alike
from outdial.domain.model.phone_number import parse_phone_number
from outdial.domain.model.sip_address import parse_sip_address
from outdial.domain.model.template import check_template, render, variable_problems
from outdial.domain.model.webhook_url import parse_url
from outdial.entrypoints.http.api import OPERATIONS
from outdial.entrypoints.http.operation import Operation
from outdial.entrypoints.http.strict_json import InvalidJsonError, decode_object
from outdial.entrypoints.number_files.reading import read_numbers
from outdial.entrypoints.wire.reading import read, read_query
from outdial.ports.errors import SpeechError
from tests.entrypoints.clinic import KEY
from tests.fuzz.inputs import LONG_BYTES, Reader
from tests.speech.wav_files import wav
from tests.telephony.scripted_callee import describe

HALF: Final = LONG_BYTES // 2


def text_of(data: bytes) -> str:
    """
    Make any text of any bytes, lone surrogates included.
    """
    return data.decode("utf-8", "surrogateescape")


def _json_tokens() -> tuple[bytes, ...]:
    marks = (
        b"[",
        b'{"a":',
        b'"a":1,',
        b"[],",
        b"1,",
        b'"',
        b"\\",
        b" ",
        b"{",
        b"}",
        b"]",
        b",",
        b":",
        b"\x00",
        b"\xff",
    )
    values = (b"null", b"NaN", b"-Infinity", b"1e999", b"-0.0", b"9" * 25, b'""', b"\\u0000", b"\\ud800")
    return marks + values


def _json(read_object: Callable[[Mapping[str, Any]], object] = dict, *samples: bytes) -> Reader:
    return Reader(
        read=lambda data: read_object(decode_object(data)),
        refuses_by=(InvalidJsonError,),
        samples=(*samples, b'{"phone_number": "+15551234567", "agent_id": 123, "variables": {"a": [1.5, "b", null]}}'),
        tokens=_json_tokens(),
        long=(
            b'{"variables": {"a": ' + b"9" * LONG_BYTES + b"}}",
            b'{"variables": {"a": [' + b",".join([b"9" * 4300] * 11) + b"]}}",
            b'{"variables": {"a": -0.' + b"9" * LONG_BYTES + b"e-1}}",
            b'{"variables": {' + b",".join(b'"%d":1' % number for number in range(LONG_BYTES // 9)) + b"}}",
            b"{" + b",".join(b'"-%d":1' % number for number in range(LONG_BYTES // 9)) + b"}",
        ),
    )


def _body(operation: Operation) -> Reader:
    model = operation.body
    reads = operation.read_body or (lambda values: read(model, values))  # type: ignore[arg-type]
    return _json(
        reads,
        b'{"name": "Ada", "numbers": ["+15551234567"], "phone_number": "+15551234567", "url": "https://a.example/b",'
        b' "event_types": ["call.ended"], "expires_at": "2030-01-01T00:00:00Z", "id": 1, "external_id": "x"}',
    )


def _query(operation: Operation) -> Reader:
    return Reader(
        read=lambda data: read_query(operation.query, QueryParams(data.decode("latin-1")).multi_items()),
        samples=(b"limit=10&cursor=abc&status=completed&since=2025-04-24T10:15:30Z&agent_id=1&last_event_id=7-8",),
        tokens=(b"&", b"=", b"a=&", b"a&b&", b"%", b"9", b"%41", b"limit=1&", b"a", b"%ff", b"+", b";", b"\x00", b"-"),
        long=(b"&".join(b"%d" % (number // 2) for number in range(LONG_BYTES // 6)),),
    )


def _text(
    read_text: Callable[[str], object], *samples: str, tokens: str, refuses_by: tuple[type[Exception], ...] = ()
) -> Reader:
    return Reader(
        read=lambda data: read_text(text_of(data)),
        refuses_by=refuses_by,
        samples=tuple(sample.encode() for sample in samples),
        tokens=(*(token.encode() for token in tokens.split()), b" ", b"\t", b"\n", b"\x00", b"\xff"),
    )


def _template(text: str) -> None:
    rendered = render(text, {"a": "{{a}}", "b": {"c": 1}})
    assert (rendered.missing == ()) or "{{" in text
    check_template(text)


def _media(description: str) -> None:
    media = parse_media(description)
    assert media is None or (0 < media.port < 1 << 16 and 0 <= media.payload_type < 1 << 7)


def _answer(description: str) -> None:
    answer = LocalSession("192.0.2.9").answer(description, 4000)
    assert answer is None or answer.isascii()


def _relay(description: str) -> None:
    assert LocalSession("192.0.2.9").relay(description).isascii()


def _description(read_description: Callable[[str], object]) -> Reader:
    return Reader(
        read=lambda data: read_description(data.decode("latin-1")),
        samples=(
            describe(4000).encode(),
            describe(4000, formats="97 0").encode()
            + b"a=rtpmap:97 pcma/8000/1\r\nm=video 5000/2 RTP/AVP 96\r\nb=AS:1\r\n",
        ),
        tokens=(
            *(
                b"m=\n",
                b"a=\n",
                b"c=\n",
                b"m=audio 4000 RTP/AVP 0\r\n",
                b"a=sendonly\r\n",
                b"\n",
                b"=",
                b"0 ",
                b"a=",
                b"m=",
            ),
            *(b"c=", b" ", b"/", b"999 ", b"1.", b"\xff", b"\x0b", b"\x00", b"a=rtpmap:999 PCMU/8000\r\n", b"m=audio "),
            *(b"c=IN IP4 1.2.3.4\r\n", b"c=IN IP4 1.1.1.1/"),
        ),
    )


PHONE: Final = ("+15551234567", "tel:+49 (30) 123-456 ext. 7", "\uff0b\uff11 555 123\u20114567")
PHONE_TOKENS: Final = "1 - ( + x ;ext= \ufdfa tel: ) . 0 00 ext \uff11 \u200b \u2010 \u0661 \u00b2 / \u2212 * # a"
ADDRESS_TOKENS: Final = "a. a %41 ;a=b : - . _ 9 / @ % ; = [ ] ? & # xn-- \u00e9 \\ 0x7f 127.0.0.1 :5060 .."

TEXTS: Final[dict[str, Reader]] = {
    "phone number": _text(parse_phone_number, *PHONE, tokens=PHONE_TOKENS),
    "national number": _text(lambda text: parse_phone_number(text, default_region="DE"), *PHONE, tokens=PHONE_TOKENS),
    "canonical number": _text(is_canonical, *PHONE, tokens=PHONE_TOKENS),
    "look-alike": _text(lambda text: read_look_alike(text, default_region="US"), *PHONE, tokens=PHONE_TOKENS),
    "template": _text(
        _template,
        "Hello {{ a }}, {{b.c|you}} and {{ d.e.f | nobody at all }}.",
        tokens="{{ {{a {{a}} {{a| a. a \u2003 }} { } {{a.b | . _ {{a. }}{{ |}}",
        refuses_by=(ValueError,),
    ),
    "API key": _text(read_key, KEY, tokens="od_live_ _ 1 0 a Z - \u0661 od_live_1_"),
    "call reference": _text(
        read_call_reference, "call_789_Zb8qPqkmT3xA", "789", tokens="call_ _ 1 0 a - \u0661 \u00b2"
    ),
    "row": _text(read_row, "9223372036854775807", tokens="1 0 - + _ \u0661 \u00b2"),
    "agent reference": _text(read_agent_reference, "123", "assistant_abc", tokens="1 0 - + _ \u0661 \u00b2 assistant_"),
    "Last-Event-ID": _text(read_place, "789-31415", "@0-17", tokens="@ - 1 0 9 \u0661 @0- 1-"),
    "Idempotency-Key": _text(read_idempotency_key, '"0f6a3c1e-reminder"', "a", tokens='" "" a \\ \u00e9 !'),
    "SIP address": _text(
        parse_sip_address,
        "sip:user@trunk.example:5070;transport=tcp;a=b",
        "sips:10.0.0.1",
        tokens=f"{ADDRESS_TOKENS} sip: sips: ;transport= ;maddr=a",
        refuses_by=(ValueError,),
    ),
    "webhook's address": _text(
        lambda text: parse_url(text, allows_loopback=True),
        "https://hooks.example.com:8443/a/b?c=%41",
        "http://[::1]:80",
        tokens=f"{ADDRESS_TOKENS} https:// http://",
        refuses_by=(ValueError,),
    ),
}

OTHERS: Final[dict[str, Reader]] = {
    "JSON": _json(),
    "variables": _json(variable_problems),
    "session description": _description(_media),
    "offer": _description(_answer),
    "relayed description": _description(_relay),
    "WAV file": Reader(
        read=parse_wav,
        refuses_by=(SpeechError,),
        samples=(wav(range(20)), wav(range(20), bits=8, channels=2, before=b"LIST\x02\x00\x00\x00ab")),
        tokens=(
            b"RIFF",
            b"WAVE",
            b"fmt ",
            b"data",
            b"\0\0\0\0",
            b"\xff\xff\xff\xff",
            b"abcd\0\0\0\0",
            b"\0",
            b"\x01\0",
        ),
    ),
    "list of numbers": Reader(
        read=lambda data: list(read_numbers(io.BytesIO(data), columns=(), region="DE")),
        refuses_by=(ValueError,),
        samples=(
            b"name,phone,note\nAda,+15551234567,x\nBob,030 123456,\n",
            b'"a";"+1 555 123 4567 ext. 7"\r\n',
            "phone\n+15551234567\n".encode("utf-16"),
            b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff\xd3642\xe1\x02\x00",
        ),
        tokens=(
            b"\n",
            b",",
            b'"',
            b'",',
            b"x,\n",
            b"1",
            b"+15551234567,",
            b"|",
            b";",
            b"+",
            b"\x00",
            b"\xff",
            b"\xff\xfe",
        ),
        long=(
            b"x," * HALF + b"\n" + b"x,\n" * (HALF // 3),
            b"+15551234567," * (HALF // 13) + b"\n" + b"+15551234567,\n" * (HALF // 14),
        ),
        long_s=0.5,  # it is a command of the operator's, and libphonenumber takes 20 us for each number
    ),
}

MODELS: Final[dict[str, Reader]] = {
    **{operation.body.__name__: _body(operation) for operation in OPERATIONS if operation.body is not None},
    **{operation.query.__name__: _query(operation) for operation in OPERATIONS},
}
"""One for each of the API's bodies and queries."""

READERS: Final[dict[str, Reader]] = {**TEXTS, **OTHERS, **MODELS}
